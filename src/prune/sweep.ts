import type { FileId, SessionId } from '../encoding/index.ts'
import { checkAborted, DamagedError, HoldfastError, hasCode } from '../errors/index.ts'
import {
  declareOver,
  fileName,
  isOver,
  listPacks,
  listSessions,
  markLostPacks,
  type Repository,
  type StoredPack,
} from '../repository/index.ts'
import { type ChunkSet, confirmSnapshot, createChunkSet, listSnapshots } from '../snapshot/index.ts'
import { type Copies, startCopies } from './copies.ts'
import { type CopyOutParts, copyOut } from './copy-out.ts'
import { findLiveChunks, type LiveChunks } from './live.ts'
import type { PruneOptions, WaitingFor } from './options.ts'
import { listPending, type PendingFile } from './pending-files.ts'
import { judgeSession } from './sessions.ts'

/** Removals under way at once. */
const REMOVALS = 16

export interface Swept {
  readonly deletedPacks: number
  readonly deletedBytes: number
  readonly copiedChunks: number
  readonly copiedBytes: number
  readonly waitingFiles: number
  readonly waitingFor: readonly WaitingFor[]
  readonly incompleteSnapshots: readonly FileId[]
}

/**
 * Delete what was condemned and may go. One order: the sessions of a pending file have ended or are over; then
 * snapshots are listed; then the index is loaded; then missing good copies are made; then it is deleted.
 */
export async function sweep(
  repository: Repository,
  own: SessionId,
  earlier: LiveChunks,
  options: PruneOptions,
): Promise<Swept> {
  const { signal } = options
  const { ready, waiting, waitingFor } = await readyPending(repository, own, options)
  const done = { deletedPacks: 0, deletedBytes: 0, copiedChunks: 0, copiedBytes: 0 }
  let incompleteSnapshots: readonly FileId[] = []
  if (ready.length > 0) {
    const live = await findLiveChunks(repository, { earlier, signal })
    incompleteSnapshots = live.incomplete
    await repository.loadIndex({ signal })
    // A copy in a pack that is lost is none either: what a condemned pack has may be the last one.
    await markLostPacks(repository, signal)
    const packs = await storedPacks(repository, ready, signal)
    const copied = await copyAll(repository, own, packs, live.needed, options).catch(
      async (error: unknown) => {
        // Whoever gives up on a session removes its temporary files, and the pack under way with them.
        if (!hasCode(error, 'IO') || !(await isOver(repository.backend, own))) throw error
        return undefined
      },
    )
    done.copiedChunks = copied?.chunks ?? 0
    done.copiedBytes = copied?.bytes ?? 0
    if (!live.needed.isValid()) {
      throw new HoldfastError(
        'FAILED',
        'the local index was rebuilt while this prune ran; nothing was deleted',
        {
          hint: 'run holdfast prune again',
        },
      )
    }
    // Somebody gave up on this very session: an index it loaded may have been overtaken. Nothing is deleted.
    if (copied === undefined || (await isOver(repository.backend, own))) {
      repository.onNotice('another prune gave up waiting for this one: stopping before anything is deleted')
    } else {
      await removeAll(repository, packs, ready, options)
      done.deletedPacks = packs.length
      done.deletedBytes = packs.reduce((sum, pack) => sum + pack.sizeBytes, 0)
    }
  }
  await confirmSnapshots(repository, own, signal)
  const waitingFiles = waiting.reduce((sum, one) => sum + one.packs.length + one.indexFiles.length, 0)
  return { ...done, waitingFiles, waitingFor, incompleteSnapshots }
}

/** Pending files whose sessions have all ended or are over; on those too old, this prune gives up now. */
async function readyPending(
  repository: Repository,
  own: SessionId,
  options: PruneOptions,
): Promise<{ ready: PendingFile[]; waiting: PendingFile[]; waitingFor: WaitingFor[] }> {
  const pending = await listPending(repository, options.signal)
  const { alive, over } = await listSessions(repository.backend, options.signal)
  const ended = (session: SessionId): boolean => !alive.has(session) || over.has(session)
  const awaited = new Set(
    pending.flatMap((one) => one.sessions).filter((session) => !ended(session) && session !== own),
  )
  const waitingFor: WaitingFor[] = []
  const givenUp = new Set<SessionId>()
  for (const session of awaited) {
    const waits = await giveUpOrWait(repository, own, session, options)
    if (waits === undefined) givenUp.add(session)
    else waitingFor.push(waits)
  }
  const isReady = (one: PendingFile): boolean =>
    one.sessions.every((session) => ended(session) || givenUp.has(session))
  return { ready: pending.filter(isReady), waiting: pending.filter((one) => !isReady(one)), waitingFor }
}

