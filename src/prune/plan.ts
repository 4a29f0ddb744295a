import type { FileId, SessionId } from '../encoding/index.ts'
import { hasCode, isLossOfData } from '../errors/index.ts'
import {
  fileName,
  type PackKind,
  type PackRow,
  packTargetBytesOf,
  type Repository,
  type StoredPack,
} from '../repository/index.ts'
import type { PackTotals, PruneOptions, PrunePlan } from './options.ts'
import type { PackUse, UsedPack } from './use.ts'

const DEFAULT_MAX_UNUSED = 0.02
/** Packs below this share of their target are merged, once so many of a kind have come together. */
const SMALL_SHARE = 4
const SMALL_COUNT = 8

export interface PlanParts {
  readonly repository: Repository
  readonly stored: ReadonlyMap<FileId, StoredPack>
  /** Sessions that were alive after the packs were listed and the index loaded: their packs are left alone. */
  readonly alive: ReadonlySet<SessionId>
  /** What snapshots need of the packs. */
  readonly use: PackUse
  readonly maxUnused?: PruneOptions['maxUnused'] | undefined
  readonly maxRepackBytes?: number | undefined
}

export interface ChosenPacks {
  readonly plan: PrunePlan
  /** Packs to condemn. */
  readonly condemn: readonly FileId[]
}

/** A pack that may be rewritten. */
interface Candidate {
  readonly use: UsedPack
  readonly deadShare: number
  /** Stored bytes of live and of dead chunks. */
  readonly liveBytes: number
  readonly deadBytes: number
  readonly isSmall: boolean
}

/** Choose the packs to go: without live chunks, worth rewriting, too small, or in no index file. Reads only. */
export async function choosePacks(parts: PlanParts): Promise<ChosenPacks> {
  const { repository, stored, alive } = parts
  const { usedChunks, unusedChunks, duplicateChunks } = parts.use.totals()
  const keep = startTotals()
  const drop = startTotals()
  const rewrite = startTotals()
  const condemn: FileId[] = []
  const candidates: Candidate[] = []

  for (const use of parts.use.packs()) {
    const { row } = use
    if (row.state === 'condemned') continue
    if (!stored.has(row.id)) {
      // It is gone, and nothing needs it any more: said for ever, so that it no longer counts as damage.
      if (!use.isMissed && !alive.has(row.session) && (await isGone(repository, row))) condemn.push(row.id)
      continue
    }
    if (alive.has(row.session)) {
      add(keep, row.sizeBytes)
    } else if (use.liveBytes === undefined) {
      condemn.push(row.id)
      add(drop, row.sizeBytes)
    } else if (row.state === 'lost') {
      // What can still be read of it is worth more where it is.
      add(keep, row.sizeBytes)
    } else {
      const { liveStored, deadStored } = deadSpace(repository, row, use.liveBytes)
      const deadShare = deadStored / (liveStored + deadStored)
      candidates.push({
        use,
        deadShare,
        liveBytes: liveStored,
        deadBytes: deadStored,
        isSmall: isSmall(repository, row),
      })
    }
  }

  const total = {
    count: stored.size,
    bytes: [...stored.values()].reduce((sum, pack) => sum + pack.sizeBytes, 0),
  }
  const usedBytes = candidates.reduce((sum, one) => sum + one.liveBytes, keep.bytes)
  const mayStayUnused = limitOf(parts.maxUnused ?? DEFAULT_MAX_UNUSED, usedBytes)
  const crowded = crowdedKinds(candidates.filter((one) => one.isSmall).map((one) => one.use.row))
  const isMerged = (one: Candidate): boolean => one.isSmall && crowded.has(one.use.row.kind)
  // Those to be merged come first, so that what goes with them counts; then those that give most for what is copied.
  candidates.sort(
    (left, right) => Number(isMerged(right)) - Number(isMerged(left)) || right.deadShare - left.deadShare,
  )
  let unusedBytesKept = candidates.reduce((sum, one) => sum + one.deadBytes, 0)
  for (const candidate of candidates) {
    const { row } = candidate.use
    const isWorth = isMerged(candidate) || (candidate.deadBytes > 0 && unusedBytesKept > mayStayUnused)
    if (isWorth && rewrite.bytes + row.sizeBytes <= (parts.maxRepackBytes ?? Number.POSITIVE_INFINITY)) {
      condemn.push(row.id)
      add(rewrite, row.sizeBytes)
      unusedBytesKept -= candidate.deadBytes
    } else add(keep, row.sizeBytes)
  }

  const unlisted = await findUnlisted(parts)
  condemn.push(...unlisted.map((pack) => pack.id))
  const unlistedTotals = startTotals()
  for (const pack of unlisted) add(unlistedTotals, pack.sizeBytes)
  const plan: PrunePlan = {
    total,
    keep,
    rewrite,
    drop,
    unlisted: unlistedTotals,
    usedChunks,
    unusedChunks,
    duplicateChunks,
    unusedBytesKept: Math.max(0, Math.round(unusedBytesKept)),
  }
  return { plan, condemn }
}

