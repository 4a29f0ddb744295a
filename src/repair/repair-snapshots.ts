import type { ChunkId, FileId, RawName, SessionId } from '../encoding/index.ts'
import { checkAborted, isLossOfData } from '../errors/index.ts'
import {
  endSession,
  isListed,
  listSessions,
  markLostPacks,
  type Repository,
  RunWriter,
  requireListedPacks,
  startSession,
} from '../repository/index.ts'
import {
  commitSnapshot,
  confirmSnapshot,
  isTreeWhole,
  type ListedSnapshot,
  listSnapshots,
  type SnapshotDraft,
} from '../snapshot/index.ts'
import { type FileNode, type Node, readContent, rewriteTree } from '../tree/index.ts'

export interface RepairSnapshotsOptions {
  /** Snapshots to look at. Default: all. */
  readonly snapshots?: readonly FileId[] | undefined
  /** Remove each snapshot whose repaired one is durable. Default false. */
  readonly forget?: boolean | undefined
  /** Change nothing; say what would be done. */
  readonly isDryRun?: boolean | undefined
  /** Default: now. */
  readonly nowMs?: number | undefined
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What has become of one snapshot. */
export interface RepairedSnapshot {
  readonly id: FileId
  /**
   * - whole: nothing is lost.
   * - confirmed: it was whole, and is shown as such from now on.
   * - repaired: another one has all that is left of it.
   * - incomplete: its backup was given up on, and somebody gave up on this repair too: run it again.
   * - gone: it was forgotten meanwhile.
   */
  readonly outcome: 'whole' | 'confirmed' | 'repaired' | 'incomplete' | 'gone'
  /** The snapshot without what is lost; undefined for other outcomes, and in a dry run. */
  readonly repaired: FileId | undefined
  /** Files and folders that are lost, or lack something: the first ones. */
  readonly lostPaths: readonly RawName[]
  readonly lostCount: number
  /** It was removed: its repaired one is there, and nobody has made it whole meanwhile. */
  readonly isForgotten: boolean
}

const MAXIMUM_PATHS = 100
const REPAIRED_TAG = 'repaired'

/**
 * Make a whole snapshot of what is left of each damaged one: without files that lack data, and without what of a folder
 * cannot be read. What only packs have that no backup may rely on is stored anew. The damaged snapshot stays until it is
 * forgotten. A snapshot that is shown as unconfirmed and is whole is confirmed.
 *
 * @throws DamagedError when something is lost while packs are stored that no index file lists; HoldfastError INTERRUPTED;
 *   what the repository throws
 */
export async function repairSnapshots(
  repository: Repository,
  options: RepairSnapshotsOptions = {},
): Promise<RepairedSnapshot[]> {
  repository.checkWritable()
  const { onProgress, signal } = options
  const { snapshots } = await listSnapshots(repository, signal)
  const wanted = snapshots.filter(
    ({ id }) => options.snapshots === undefined || options.snapshots.includes(id),
  )
  const results: RepairedSnapshot[] = []
  for (const snapshot of wanted) {
    checkAborted(signal)
    results.push(await repairOne(repository, snapshot, options))
    onProgress?.({ done: results.length, total: wanted.length })
  }
  return results
}

async function repairOne(
  repository: Repository,
  snapshot: ListedSnapshot,
  options: RepairSnapshotsOptions,
): Promise<RepairedSnapshot> {
  const { id } = snapshot
  const { isDryRun = false, nowMs = Date.now(), signal } = options
  const lost = new LostPaths()
  let isGone = false
  const draft = async (writer: RunWriter): Promise<SnapshotDraft> => {
    lost.clear()
    const tree = await writeWhatIsLeft(repository, writer, snapshot, lost, signal)
    // What was stored anew stays stored; a snapshot that has lost nothing is whole by that.
    if (lost.count === 0) return undefined
    // What nobody lists any more a prune may have taken apart while it was read.
    isGone = !(await isListed(repository, 'snapshot', id))
    if (isGone) return undefined
    // Its own packs are to be listed by then.
    await writer.finish()
    await requireListedPacks(repository, signal)
    const { session: _, id: __, isConfirmed: ___, ...record } = snapshot
    return {
      ...record,
      tree,
      tags: [...new Set([...record.tags, REPAIRED_TAG])],
      original: id,
      incomplete: true,
    }
  }
  const result = { id, repaired: undefined, lostPaths: [], lostCount: 0, isForgotten: false }
  if (isDryRun) {
    await rehearse(repository, draft, signal)
    if (isGone) return { ...result, outcome: 'gone' }
    const outcome = lost.count > 0 ? 'repaired' : snapshot.isConfirmed ? 'whole' : 'confirmed'
    return { ...result, outcome, lostPaths: lost.paths, lostCount: lost.count }
  }
  const repaired = await commitSnapshot(repository, { operation: 'repair', nowMs, signal }, draft)
  if (repaired === undefined) {
    if (isGone) return { ...result, outcome: 'gone' }
    if (snapshot.isConfirmed) return { ...result, outcome: 'whole' }
    const isConfirmed = await confirm(repository, snapshot, options)
    return { ...result, outcome: isConfirmed ? 'confirmed' : 'incomplete' }
  }
  const isForgotten = options.forget === true && (await mayForget(repository, snapshot, signal))
  if (isForgotten) await repository.removeFile('snapshot', id)
  return {
    id,
    outcome: 'repaired',
    repaired,
    lostPaths: lost.paths,
    lostCount: lost.count,
    isForgotten,
  }
}

/**
 * False where a backup has stored again what the snapshot lacked, or may be about to: one whose session is there still may
 * find its own snapshot whole, and tell its user so (rule R16).
 */
async function mayForget(
  repository: Repository,
  snapshot: ListedSnapshot,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { alive } = await listSessions(repository.backend, signal)
  if (!snapshot.isConfirmed && alive.has(snapshot.session)) return false
  await repository.loadIndex({ tolerateDamage: true, signal })
  await markLostPacks(repository, signal)
  return !(await isTreeWhole(repository, snapshot.tree, signal))
}

/** Everything but storing, as `commitSnapshot` does it. */
async function rehearse(
  repository: Repository,
  draft: (writer: RunWriter) => Promise<SnapshotDraft>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await repository.loadIndex({ tolerateDamage: true, signal })
  await markLostPacks(repository, signal)
  await draft(new RunWriter(repository, NOBODY, { isDryRun: true }))
}

const NOBODY = '0'.repeat(32) as SessionId

async function confirm(
  repository: Repository,
  snapshot: ListedSnapshot,
  { nowMs = Date.now(), signal }: RepairSnapshotsOptions,
): Promise<boolean> {
  const own = await startSession(repository.backend, repository, 'repair', nowMs)
  try {
    return (await confirmSnapshot(repository, snapshot, own, signal)) ?? false
  } finally {
    await endSession(repository.backend, own)
  }
}

/** Rule R2 of the prune protocol: every chunk that the new tree names is looked up, or stored anew. */
async function writeWhatIsLeft(
  repository: Repository,
  writer: RunWriter,
  { tree }: ListedSnapshot,
  lost: LostPaths,
  signal: AbortSignal | undefined,
): Promise<ChunkId> {
  const entry = async (
    path: RawName,
    node: Exclude<Node, { type: 'directory' }>,
  ): Promise<Node | undefined> => {
    checkAborted(signal)
    if (node.type !== 'file' || (await keepContent(repository, writer, node))) return node
    lost.add(path)
    return undefined
  }
  const unreadable = (path: RawName): void => lost.add(path)
  const root = await rewriteTree(repository, writer, tree, '/', { entry, unreadable, signal })
  await writer.drained()
  return root
}

/** @returns false when a part of the file is lost; then what could be read of it may have been stored */
async function keepContent(repository: Repository, writer: RunWriter, node: FileNode): Promise<boolean> {
  try {
    for await (const { ids, pageIds } of readContent(repository, node.content)) {
      for (const id of pageIds) if (!writer.isStored(id)) writer.saveTree(await repository.readTree(id))
      for (const id of ids) {
        if (!writer.isStored(id)) writer.saveChunk('data', id, await repository.readChunk('data', id))
      }
      await writer.drained()
    }
    return true
  } catch (error) {
    if (!isLossOfData(error)) throw error
    return false
  }
}

/** Paths that lack something: all are counted, the first are kept. */
class LostPaths {
  paths: RawName[] = []
  count = 0

  add(path: RawName): void {
    this.count++
    if (this.paths.length < MAXIMUM_PATHS) this.paths.push(path)
  }

  clear(): void {
    this.paths = []
    this.count = 0
  }
}
