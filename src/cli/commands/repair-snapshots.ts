import type { Command } from 'commander'
import {
  displayName,
  listSnapshots,
  type RepairedSnapshot,
  type Repository,
  repairSnapshots,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, formatCount, shortId } from '../format.ts'
import { createProgress } from '../progress.ts'
import { withRepository } from '../repository-access.ts'
import { addFilterOptions, chooseNewestFirst, type FilterOptions } from '../snapshot-choice.ts'

interface Options extends FilterOptions {
  readonly forget?: boolean
  readonly dryRun?: boolean
}

/** Lost paths of one snapshot that are printed; JSON has all that are kept. */
const SHOWN_PATHS = 20

export function defineRepairSnapshots(command: Command, context: Context): void {
  const snapshots = command
    .command('snapshots')
    .description('make whole snapshots of what is left of damaged ones')
    .argument('[snapshot...]', 'ids or beginnings of them (default: all)')
  addFilterOptions(snapshots)
    .option('--forget', 'remove each damaged snapshot once its repaired one is there')
    .option('-n, --dry-run', 'change nothing; say what would be done')
    .action(
      async (wanted: readonly string[], options: Options) =>
        await withRepository(context, async (repository) => await run(context, repository, wanted, options)),
    )
}

async function run(
  context: Context,
  repository: Repository,
  wanted: readonly string[],
  options: Options,
): Promise<void> {
  const { output, signal } = context
  const { forget = false, dryRun = false } = options
  const snapshot = wanted.length === 0 ? {} : { snapshot: wanted }
  const chosen = await chooseNewestFirst(context, repository, { ...options, ...snapshot })
  const progress = createProgress(context)
  let results: RepairedSnapshot[]
  try {
    results = await repairSnapshots(repository, {
      snapshots: chosen.map(({ id }) => id),
      forget,
      isDryRun: dryRun,
      onProgress: ({ done, total }) =>
        progress.update({
          text: () => `looking at snapshots  ${formatCount(done)} of ${formatCount(total)}`,
          status: () => ({ message_type: 'status', snapshots_done: done, total_snapshots: total }),
        }),
      signal,
    })
  } finally {
    progress.end()
  }
  for (const one of results) {
    await output.json({
      message_type: 'snapshot',
      id: one.id,
      outcome: one.outcome,
      repaired_id: one.repaired,
      lost_paths: one.lostPaths.map(displayName),
      lost_count: one.lostCount,
      forgotten: one.isForgotten,
    })
    if (one.outcome !== 'whole') await output.lines(linesOf(one, dryRun), (line) => line)
  }
  const count = (outcome: RepairedSnapshot['outcome']): number =>
    results.filter((one) => one.outcome === outcome).length
  await output.json({
    message_type: 'summary',
    dry_run: dryRun,
    whole: count('whole'),
    confirmed: count('confirmed'),
    repaired: count('repaired'),
    incomplete: count('incomplete'),
    gone: count('gone'),
  })
  await output.line(
    `${countOf(count('whole'), 'snapshot')} whole, ${formatCount(count('repaired'))} repaired`,
  )
  if (count('repaired') > 0 && !forget && !dryRun)
    output.note('the damaged ones are still there: holdfast forget removes them, or --forget does at once')
  const { damaged } = await listSnapshots(repository, signal)
  for (const { id } of damaged)
    output.problem(
      `snapshot ${shortId(id)} itself cannot be read: put its file back from a copy, or remove it with holdfast forget ${shortId(id)}`,
    )
}

function linesOf(one: RepairedSnapshot, isDryRun: boolean): string[] {
  const id = shortId(one.id)
  if (one.outcome === 'confirmed')
    return [`snapshot ${id} is whole${isDryRun ? ' and would be confirmed' : ': confirmed'}`]
  if (one.outcome === 'gone') return [`snapshot ${id} was forgotten meanwhile`]
  if (one.outcome === 'incomplete') return [`snapshot ${id} could not be confirmed: run this again`]
  const what = countOf(one.lostCount, 'file or folder', 'files and folders')
  const made = isDryRun ? 'would be made anew' : `is made anew as ${shortId(one.repaired!)}`
  const forgotten = one.isForgotten ? ' and forgotten' : ''
  const more = one.lostCount - Math.min(one.lostPaths.length, SHOWN_PATHS)
  return [
    `snapshot ${id} ${made}${forgotten}, without ${what} that lack data:`,
    ...one.lostPaths.slice(0, SHOWN_PATHS).map((path) => `  ${displayName(path)}`),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ]
}
