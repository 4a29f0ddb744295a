import { type PruneProgress, type PruneResult, prune, type Repository } from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, formatBytes, formatCount, shortId } from '../format.ts'
import { createProgress } from '../progress.ts'
import { type PruneChoice, readPruneOptions } from './prune-options.ts'

/** Prune, show how it goes on and what came of it. */
export async function runPrune(
  context: Context,
  repository: Repository,
  choice: PruneChoice,
  isDryRun: boolean,
): Promise<void> {
  const { output, signal } = context
  const progress = createProgress(context)
  try {
    const options = readPruneOptions(choice, signal)
    const result = await prune(repository, {
      ...options,
      isDryRun,
      onProgress: (state) =>
        progress.update({ text: () => progressText(state), status: () => progressStatus(state) }),
    })
    for (const id of result.incompleteSnapshots) {
      const text = `snapshot ${shortId(id)} lacks data: a prune had given up waiting for its backup; run the backup again`
      output.problem(text, { snapshot: id })
    }
    await output.json(pruneJson(result, isDryRun))
    for (const line of pruneLines(result, isDryRun)) await output.line(line)
  } finally {
    progress.end()
  }
}

const phases: Readonly<Record<PruneProgress['phase'], string>> = {
  find: 'finding what snapshots need',
  plan: 'choosing packs',
  copy: 'copying what is needed',
  delete: 'deleting',
}

function progressText({ phase, done, total }: PruneProgress): string {
  return total === 0 ? phases[phase] : `${phases[phase]}  ${formatCount(done)} of ${formatCount(total)}`
}

function progressStatus({ phase, done, total }: PruneProgress): object {
  return { message_type: 'status', phase, done, total, percent_done: total === 0 ? 0 : done / total }
}

/** The lines of a result for people. */
function pruneLines(result: PruneResult, isDryRun: boolean): string[] {
  const { plan } = result
  const packs = ({ count, bytes }: { count: number; bytes: number }): string =>
    `${countOf(count, 'pack')}, ${formatBytes(bytes)}`
  const kept = plan.unusedBytesKept === 0 ? '' : `, of it ${formatBytes(plan.unusedBytesKept)} not needed`
  const spare =
    plan.duplicateChunks === 0
      ? ''
      : `, ${countOf(plan.duplicateChunks, 'further copy', 'further copies')} of needed ones`
  return [
    `found    ${packs(plan.total)}`,
    `chunks   ${formatCount(plan.usedChunks)} needed, ${formatCount(plan.unusedChunks)} not needed${spare}`,
    `keep     ${packs(plan.keep)}${kept}`,
    `rewrite  ${packs(plan.rewrite)}`,
    `drop     ${packs(plan.drop)}`,
    ...(plan.unlisted.count === 0 ? [] : [`unlisted ${packs(plan.unlisted)}`]),
    ...(isDryRun ? ['dry run: nothing was changed'] : outcomeLines(result)),
  ]
}

function outcomeLines(result: PruneResult): string[] {
  const { deletedPacks, deletedBytes, copiedChunks, copiedBytes, mergedIndexFiles, waitingFiles } = result
  const merged = mergedIndexFiles === 0 ? '' : `, ${countOf(mergedIndexFiles, 'index file')} merged`
  const freedBytes = deletedBytes - copiedBytes
  return [
    `deleted  ${countOf(deletedPacks, 'pack')}, ${formatBytes(deletedBytes)}${merged}`,
    ...(copiedChunks === 0
      ? []
      : [`copied   ${countOf(copiedChunks, 'chunk')}, ${formatBytes(copiedBytes)}`]),
    ...(freedBytes <= 0 ? [] : [`freed    ${formatBytes(freedBytes)}`]),
    ...(waitingFiles === 0 ? [] : [`waiting  ${countOf(waitingFiles, 'file')}, which a later prune deletes`]),
    ...result.waitingFor.map(({ description }) => `         for the ${description}`),
  ]
}

/** A result for programs: restic's names, and what only this program does beside them. */
function pruneJson(result: PruneResult, isDryRun: boolean): object {
  const { plan } = result
  return {
    message_type: 'summary',
    dry_run: isDryRun,
    blobs: {
      used: plan.usedChunks,
      duplicate: plan.duplicateChunks,
      unused: plan.unusedChunks,
      total: plan.usedChunks + plan.duplicateChunks + plan.unusedChunks,
    },
    bytes: {
      total: plan.total.bytes,
      repack: plan.rewrite.bytes,
      remove: plan.drop.bytes,
      unreferenced: plan.unlisted.bytes,
      remaining_unused: plan.unusedBytesKept,
    },
    packfiles: {
      total: plan.total.count,
      keep: plan.keep.count,
      repack: plan.rewrite.count,
      remove: plan.drop.count,
      unreferenced: plan.unlisted.count,
    },
    deleted: { packs: result.deletedPacks, bytes: result.deletedBytes },
    copied: { blobs: result.copiedChunks, bytes: result.copiedBytes },
    merged_index_files: result.mergedIndexFiles,
    waiting_files: result.waitingFiles,
    waiting_for: result.waitingFor.map(({ session, description }) => ({ session, description })),
    incomplete_snapshots: result.incompleteSnapshots,
  }
}
