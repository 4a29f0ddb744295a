import { hasCode } from '../errors/index.ts'
import { endSession, isOver, type Repository, startSession } from '../repository/index.ts'
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
  for (let attempt = 1; ; attempt++) {
    const result = await pruneOnce(repository, options, attempt < ATTEMPTS)
    if (result !== undefined) return result
    repository.onNotice('another prune gave up waiting for this one: starting again')
  }
}

/** Prunes that give up on each other's sessions need not do so for ever. */
const ATTEMPTS = 5

/** @returns undefined, where that is allowed, when somebody gave up on this session and removed what it was writing */
async function pruneOnce(
  repository: Repository,
  options: PruneOptions,
  mayGiveUp: boolean,
): Promise<PruneResult | undefined> {
  const { backend } = repository
  const own = await startSession(backend, repository, 'prune', options.nowMs ?? Date.now())
  try {
    const { plan, live } = await mark(repository, own, options)
    const mergedIndexFiles = await mergeIndexFiles(repository, own, options.signal)
    const swept = await sweep(repository, own, live, options)
    await removeTemporaryFiles(repository, own, options)
    return { plan, mergedIndexFiles, ...swept }
  } catch (error) {
    const isGivenUp = mayGiveUp && hasCode(error, 'IO') && (await isOver(backend, own).catch(() => false))
    if (!isGivenUp) throw error
    return undefined
  } finally {
    await endSession(backend, own)
  }
}
