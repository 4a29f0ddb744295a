import { type Command, Option } from 'commander'
import { HoldfastError } from '../errors/index.ts'
import {
  chooseSnapshot,
  displayName,
  type ListedSnapshot,
  listSnapshots,
  machineOffsetMinutes,
  matchesFilter,
  parseTime,
  type Repository,
  type SnapshotFilter,
} from '../index.ts'
import type { Context } from './context.ts'
import { countOf, formatMoment, shortId } from './format.ts'
import { rawName } from './raw-arguments.ts'
import { collect } from './values.ts'

/** Options that say which snapshots are meant; shared by every command that chooses among them. */
export interface FilterOptions {
  readonly host?: readonly string[]
  readonly tag?: readonly string[]
  readonly path?: readonly string[]
}

export interface ChoiceOptions extends FilterOptions {
  readonly at?: string
}

export function addFilterOptions(command: Command): Command {
  return command
    .addOption(new Option('-H, --host <host>', 'of this host only; may be repeated').argParser(collect))
    .addOption(
      new Option('--tag <tag,…>', 'with all these tags only; repeated: with any of the lists').argParser(
        collect,
      ),
    )
    .addOption(
      new Option('--path <path>', 'only those that hold this path; repeated: all of them').argParser(collect),
    )
}

/** The same, and `--at`. */
export function addChoiceOptions(command: Command): Command {
  return addFilterOptions(command).option(
    '--at <time>',
    'latest means the last one not after this time, such as "2026-03-01 18:00" or "2 days ago"',
  )
}

export function filterOf(options: FilterOptions): SnapshotFilter {
  return {
    hosts: options.host ?? [],
    tags: (options.tag ?? []).map((list) => list.split(',')),
    paths: (options.path ?? []).map(rawName),
  }
}

/**
 * The snapshot that the user means; warns about one that is unconfirmed.
 *
 * @param wanted an id, the beginning of one, `latest` or `latest~N`
 * @throws HoldfastError NO_SNAPSHOT, USAGE
 */
export async function choose(
  context: Context,
  repository: Repository,
  wanted: string,
  options: ChoiceOptions,
): Promise<ListedSnapshot> {
  const { output, signal } = context
  const { snapshots, damaged } = await listSnapshots(repository, signal)
  if (damaged.length > 0)
    output.problem(`${countOf(damaged.length, 'damaged snapshot')} left out: run holdfast verify`)
  const at = options.at === undefined ? {} : { atMs: parseTime(options.at, Date.now(), machineOffsetMinutes) }
  const chosen = chooseSnapshot(snapshots, wanted, { ...filterOf(options), ...at })
  if (!chosen.isConfirmed) {
    output.note(`snapshot ${shortId(chosen.id)} is unconfirmed: data of it may be missing`)
  }
  return chosen
}

/**
 * The snapshots to look through: those that are named, else all that the filter leaves; newest first.
 *
 * @throws HoldfastError NO_SNAPSHOT, USAGE
 */
export async function chooseNewestFirst(
  context: Context,
  repository: Repository,
  options: FilterOptions & { readonly snapshot?: readonly string[] },
): Promise<ListedSnapshot[]> {
  const { output, signal } = context
  const { snapshots, damaged } = await listSnapshots(repository, signal)
  if (damaged.length > 0)
    output.problem(`${countOf(damaged.length, 'damaged snapshot')} left out: run holdfast verify`)
  const filter = filterOf(options)
  const named = options.snapshot?.map((wanted) => chooseSnapshot(snapshots, wanted, filter).id)
  const isWanted = (one: ListedSnapshot): boolean =>
    named === undefined ? matchesFilter(one, filter) : named.includes(one.id)
  return snapshots.filter(isWanted).reverse()
}

/** `snapshot 0123abcd of [/home] at 2026-03-01 18:00:00 by me@here`. */
export function describeSnapshot(snapshot: ListedSnapshot): string {
  const paths = snapshot.paths.map(displayName).join(', ')
  const state = snapshot.isConfirmed ? '' : ' (unconfirmed)'
  const when = formatMoment(snapshot.timeMs)
  return `snapshot ${shortId(snapshot.id)} of [${paths}] at ${when} by ${snapshot.user}@${snapshot.host}${state}`
}

/** The SNAPSHOT argument; with `--at` alone it is `latest`. @throws HoldfastError USAGE when it is missing */
export function snapshotOr(argument: string | undefined, options: ChoiceOptions): string {
  if (argument !== undefined) return argument
  if (options.at !== undefined) return 'latest'
  throw new HoldfastError('USAGE', 'no snapshot was named', {
    hint: 'give an id, latest, or --at with a time; holdfast snapshots lists what is there',
  })
}
