import type { FileId, SessionId } from '../encoding/index.ts'
import {
  listPacks,
  listSessions,
  pendingValue,
  type Repository,
  type StoredPack,
} from '../repository/index.ts'
import { findLiveChunks, type LiveChunks } from './live.ts'
import type { PruneOptions, PrunePlan } from './options.ts'
import { listPending } from './pending-files.ts'
import { choosePacks } from './plan.ts'
import { judgeSession } from './sessions.ts'
import { createPackUse } from './use.ts'

export interface Marked {
  readonly plan: PrunePlan
  /** What was found to be needed. */
  readonly live: LiveChunks
}

/**
 * Choose what goes and condemn it. Changes nothing in a dry run.
 *
 * The order makes the choice exact: packs and index, then sessions, then snapshots. Safety rests on none of
 * that, but on the condemnation being durable before the sessions are listed that have to end (rule R4).
 */
export async function mark(
  repository: Repository,
  own: SessionId | undefined,
  options: PruneOptions,
): Promise<Marked> {
  const { signal, onProgress } = options
  const stored = new Map<FileId, StoredPack>()
  for await (const pack of listPacks(repository, signal)) stored.set(pack.id, pack)
  await repository.loadIndex({ signal })
  const working = await findWorking(repository, own, options)
  const use = createPackUse(repository, stored)
  const live = await findLiveChunks(repository, {
    onChunk: (chunk) => use.count(chunk),
    onSnapshot: (done, total) => onProgress?.({ phase: 'find', done, total }),
    signal,
  })
  onProgress?.({ phase: 'plan', done: 0, total: 0 })
  const { maxUnused, maxRepackBytes } = options
  const { plan, condemn } = await choosePacks({
    repository,
    stored,
    alive: working,
    use,
    maxUnused,
    maxRepackBytes,
  })
  if (own !== undefined) {
    // Said durably, and for ever.
    if (condemn.length > 0) await repository.putFacts({ packs: [], condemned: condemn, replaces: [] }, own)
    await makePending(repository, own, stored, signal)
  }
  return { plan, live }
}

/** Sessions whose packs are left alone: those that somebody would wait for. */
async function findWorking(
  repository: Repository,
  own: SessionId | undefined,
  options: PruneOptions,
): Promise<Set<SessionId>> {
  const { alive, over } = await listSessions(repository.backend, options.signal)
  const working = new Set<SessionId>()
  for (const session of alive) {
    if (session === own || over.has(session)) continue
    const judged = await judgeSession(repository, session, options)
    if (judged?.isHopeless === false) working.add(session)
  }
  return working
}

/**
 * Name the sessions that have to end before condemned packs go: every condemned pack that is stored and in no
 * pending file, also those of a prune that died before it came to this.
 */
async function makePending(
  repository: Repository,
  own: SessionId,
  stored: ReadonlyMap<FileId, StoredPack>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const damaged: FileId[] = []
  const pending = await listPending(repository, signal, (id) => damaged.push(id))
  const named = new Set(pending.flatMap((one) => one.packs))
  const packs = [...stored.keys()].filter((id) => repository.index.isCondemned(id) && !named.has(id))
  if (packs.length > 0) await putPending(repository, own, packs, [])
  for (const id of damaged) await repository.removeFile('pending', id)
}

/** Put a pending file with the sessions listed now; what it names must be durable already. */
export async function putPending(
  repository: Repository,
  own: SessionId,
  packs: readonly FileId[],
  indexFiles: readonly FileId[],
): Promise<void> {
  const { alive } = await listSessions(repository.backend)
  const sessions = [...alive].filter((session) => session !== own)
  await repository.putValue('pending', pendingValue({ packs, indexFiles, sessions }), own)
}
