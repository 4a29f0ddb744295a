import type { Command } from 'commander'
import { HoldfastError, hasCode } from '../../errors/index.ts'
import {
  type Change,
  compareNames,
  type DiffPlace,
  diff,
  diffLive,
  displayName,
  joinName,
  type ListedSnapshot,
  nameBytes,
  parseSnapshotArgument,
  type RawName,
  type Repository,
  resolvePath,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, shortId } from '../format.ts'
import { rawName } from '../raw-arguments.ts'
import { withRepository } from '../repository-access.ts'
import { addChoiceOptions, type ChoiceOptions, choose, describeSnapshot } from '../snapshot-choice.ts'
import { createTextBatch } from '../text-batch.ts'
import { changeJson, changeLine, statisticsJson, statisticsLines } from './diff-display.ts'

interface Options extends ChoiceOptions {
  readonly metadata?: boolean
  readonly exact?: boolean
}

export function define(command: Command, context: Context): void {
  command
    .argument('<snapshot[:path]>', 'what was: an id or the beginning of one, latest, or latest~N')
    .argument(
      '<other[:path]>',
      'what is compared with it: a snapshot too, or :live for the files as they are now',
    )
    .option('--metadata', 'also list what differs in mode, owner, time or extended attributes alone')
    .option('--exact', 'look into what is equal too before a chunk counts as added or removed')
  addChoiceOptions(command)
  command.action(
    async (before: string, after: string, options: Options) =>
      await withRepository(
        context,
        async (repository) => await compare(context, repository, [before, after], options),
      ),
  )
}

const LIVE = ':live'

async function compare(
  context: Context,
  repository: Repository,
  [first, second]: readonly [string, string],
  options: Options,
): Promise<void> {
  const { output, signal } = context
  await repository.loadIndex({ tolerateDamage: true, signal })
  const before = await findSide(context, repository, first, options)
  const after = second === LIVE ? undefined : await findSide(context, repository, second, options)
  await output.line(`comparing ${describeSnapshot(before.snapshot)}`)
  await output.line(
    `     with ${after === undefined ? 'the files as they are now' : describeSnapshot(after.snapshot)}:`,
  )
  await output.line()
  const batch = createTextBatch(output)
  const shared = {
    withMetadata: options.metadata ?? false,
    signal,
    onChanges: async (changes: readonly Change[]): Promise<void> => {
      if (output.isQuiet && !output.isJson) return
      const toText = output.isJson ? (one: Change) => JSON.stringify(changeJson(one)) : changeLine
      await batch.add(changes.map((one) => `${toText(one)}\n`).join(''))
    },
  }
  let problems = 0
  const result =
    after === undefined
      ? await diffLive(repository, await livePlaces(repository, before), {
          ...shared,
          excludes: before.snapshot.excludes,
          onProblem: ({ path, message }) => {
            problems++
            output.problem(`${displayName(path)}: ${message}`, { item: displayName(path) })
          },
        })
      : await diff(repository, before.place, after.place, { ...shared, isExact: options.exact ?? false })
  await batch.flush()
  const names = [
    shortId(before.snapshot.id),
    after === undefined ? LIVE : shortId(after.snapshot.id),
  ] as const
  await output.json(statisticsJson(names, result))
  await output.line()
  for (const line of statisticsLines(result, after === undefined)) await output.line(line)
  if (problems > 0) {
    throw new HoldfastError('SOURCE_INCOMPLETE', `${countOf(problems, 'path')} could not be read`, {
      hint: 'what could not be read is not in the comparison',
    })
  }
}

interface Side {
  readonly snapshot: ListedSnapshot
  readonly place: DiffPlace
  readonly hasPath: boolean
}

async function findSide(
  context: Context,
  repository: Repository,
  argument: string,
  options: Options,
): Promise<Side> {
  const wanted = parseSnapshotArgument(rawName(argument))
  const snapshot = await choose(context, repository, wanted.snapshot, options)
  const place = await resolvePath(repository, snapshot, wanted.path ?? '/')
  return { snapshot, place, hasPath: wanted.path !== undefined }
}

/** What the snapshot was made of, or the one path that was asked for. */
async function livePlaces(repository: Repository, { snapshot, place, hasPath }: Side): Promise<DiffPlace[]> {
  if (hasPath) return [place]
  const places: DiffPlace[] = []
  for (const path of outermost(snapshot.paths)) {
    try {
      places.push(await resolvePath(repository, snapshot, path))
    } catch (error) {
      if (!hasCode(error, 'NO_SUCH_PATH')) throw error
      places.push({ path, node: undefined, tree: undefined })
    }
  }
  return places
}

/** Without paths that are below another one, in order. */
function outermost(paths: readonly RawName[]): RawName[] {
  const found: RawName[] = []
  for (const path of paths.toSorted(compareNames)) {
    const isBelow = found.some((one) => {
      const folder = nameBytes(one === '/' ? '/' : joinName(one, ''))
      return nameBytes(path).subarray(0, folder.length).equals(folder)
    })
    if (!isBelow) found.push(path)
  }
  return found
}
