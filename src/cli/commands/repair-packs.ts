import type { Command } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import { displayName, type RepairedPack, type Repository, repairPacks } from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, formatCount } from '../format.ts'
import { createProgress } from '../progress.ts'
import { withRepository } from '../repository-access.ts'
import { findFile } from '../stored-files.ts'

export function defineRepairPacks(command: Command, context: Context): void {
  command
    .command('packs')
    .description('save what damaged packs still hold, and let nothing rely on them any more')
    .argument(
      '[pack...]',
      'ids or beginnings of them (default: those that verify or a backup has found damaged)',
    )
    .action(
      async (packs: readonly string[]) =>
        await withRepository(context, async (repository) => await run(context, repository, packs)),
    )
}

async function run(context: Context, repository: Repository, wanted: readonly string[]): Promise<void> {
  const { output, signal } = context
  const packs: RepairedPack['id'][] = []
  await repository.loadIndex({ tolerateDamage: true, signal })
  for (const one of wanted) packs.push(await findPack(repository, one, signal))
  const progress = createProgress(context)
  try {
    const repaired = await repairPacks(repository, {
      ...(wanted.length === 0 ? {} : { packs }),
      onProgress: ({ done, total }) =>
        progress.update({
          text: () => `reading packs  ${formatCount(done)} of ${formatCount(total)}`,
          status: () => ({ message_type: 'status', packs_done: done, total_packs: total }),
        }),
      signal,
    })
    progress.end()
    for (const pack of repaired) {
      await output.json({
        message_type: 'pack',
        id: pack.id,
        file: pack.file,
        outcome: pack.outcome,
        problems: pack.problems,
        chunks_saved: pack.savedChunks,
        chunks_lost: pack.lostChunks,
      })
      await output.line(packLine(pack))
    }
    const condemned = repaired.filter(({ outcome }) => outcome === 'condemned')
    const lostChunks = condemned.reduce((sum, pack) => sum + pack.lostChunks, 0)
    await output.json({
      message_type: 'summary',
      packs_sound: repaired.length - condemned.length,
      packs_condemned: condemned.length,
      chunks_saved: condemned.reduce((sum, pack) => sum + pack.savedChunks, 0),
      chunks_lost: lostChunks,
    })
    if (repaired.length === 0) await output.line('nothing to do: no pack is known to be damaged')
    if (lostChunks > 0) {
      throw new HoldfastError('DAMAGED', `${countOf(lostChunks, 'chunk')} could not be saved`, {
        hint: 'run holdfast backup: it stores anew what the source still has; holdfast repair snapshots makes whole snapshots of what is left',
      })
    }
    if (condemned.length > 0)
      output.note('nothing is lost; the next holdfast prune removes the damaged packs')
  } finally {
    progress.end()
  }
}

/** One that is gone is known to the index only. */
async function findPack(
  repository: Repository,
  wanted: string,
  signal: AbortSignal,
): Promise<RepairedPack['id']> {
  const gone = [...repository.index.packs()].filter((row) => row.id.startsWith(wanted))
  if (gone.length === 1) return gone[0]!.id
  return (await findFile(repository, 'packs', wanted, signal)).id
}

function packLine({ file, outcome, problems, savedChunks, lostChunks }: RepairedPack): string {
  if (outcome === 'sound') return `${file} is sound`
  const saved = `${countOf(savedChunks, 'chunk')} saved`
  const lost = lostChunks === 0 ? 'none lost' : `${formatCount(lostChunks)} lost`
  return `${file}: ${saved}, ${lost} (${problems.map(displayName).join('; ')})`
}
