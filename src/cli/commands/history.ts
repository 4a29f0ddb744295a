import { resolve } from 'node:path'
import type { Command } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import {
  displayName,
  formatTimeWithOffset,
  history,
  joinName,
  type PathVersion,
  type RawName,
  type Repository,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, formatMoment, shortId } from '../format.ts'
import { foundJson } from '../node-display.ts'
import { rawName } from '../raw-arguments.ts'
import { withRepository } from '../repository-access.ts'
import { addFilterOptions, chooseNewestFirst, type FilterOptions } from '../snapshot-choice.ts'
import { type Column, formatTable } from '../table.ts'
import { changeLetters, changeWords } from './diff-display.ts'

interface Options extends FilterOptions {
  readonly reverse?: boolean
}

export function define(command: Command, context: Context): void {
  command
    .argument('<path>', 'a file or a folder; a relative path starts at the working directory')
    .option('-R, --reverse', 'oldest version first')
  addFilterOptions(command).action(
    async (path: string, options: Options) =>
      await withRepository(
        context,
        async (repository) => await print(context, repository, absolute(rawName(path)), options),
      ),
  )
}

function absolute(path: RawName): RawName {
  if (typeof path === 'string') return resolve(path)
  return path[0] === 0x2f ? path : joinName(process.cwd(), path)
}

async function print(
  context: Context,
  repository: Repository,
  path: RawName,
  options: Options,
): Promise<void> {
  const { output, signal } = context
  if (path === '/') {
    throw new HoldfastError('USAGE', 'the root of a snapshot has no versions of its own', {
      hint: 'name a file or a folder; holdfast snapshots lists the snapshots',
    })
  }
  const snapshots = (await chooseNewestFirst(context, repository, options)).reverse()
  const versions = await history(repository, snapshots, path, { signal })
  if (versions.length === 0) {
    throw new HoldfastError('NO_SUCH_PATH', `${displayName(path)} is in no snapshot`, {
      hint: 'holdfast find looks for a name in every folder',
    })
  }
  if (!options.reverse) versions.reverse()
  for (const version of versions) await output.json(versionJson(version, path))
  const hasHosts = new Set(versions.map(({ snapshot }) => snapshot.host)).size > 1
  const columns = hasHosts ? [...allColumns, hostColumn] : allColumns
  for (const line of formatTable(columns, versions.map(cells))) await output.line(line)
  await output.line(countOf(versions.length, 'version'))
}

const hostColumn: Column = { title: 'Host' }
const allColumns: readonly Column[] = [
  { title: 'ID' },
  { title: 'Time' },
  { title: 'Modified' },
  { title: 'Size', align: 'right' },
  { title: 'Snapshots', align: 'right' },
  { title: '' },
  { title: 'Change' },
]

function cells({ snapshot, snapshotCount, node, change }: PathVersion): string[] {
  return [
    shortId(snapshot.id),
    formatMoment(snapshot.timeMs),
    node === undefined ? '' : formatMoment(Number(node.mtimeNs / 1_000_000n)),
    node?.type === 'file' ? String(node.sizeBytes) : '',
    String(snapshotCount),
    changeLetters[change],
    changeWords[change],
    displayName(snapshot.host),
  ]
}

/** `snapshot` and `time` are of the first snapshot that has it so; the node's fields are those of `ls`. */
function versionJson(version: PathVersion, path: RawName): object {
  const { snapshot, lastSnapshot, snapshotCount, node, change } = version
  return {
    message_type: 'version',
    snapshot: snapshot.id,
    time: formatTimeWithOffset(snapshot.timeMs, snapshot.offsetMinutes),
    hostname: snapshot.host,
    last_snapshot: lastSnapshot.id,
    snapshots_count: snapshotCount,
    modifier: changeLetters[change],
    node: node === undefined ? null : foundJson({ path, node }),
  }
}
