import { type ChunkId, chunkId, type FileId, fromHex, toHex } from '../encoding/index.ts'
import { HoldfastError, hasCode } from '../errors/index.ts'
import { type ChunkRow, isListed, type Repository, requireListedPacks } from '../repository/index.ts'
import { type ChunkSet, createChunkSet, type ListedSnapshot, listSnapshots } from '../snapshot/index.ts'
import { visitTree } from '../tree/index.ts'

export interface LiveOptions {
  readonly earlier?: LiveChunks
  readonly onChunk?: (chunk: ChunkRow) => void
  readonly onSnapshot?: (done: number, total: number) => void
  readonly signal?: AbortSignal | undefined
}

export interface LiveChunks {
  /** Every chunk some listed snapshot needs, or needed when an earlier pass listed it. */
  readonly needed: ChunkSet
  /** Trees of which everything below was visited: what a tree needs never changes, so no pass goes into them again. */
  readonly walked: ChunkSet
  /** Snapshots of sessions given up on that lack chunks. */
  readonly incomplete: readonly FileId[]
}

/**
 * List the snapshots and find every chunk they need. Every snapshot counts, also one whose session is over
 * (rule R13).
 *
 * @param options.earlier what an earlier pass of this run has found
 * @param options.onChunk gets what the index knows of each chunk that was not found before
 * @throws HoldfastError DAMAGED when a snapshot that nobody gave up on, and that is still there, lacks a chunk or
 *   cannot be read: what it needs is then not known, and nothing may be deleted
 */
export async function findLiveChunks(repository: Repository, options: LiveOptions): Promise<LiveChunks> {
  const { earlier, onSnapshot, signal } = options
  const { snapshots, damaged } = await listSnapshots(repository, signal)
  if (damaged.length > 0) {
    throw new HoldfastError(
      'DAMAGED',
      `snapshot ${damaged[0]!.id} cannot be read, so what it needs is not known`,
      {
        hint: 'run holdfast verify; a snapshot that is beyond repair can be removed with holdfast forget',
        cause: damaged[0]!.error,
      },
    )
  }
  const needed = earlier?.needed ?? createChunkSet(repository)
  let walked = earlier?.walked ?? createChunkSet(repository)
  repository.beginWalk()
  const incomplete: FileId[] = []
  let done = 0
  // Confirmed ones come first: what one of them lacks is damage, and nothing has to be walked twice for that.
  const confirmedFirst = [...snapshots].sort(
    (left, right) => Number(right.isConfirmed) - Number(left.isConfirmed),
  )
  try {
    for (const snapshot of confirmedFirst) {
      const missing = await visitSnapshot(repository, snapshot, { needed, walked }, options)
      if (missing !== undefined) {
        await judgeMissing(repository, snapshot, missing, incomplete)
        // What it lacks may be there by the time another snapshot is visited, and lead to more.
        walked = createChunkSet(repository)
      }
      onSnapshot?.(++done, snapshots.length)
    }
  } finally {
    repository.endWalk()
  }
  return { needed, walked, incomplete }
}

/** @returns a chunk the snapshot lacks by an index that was loaded after it was missed, as hex; undefined when it is whole */
async function visitSnapshot(
  repository: Repository,
  snapshot: ListedSnapshot,
  { needed, walked }: Pick<LiveChunks, 'needed' | 'walked'>,
  { onChunk, signal }: LiveOptions,
): Promise<string | undefined> {
  const { index } = repository
  const unknown = new Set<string>()
  let unreadable: string | undefined
  const need = (id: ChunkId): number | undefined => {
    const chunk = index.chunk(id)
    if (needed.add(id, chunk?.number) && chunk !== undefined) onChunk?.(chunk)
    return chunk?.number
  }
  await visitTree(
    repository,
    snapshot.tree,
    {
      enterTree: (id) => walked.add(id, need(id)),
      data(ids) {
        for (const id of ids) if (need(id) === undefined) unknown.add(toHex(id))
      },
      unreadable(id, error) {
        if (!hasCode(error, 'DAMAGED')) throw error
        unreadable ??= toHex(id)
      },
    },
    signal,
  )
  if (unknown.size > 0) await repository.loadIndex({ signal })
  for (const name of unknown) {
    const id = chunkId(fromHex(name))
    if (index.chunkNumber(id) === undefined) return unreadable ?? name
    needed.add(id)
  }
  return unreadable
}

async function judgeMissing(
  repository: Repository,
  snapshot: ListedSnapshot,
  missing: string,
  incomplete: FileId[],
): Promise<void> {
  if (!snapshot.isConfirmed) {
    incomplete.push(snapshot.id)
    repository.onNotice(`snapshot ${snapshot.id.slice(0, 8)} is incomplete: its session was given up on`)
    return
  }
  if (!(await isListed(repository, 'snapshot', snapshot.id))) return
  await requireListedPacks(repository)
  throw new HoldfastError('DAMAGED', `snapshot ${snapshot.id} lacks chunk ${missing}; nothing was deleted`, {
    hint: `run holdfast backup again to store what is lost, then prune; what the source no longer has is lost: holdfast forget ${snapshot.id.slice(0, 8)} lets prune go on`,
  })
}
