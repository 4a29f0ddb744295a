import { type Command, Option } from 'commander'
import {
  type FileId,
  listSnapshots,
  matchesFilter,
  type Repository,
  type Stats,
  type StatsMode,
  type StatsOptions,
  stats,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { formatBytes, formatCount, formatShare } from '../format.ts'
import { createProgress } from '../progress.ts'
import { withRepository } from '../repository-access.ts'
import { addFilterOptions, choose, type FilterOptions, filterOf } from '../snapshot-choice.ts'

/** What each mode is called on the command line, restic's name for chunks among them. */
const modes: Readonly<Record<string, StatsMode>> = {
  'restore-size': 'restore-size',
  'files-by-contents': 'files-by-contents',
  'chunks-per-file': 'chunks-per-file',
  'blobs-per-file': 'chunks-per-file',
  'raw-data': 'raw-data',
}

interface Options extends FilterOptions {
  readonly mode: string
}

export function define(command: Command, context: Context): void {
  command
    .argument('[snapshot...]', 'count these only: ids or beginnings of them, latest, latest~N')
    .addOption(
      new Option('--mode <mode>', 'what is counted').choices(Object.keys(modes)).default('restore-size'),
    )
  addFilterOptions(command).action(
    async (wanted: readonly string[], options: Options) =>
      await withRepository(context, async (repository) => await count(context, repository, wanted, options)),
  )
}

async function count(
  context: Context,
  repository: Repository,
  wanted: readonly string[],
  options: Options,
): Promise<void> {
  const { output, signal } = context
  const progress = createProgress(context)
  const mode = modes[options.mode]!
  // As with restic, JSON is one object.
  const onProgress: StatsOptions['onProgress'] = ({ done, total }) =>
    progress.update({
      text: () => `${formatCount(done)} of ${formatCount(total)} snapshots`,
      status: () => ({ message_type: 'status', snapshots_done: done, total_snapshots: total }),
    })
  try {
    const result = await stats(repository, {
      mode,
      snapshots: await chooseAll(context, repository, wanted, options),
      ...(output.isJson ? {} : { onProgress }),
      signal,
    })
    await output.json(statsJson(result))
    for (const line of statsLines(mode, result)) await output.line(line)
  } finally {
    progress.end()
  }
}

async function chooseAll(
  context: Context,
  repository: Repository,
  wanted: readonly string[],
  options: Options,
): Promise<FileId[]> {
  const ids = new Set<FileId>()
  for (const one of wanted) ids.add((await choose(context, repository, one, options)).id)
  if (wanted.length > 0) return [...ids]
  const filter = filterOf(options)
  const { snapshots } = await listSnapshots(repository, context.signal)
  return snapshots.filter((snapshot) => matchesFilter(snapshot, filter)).map((snapshot) => snapshot.id)
}

const meanings: Readonly<Record<StatsMode, string>> = {
  'restore-size': 'what restoring every snapshot would write',
  'files-by-contents': 'files with different contents, each once',
  'chunks-per-file': 'the different chunks of files, each once a path',
  'raw-data': 'chunks as they are stored',
}

function statsLines(mode: StatsMode, result: Stats): string[] {
  const { snapshotCount, totalBytes, fileCount, chunkCount, uncompressedBytes } = result
  const ratio = result.compressionRatio
  const saving = result.spaceSavingPercent
  return [
    `counted       ${meanings[mode]}`,
    `snapshots     ${formatCount(snapshotCount)}`,
    ...(fileCount === undefined ? [] : [`files         ${formatCount(fileCount)}`]),
    ...(chunkCount === undefined ? [] : [`chunks        ${formatCount(chunkCount)}`]),
    `size          ${formatBytes(totalBytes)}`,
    ...(uncompressedBytes === undefined ? [] : [`uncompressed  ${formatBytes(uncompressedBytes)}`]),
    ...(ratio === undefined || saving === undefined
      ? []
      : [
          `compression   ${ratio.toFixed(2)} to 1${saving < 0 ? '' : `, ${formatShare(saving / 100)} saved`}`,
        ]),
  ]
}

/** Under restic's names; what the mode does not count is left out. */
function statsJson(result: Stats): object {
  return {
    total_size: result.totalBytes,
    total_file_count: result.fileCount,
    total_blob_count: result.chunkCount,
    snapshots_count: result.snapshotCount,
    total_uncompressed_size: result.uncompressedBytes,
    compression_ratio: result.compressionRatio,
    compression_space_saving: result.spaceSavingPercent,
  }
}
