import { endSession, type Repository, startSession } from '../repository/index.ts'
import { mark } from './mark.ts'
import { mergeIndexFiles } from './merge.ts'
import type { PruneOptions, PruneResult } from './options.ts'
import { sweep } from './sweep.ts'
import { removeTemporaryFiles } from './temporary-files.ts'

/**
 * Remove what no snapshot needs, and tidy up. Safe beside any number of backups and other prunes, none of which
 * it ever blocks: what sessions at work may rely on is condemned now and deleted by a later prune.
 *
 * @throws HoldfastError DAMAGED when a snapshot lacks a chunk; then nothing is deleted
 */
export async function prune(repository: Repository, options: PruneOptions = {}): Promise<PruneResult> {
  const nothing = { deletedPacks: 0, deletedBytes: 0, copiedChunks: 0, copiedBytes: 0, waitingFiles: 0 }
  if (options.isDryRun) {
    const { plan } = await mark(repository, undefined, options)
    return { plan, ...nothing, mergedIndexFiles: 0, waitingFor: [], incompleteSnapshots: [] }
  }
  repository.checkWritable()
  const { backend } = repository
  const own = await startSession(backend, repository, 'prune', options.nowMs ?? Date.now())
  try {
    const { plan, live } = await mark(repository, own, options)
    const mergedIndexFiles = await mergeIndexFiles(repository, own, options.signal)
    const swept = await sweep(repository, own, live, options)
    await removeTemporaryFiles(repository, own, options)
    return { plan, mergedIndexFiles, ...swept }
  } finally {
    await endSession(backend, own)
  }
}