/** Dead bytes that may stay beside used ones: a share is one of both together. */
function limitOf(maxUnused: NonNullable<PruneOptions['maxUnused']>, usedBytes: number): number {
  if (typeof maxUnused !== 'number') return maxUnused.bytes
  return maxUnused < 1 ? (maxUnused / (1 - maxUnused)) * usedBytes : Number.POSITIVE_INFINITY
}

/** True when the pack is not there: it may have been put after the packs were listed. */
async function isGone(repository: Repository, row: PackRow): Promise<boolean> {
  try {
    await repository.backend.getRange(fileName(row.kind, row.id), 0, 1)
    return false
  } catch (error) {
    if (!hasCode(error, 'NO_SUCH_FILE')) throw error
    return true
  }
}

/** Stored bytes of a pack's blocks, shared out by how much of each block's plaintext is live. */
function deadSpace(
  repository: Repository,
  row: PackRow,
  liveBytes: Float64Array,
): { liveStored: number; deadStored: number } {
  let liveStored = 0
  let deadStored = 0
  for (const block of repository.index.blocks(row.number)) {
    const liveShare = block.plainBytes === 0 ? 0 : Math.min(1, liveBytes[block.number]! / block.plainBytes)
    liveStored += block.storedBytes * liveShare
    deadStored += block.storedBytes * (1 - liveShare)
  }
  return { liveStored, deadStored }
}

/** Packs in storage that no index file lists and nobody has condemned, but for those of sessions at work. */
async function findUnlisted(parts: PlanParts): Promise<StoredPack[]> {
  const { repository, stored, alive } = parts
  const found: StoredPack[] = []
  for (const pack of stored.values()) {
    if (repository.index.pack(pack.id) !== undefined || repository.index.isCondemned(pack.id)) continue
    if (alive.size > 0 && (await mayBelongTo(repository, pack, alive))) continue
    found.push(pack)
  }
  return found
}

/** True when one of the sessions wrote the pack, or its footer cannot tell. */
async function mayBelongTo(
  repository: Repository,
  pack: StoredPack,
  sessions: ReadonlySet<SessionId>,
): Promise<boolean> {
  try {
    return sessions.has((await repository.readPack(pack)).session)
  } catch (error) {
    if (isLossOfData(error)) return true
    throw error
  }
}

function isSmall(repository: Repository, row: PackRow): boolean {
  return row.sizeBytes < packTargetBytesOf(repository.settings, row.kind) / SMALL_SHARE
}

/** Kinds that have so many small packs that merging them is worth it. */
function crowdedKinds(small: readonly PackRow[]): Set<PackKind> {
  return new Set(
    (['data', 'tree'] as const).filter(
      (kind) => small.filter((row) => row.kind === kind).length >= SMALL_COUNT,
    ),
  )
}

function startTotals(): { -readonly [Key in keyof PackTotals]: PackTotals[Key] } {
  return { count: 0, bytes: 0 }
}

function add(totals: { count: number; bytes: number }, bytes: number): void {
  totals.count++
  totals.bytes += bytes
}
