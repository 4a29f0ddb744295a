import type { FileId, SessionId } from '../encoding/index.ts'

export interface PruneOptions {
  /**
   * Packs are rewritten, those with the largest dead share first, until no more than this is dead: a share of what stays,
   * from 0 to 1 for no limit, or stored bytes. Default 0.02.
   */
  readonly maxUnused?: number | { readonly bytes: number }
  /** Stored bytes of packs that are rewritten in this run, at the most. Packs without live chunks do not count. */
  readonly maxRepackBytes?: number
  /** Threads that copy chunks; default: as many as the machine serves best, none for little work. */
  readonly threads?: number | undefined
  /** Sessions older than this are given up on. Default 14 days. */
  readonly sessionAgeMs?: number
  /** Change nothing; say what would be done. */
  readonly isDryRun?: boolean
  /** Default: now. */
  readonly nowMs?: number
  readonly onProgress?: (progress: PruneProgress) => void
  readonly signal?: AbortSignal | undefined
}

export interface PruneProgress {
  readonly phase: 'find' | 'plan' | 'copy' | 'delete'
  readonly done: number
  /** 0 while it is not known. */
  readonly total: number
}

/** Numbers of packs, and bytes they take in storage. */
export interface PackTotals {
  readonly count: number
  readonly bytes: number
}

/** What a prune found and chose. */
export interface PrunePlan {
  readonly total: PackTotals
  /** Packs that stay as they are. */
  readonly keep: PackTotals
  /** Packs whose live chunks are copied into new ones. */
  readonly rewrite: PackTotals
  /** Packs without live chunks. */
  readonly drop: PackTotals
  /** Packs in no index file. */
  readonly unlisted: PackTotals
  /** Chunks some snapshot needs, those none needs, and further copies of needed ones. */
  readonly usedChunks: number
  readonly unusedChunks: number
  readonly duplicateChunks: number
  /** Stored bytes of dead chunks in packs that stay. */
  readonly unusedBytesKept: number
}

export interface PruneResult {
  readonly plan: PrunePlan
  readonly deletedPacks: number
  readonly deletedBytes: number
  readonly copiedChunks: number
  readonly copiedBytes: number
  readonly mergedIndexFiles: number
  /** Packs and index files that wait for sessions to end. */
  readonly waitingFiles: number
  readonly waitingFor: readonly WaitingFor[]
  /** Snapshots of sessions given up on that lack chunks. */
  readonly incompleteSnapshots: readonly FileId[]
}

export interface WaitingFor {
  readonly session: SessionId
  /** Who it is, as far as the session file says. */
  readonly description: string
}
