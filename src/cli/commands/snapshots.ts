import { type Command, Option } from 'commander'
import {
  displayName,
  type GroupKey,
  groupSnapshots,
  type ListedSnapshot,
  listSnapshots,
  matchesFilter,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, shortId } from '../format.ts'
import { parseGroupBy } from '../group-by.ts'
import { withRepository } from '../repository-access.ts'
import { addFilterOptions, type FilterOptions, filterOf } from '../snapshot-choice.ts'
import { snapshotJson } from '../snapshot-json.ts'
import { describeGroup, formatSnapshots } from '../snapshot-table.ts'
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
    const name = describeGroup(group)
    await output.line(name === undefined ? 'all snapshots' : `snapshots of ${name}`)
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
    const rows = snapshots.map((snapshot) => ({ snapshot, notes: notesOf(snapshot) }))
    for (const line of formatSnapshots(rows, { isCompact, comma: ',' })) await output.line(line)
  }
  await output.line(countOf(snapshots.length, 'snapshot'))
}

function notesOf({ isConfirmed, incomplete, summary, description }: ListedSnapshot): string {
  const notes = [
    ...(isConfirmed ? [] : ['unconfirmed']),
    ...(incomplete ? ['incomplete'] : []),
    ...(summary.errors > 0 ? [countOf(summary.errors, 'error')] : []),
    ...(description === '' ? [] : [displayName(description)]),
  ]
  return notes.join(', ')
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