/** @returns undefined when the session has ended or was declared over, durably, just now */
async function giveUpOrWait(
  repository: Repository,
  own: SessionId,
  session: SessionId,
  options: PruneOptions,
): Promise<WaitingFor | undefined> {
  const judged = await judgeSession(repository, session, options)
  if (judged === undefined) return undefined
  const { description, isHopeless } = judged
  if (!isHopeless) return { session, description }
  repository.onNotice(`giving up on a session: ${description}`)
  await declareOver(repository.backend, repository, session, own)
  return undefined
}

/**
 * Packs to delete. One that is not condemned by the index as it is loaded stays: facts were lost with an index
 * file, and others may rely on it by now.
 */
async function storedPacks(
  repository: Repository,
  ready: readonly PendingFile[],
  signal: AbortSignal | undefined,
): Promise<StoredPack[]> {
  const wanted = new Set(ready.flatMap((one) => one.packs))
  const packs: StoredPack[] = []
  for await (const pack of listPacks(repository, signal)) {
    if (wanted.has(pack.id) && repository.index.isCondemned(pack.id)) packs.push(pack)
  }
  return packs
}

/**
 * Every needed chunk of these packs has a durable, listed good copy when this resolves (rule R12). A pack that turns out
 * to be damaged is asked last: the others may have what it cannot give.
 *
 * @throws DamagedError when none of them can give a needed chunk
 */
async function copyAll(
  repository: Repository,
  own: SessionId,
  packs: readonly StoredPack[],
  needed: ChunkSet,
  options: PruneOptions,
): Promise<CopiedAmount> {
  // Packs that were written first come first, so that chunks keep the order in which they were stored.
  const numbered = packs.map((pack) => ({ pack, number: repository.index.pack(pack.id)?.number ?? -1 }))
  let ordered = numbered.sort((left, right) => left.number - right.number).map(({ pack }) => pack)
  const damaged = new Set<StoredPack>()
  for (;;) {
    try {
      return await copyInOrder(repository, own, ordered, needed, options)
    } catch (error) {
      const file = error instanceof DamagedError ? error.file : undefined
      const pack = ordered.find(({ kind, id }) => fileName(kind, id) === file)
      if (pack === undefined) throw error
      if (damaged.has(pack)) {
        throw new DamagedError(file!, 'a chunk that snapshots need cannot be read; nothing was deleted', {
          hint: 'run holdfast backup to store anew what the source still has, then prune; for what it has no more: holdfast repair snapshots --forget',
          cause: error,
        })
      }
      damaged.add(pack)
      ordered = [...ordered.filter((one) => one !== pack), pack]
    }
  }
}

interface CopiedAmount {
  readonly chunks: number
  readonly bytes: number
}

async function copyInOrder(
  repository: Repository,
  own: SessionId,
  packs: readonly StoredPack[],
  needed: ChunkSet,
  options: PruneOptions,
): Promise<CopiedAmount> {
  // Made when there is something to copy.
  let copies: Copies | undefined
  const bytes = packs.reduce((sum, pack) => sum + pack.sizeBytes, 0)
  const { signal, threads } = options
  const startCopying = (): Copies => {
    copies ??= startCopies(repository, own, { threads, bytes, signal })
    return copies
  }
  const copied = createChunkSet(repository)
  const parts: CopyOutParts = { repository, needed, copied, startCopies: startCopying, signal }
  let chunks = 0
  try {
    let done = 0
    for (const pack of packs) {
      checkAborted(signal)
      chunks += (await copyOut(parts, pack)) ?? 0
      options.onProgress?.({ phase: 'copy', done: ++done, total: packs.length })
    }
    await copies?.finish()
  } catch (error) {
    await copies?.discard()
    throw error
  }
  return { chunks, bytes: copies?.packedBytes ?? 0 }
}

async function removeAll(
  repository: Repository,
  packs: readonly StoredPack[],
  ready: readonly PendingFile[],
  options: PruneOptions,
): Promise<void> {
  const { backend } = repository
  let done = 0
  const removeNames = async (names: readonly string[]): Promise<void> => {
    for (let from = 0; from < names.length; from += REMOVALS) {
      checkAborted(options.signal)
      await Promise.all(names.slice(from, from + REMOVALS).map((name) => backend.remove(name)))
      done += REMOVALS
      options.onProgress?.({ phase: 'delete', done: Math.min(done, packs.length), total: packs.length })
    }
  }
  await removeNames(packs.map((pack) => fileName(pack.kind, pack.id)))
  await removeNames(ready.flatMap((one) => one.indexFiles).map((id) => fileName('index', id)))
  await removeNames(ready.map((one) => fileName('pending', one.id)))
}

/**
 * Take back the mark of a session given up on when its snapshot is whole by an index loaded after the snapshot
 * was listed. A mark without a snapshot stays (rule R14): the snapshot may still come.
 */
async function confirmSnapshots(
  repository: Repository,
  own: SessionId,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { snapshots } = await listSnapshots(repository, signal)
  for (const snapshot of snapshots.filter((one) => !one.isConfirmed)) {
    if ((await confirmSnapshot(repository, snapshot, own, signal)) === undefined) return
  }
}
