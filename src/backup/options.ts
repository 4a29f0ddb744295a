import type { FileId, RawName } from '../encoding/index.ts'
import type { Marker } from '../filesystem/index.ts'
import type { SnapshotSummary } from '../snapshot/index.ts'

/** What is left out of a backup. */
export interface BackupExcludes {
  /** Glob rules in order, `!` takes back; and the same without regard to case. */
  readonly patterns?: readonly string[]
  readonly insensitivePatterns?: readonly string[]
  /** Folders that hold such a file keep nothing else. */
  readonly ifPresent?: readonly Marker[]
  /** Folders with a CACHEDIR.TAG keep nothing else. */
  readonly caches?: boolean
  readonly largerThanBytes?: number
}

export interface BackupOptions {
  readonly excludes?: BackupExcludes
  readonly tags?: readonly string[]
  readonly description?: string
  /** Default: this machine's name. */
  readonly host?: string
  /** Default: now. */
  readonly timeMs?: number
  /** The snapshot to compare with. Default: the latest of the same host and paths; null reads everything. */
  readonly parent?: FileId | null
  readonly oneFileSystem?: boolean
  readonly withAtime?: boolean
  readonly ignoreInode?: boolean
  readonly ignoreCtime?: boolean
  /** Make no snapshot when nothing has changed since the parent, in the folders above the paths aside. */
  readonly skipIfUnchanged?: boolean
  /** Store nothing; say what would be stored. */
  readonly isDryRun?: boolean
  /** zstd level, 0 for none. Default: the repository's. */
  readonly compressionLevel?: number
  /** Reading threads; 0 reads in this thread. Default: one for each core, at most 8. */
  readonly threads?: number
  /** Further places that are never backed up; the repository's directory and the local cache never are. */
  readonly ownPlaces?: readonly string[]
  /** Directory that relative paths start from. Default: the process's. */
  readonly workingDirectory?: string
  readonly onProgress?: (progress: BackupProgress) => void
  /** One file or folder that could not be read. The run goes on. */
  readonly onError?: (problem: BackupProblem) => void
  /** Something was kept, but not wholly or not calmly. */
  readonly onWarning?: (problem: BackupProblem) => void
  /** Called for each file and folder as it is done. */
  readonly onItem?: (item: BackupItem) => void
  readonly signal?: AbortSignal | undefined
}

export interface BackupProblem {
  readonly path: RawName
  readonly message: string
  /** What was being done. */
  readonly during: 'scan' | 'read'
}

export interface BackupItem {
  readonly path: RawName
  readonly action: 'new' | 'modified' | 'unchanged' | 'excluded'
  readonly sizeBytes: number
}

export interface BackupProgress {
  readonly filesDone: number
  readonly bytesDone: number
  readonly addedBytes: number
  readonly errors: number
  /** Totals of the parent snapshot, as a guess of what is to come; undefined without one. */
  readonly expectedFiles: number | undefined
  readonly expectedBytes: number | undefined
  readonly currentPath: RawName
}

export interface BackupResult {
  /** Undefined after a dry run, and when nothing changed and the snapshot was to be skipped. */
  readonly snapshotId: FileId | undefined
  readonly parent: FileId | undefined
  readonly summary: SnapshotSummary
  /** True when something asked for is not in the snapshot. */
  readonly isIncomplete: boolean
  /** Own places that lie below the paths and were left out. */
  readonly ownPlacesLeftOut: readonly RawName[]
  readonly startedMs: number
  readonly endedMs: number
}
