import { parseSessionId, type SessionId } from '../encoding/index.ts'
import {
  declareOver,
  endSession,
  listSessions,
  type Repository,
  startSession,
  TEMPORARY_DIRECTORY,
  temporaryOwner,
} from '../repository/index.ts'
import { mark } from './mark.ts'
import { mergeIndexFiles } from './merge.ts'
import type { PruneOptions, PruneResult } from './options.ts'
import { judgeSession } from './sessions.ts'
import { sweep } from './sweep.ts'

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

/**
 * Remove temporary files of sessions that have ended, and of those that nobody waits for any more: these are given up
 * on first, so that a backup which goes on after all finds out why its file is gone, and starts again.
 */
async function removeTemporaryFiles(
  repository: Repository,
  own: SessionId,
  options: PruneOptions,
): Promise<void> {
  const { backend } = repository
  const names = new Map<SessionId, string[]>()
  for await (const file of backend.list(TEMPORARY_DIRECTORY)) {
    // A session is listed before it writes its first file.
    const session = parseSessionId(temporaryOwner(file.name) ?? '')
    if (session !== undefined && session !== own) {
      names.set(session, [...(names.get(session) ?? []), file.name])
    }
  }
  if (names.size === 0) return
  const { alive, over } = await listSessions(backend)
  for (const [session, files] of names) {
    if (alive.has(session) && !over.has(session)) {
      const judged = await judgeSession(repository, session, options)
      if (judged?.isHopeless === false) continue
      if (judged !== undefined) await declareOver(backend, repository, session, own)
    }
    for (const name of files) await backend.remove(name)
  }
}
