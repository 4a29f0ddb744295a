import type { RawName } from '../encoding/index.ts'

/**
 * What happens to files that are there already:
 * - always: they become what the snapshot says; one whose bytes are right already is not written again.
 * - if-changed: the same, and one of the right size and mtime is taken to have the right bytes.
 * - if-newer: only those that are older than in the snapshot.
 * - never: they stay as they are, folders too.
 *
 * Folders that are there are restored into. What is there and not in the snapshot stays under every rule.
 */
export type OverwriteRule = 'always' | 'if-changed' | 'if-newer' | 'never'

export interface RestoreOptions {
  /** Folder to restore into; made when it is not there. Symbolic links on the way to it are followed. */
  readonly target: RawName
  /** A folder, whose content goes into the target, or a file, which becomes target/name. Default: everything. */
  readonly path?: RawName | undefined
  /** Only what matches, what is below it, and the folders that lead there. Globs over paths in the snapshot. */
  readonly include?: readonly string[]
  /** All but what matches. Stronger than `include`. */
  readonly exclude?: readonly string[]
  /** Default: always. */
  readonly overwrite?: OverwriteRule
  /** Write nothing; say what would be done. */
  readonly isDryRun?: boolean
  /** Read back each file before it gets its name. */
  readonly verify?: boolean
  /** Leave out runs of zeros on disk, beside the holes that the snapshot knows. */
  readonly sparse?: boolean
  /** Take uid and gid as they are, whatever the names of user and group. */
  readonly numericIds?: boolean
  readonly noOwnership?: boolean
  /** Threads that write files; 0 for none. Default: as many as serve best, once there is much to do. */
  readonly threads?: number | undefined
  readonly onProgress?: (progress: RestoreProgress) => void
  /** One file or folder that could not be restored. The run goes on. */
  readonly onError?: (problem: RestoreProblem) => void
  /** Something was restored, but not with all it had. */
  readonly onWarning?: (problem: RestoreProblem) => void
  /** Called for each file and folder as it is done; a folder comes after what is in it. */
  readonly onItem?: (item: RestoreItem) => void
  readonly signal?: AbortSignal | undefined
}

export interface RestoreProblem {
  /** In the snapshot. */
  readonly path: RawName
  readonly message: string
  /** True when the repository does not have the data any more. */
  readonly isDamage: boolean
}

/** restored: it was not there; updated: it was; unchanged: its content was right; skipped: left as it was. */
export type RestoreAction = 'restored' | 'updated' | 'unchanged' | 'skipped'

export interface RestoreItem {
  /** In the snapshot. */
  readonly path: RawName
  readonly action: RestoreAction
  /** 0 for all but files, and for further names of a file. */
  readonly sizeBytes: number
}

/** Files are nodes of every type, folders too; those skipped are in no total. */
export interface RestoreCounts {
  readonly totalFiles: number
  readonly filesRestored: number
  /** Unchanged ones too. */
  readonly filesSkipped: number
  readonly totalBytes: number
  readonly bytesRestored: number
  readonly bytesSkipped: number
  readonly errors: number
}

/** Totals grow as the walk goes on. */
export interface RestoreProgress extends RestoreCounts {
  /** What the whole snapshot has; undefined when only a part of it is restored. */
  readonly expectedBytes: number | undefined
  readonly currentPath: RawName
}

export interface RestoreResult extends RestoreCounts {
  readonly warnings: number
  /** How many of the errors are damage in the repository. */
  readonly damaged: number
  readonly startedMs: number
  readonly endedMs: number
}

/** What bounds the memory of a restore. */
export interface RestoreLimits {
  /** A window of the walk is read when it has so many nodes, … */
  readonly windowNodes: number
  /** … so many chunks to write, … */
  readonly windowPieces: number
  /** … or so many bytes. */
  readonly windowBytes: number
  /** Folders kept open for what is planned, beside those of the batches under way, … */
  readonly openFolders: number
  /** … which have so many each. A block is opened again for what it has for further folders. */
  readonly batchFolders: number
  /** First names of hard links kept in memory; about 200 bytes each. */
  readonly linkEntries: number
}
