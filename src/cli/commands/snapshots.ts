import { type Command, Option } from 'commander'
import {
  displayName,
  type GroupKey,
  groupSnapshots,
  type ListedSnapshot,
  listSnapshots,
  matchesFilter,
  type RawName,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, formatBytes, formatMoment, shortId } from '../format.ts'
import { parseGroupBy } from '../group-by.ts'
import { withRepository } from '../repository-access.ts'
import { addFilterOptions, type FilterOptions, filterOf } from '../snapshot-choice.ts'
import { snapshotJson } from '../snapshot-json.ts'
import { formatTable } from '../table.ts'
import { parseWholeNumber } from '../values.ts'

interface Options extends FilterOptions {
  readonly latest?: number
  readonly groupBy?: readonly GroupKey[]
  readonly compact?: boolean
}

type Group = ReturnType<typeof groupSnapshots<ListedSnapshot>>[number]

export function define(command: Command, context: Context): void {
  command.argument('[id...]', 'only these snapshots')
  addFilterOptions(command)
  command
    .addOption(
      new Option('--latest <n>', 'only the last N of each host and paths').argParser((text: string) =>
        parseWholeNumber(text, 1),
      ),
    )
    .addOption(
      new Option('-g, --group-by <keys>', 'a list for each: host, paths, tags, with commas').argParser(
        parseGroupBy,
      ),
    )
    .option('-c, --compact', 'one line for each snapshot')
    .action(async (ids: readonly string[], options: Options) => await list(context, ids, options))
}

async function list(context: Context, ids: readonly string[], options: Options): Promise<void> {
  const { output, signal } = context
  const { snapshots, damaged } = await withRepository(context, async (repository) =>
    listSnapshots(repository, signal),
  )
  for (const { id } of damaged) output.problem(`snapshot ${shortId(id)} is damaged: run holdfast verify`)
  const filter = filterOf(options)
  const isWanted = (one: ListedSnapshot): boolean =>
    matchesFilter(one, filter) && (ids.length === 0 || ids.some((id) => one.id.startsWith(id)))
  const chosen = takeLatest(snapshots.filter(isWanted), options.latest)

  if (options.groupBy === undefined) {
    await output.json(chosen.map(snapshotJson))
    await printTable(context, chosen, options.compact ?? false)
    return
  }
  const groups = groupSnapshots(chosen, options.groupBy)
  await output.json(groups.map(groupJson))
  for (const group of groups) {
    await output.line(describeGroup(group))
    await printTable(context, group.snapshots, options.compact ?? false)
    await output.line()
  }
}

/** The last ones of each host and paths, in their order; unconfirmed ones do not count. */
function takeLatest(snapshots: readonly ListedSnapshot[], count: number | undefined): ListedSnapshot[] {
  if (count === undefined) return [...snapshots]
  const kept = new Set<string>()
  for (const group of groupSnapshots(snapshots, ['host', 'paths'])) {
    const newestFirst = group.snapshots
      .filter((one) => one.isConfirmed)
      .toSorted((left, right) => right.timeMs - left.timeMs || (left.id < right.id ? 1 : -1))
    for (const one of newestFirst.slice(0, count)) kept.add(one.id)
  }
  return snapshots.filter((one) => kept.has(one.id))
}

async function printTable(
  { output }: Context,
  snapshots: readonly ListedSnapshot[],
  isCompact: boolean,
): Promise<void> {
  if (snapshots.length > 0) {
    const columns = [
      { title: 'ID' },
      { title: 'Time' },
      { title: 'Host' },
      { title: 'Tags' },
      ...(isCompact ? [] : [{ title: 'Paths' }]),
      { title: 'Size', align: 'right' as const },
      { title: '' },
    ]
    const rows = snapshots.map((one) => tableRow(one, isCompact))
    for (const line of formatTable(columns, rows)) await output.line(line)
  }
  await output.line(countOf(snapshots.length, 'snapshot'))
}

function tableRow(snapshot: ListedSnapshot, isCompact: boolean): string[] {
  const paths = snapshot.paths.map(displayName).join('\n')
  const notes = [
    ...(snapshot.isConfirmed ? [] : ['unconfirmed']),
    ...(snapshot.incomplete ? ['incomplete'] : []),
    ...(snapshot.summary.errors > 0 ? [countOf(snapshot.summary.errors, 'error')] : []),
    ...(snapshot.description === '' ? [] : [displayName(snapshot.description)]),
  ]
  return [
    shortId(snapshot.id),
    formatMoment(snapshot.timeMs),
    displayName(snapshot.host),
    snapshot.tags.map(displayName).join(isCompact ? ',' : '\n'),
    ...(isCompact ? [] : [paths]),
    formatBytes(snapshot.summary.totalBytes),
    notes.join(', '),
  ]
}

function describeGroup({ host, paths, tags }: Group): string {
  const parts = [
    ...(host === undefined ? [] : [`host ${displayName(host)}`]),
    ...(paths === undefined ? [] : [`paths ${paths.map((path: RawName) => displayName(path)).join(', ')}`]),
    ...(tags === undefined
      ? []
      : [tags.length === 0 ? 'no tags' : `tags ${tags.map(displayName).join(', ')}`]),
  ]
  return parts.length === 0 ? 'all snapshots' : `snapshots of ${parts.join(', ')}`
}

function groupJson(group: Group): object {
  return {
    group_key: {
      hostname: group.host ?? '',
      paths: group.paths?.map(displayName) ?? null,
      tags: group.tags ?? null,
    },
    snapshots: group.snapshots.map(snapshotJson),
  }
}
