import type { FileId } from '../encoding/index.ts'

export interface CopyOptions {
  /** Snapshots to copy, of the source. Default: all. */
  readonly snapshots?: readonly FileId[] | undefined
  /** Store nothing; say what would be copied. */
  readonly isDryRun?: boolean | undefined
  /** zstd level of data blocks. Default: as the target's settings have it. */
  readonly compressionLevel?: number | undefined
  /** Default: now. */
  readonly nowMs?: number | undefined
  /** Told of each snapshot when it is done with, oldest first. */
  readonly onSnapshot?: ((snapshot: CopiedSnapshot) => void) | undefined
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface CopyProgress {
  readonly snapshotsDone: number
  readonly totalSnapshots: number
  /** Files and folders looked at so far, of all snapshots. */
  readonly nodes: number
  /** Content read so far. */
  readonly bytes: number
}

/** What has become of one snapshot. */
export interface CopiedSnapshot {
  readonly id: FileId
  /**
   * - copied: `copy` is its copy in the target; undefined in a dry run.
   * - present: `copy` has been there before.
   * - damaged: something of it cannot be read, as `problem` says; nothing of it is shown in the target.
   * - unconfirmed: it may lack data, and was not copied.
   * - gone: it was forgotten meanwhile.
   */
  readonly outcome: 'copied' | 'present' | 'damaged' | 'unconfirmed' | 'gone'
  readonly copy: FileId | undefined
  readonly problem: string | undefined
}
