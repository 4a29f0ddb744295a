import type { RawName } from '../encoding/index.ts'
import type { RunWriter } from '../repository/index.ts'
import type { SnapshotSummary } from '../snapshot/index.ts'
import type { BackupItem, BackupOptions, BackupProgress } from './options.ts'
import { type Notes, ownName } from './scan-task.ts'

type Action = Exclude<BackupItem['action'], 'excluded'>

const PROGRESS_MS = 100

/** Counts what a backup does, and tells those who listen. */
export class Tally {
  private readonly options: BackupOptions
  private readonly expected: SnapshotSummary | undefined
  private readonly files: Record<Action, number> = { new: 0, modified: 0, unchanged: 0 }
  private readonly directories: Record<Action, number> = { new: 0, modified: 0, unchanged: 0 }
  private bytes = 0
  private errors = 0
  private lastProgressMs = Number.NEGATIVE_INFINITY
  /** Something asked for is not there at all. */
  isIncomplete = false
  readonly ownPlacesLeftOut: RawName[] = []

  constructor(options: BackupOptions, expected: SnapshotSummary | undefined) {
    this.options = options
    this.expected = expected
  }

  get errorCount(): number {
    return this.errors
  }

  get hasChanges(): boolean {
    const { files, directories } = this
    return files.new + files.modified + directories.new + directories.modified > 0
  }

  countFile(path: RawName, action: Action, sizeBytes: number): void {
    this.files[action]++
    this.bytes += sizeBytes
    this.item({ path, action, sizeBytes })
    this.progress(path)
  }

  countDirectory(path: RawName, action: Action): void {
    this.directories[action]++
    this.item({ path, action, sizeBytes: 0 })
  }

  /** Take in what a task tells. */
  add(notes: Notes): void {
    for (const action of ['new', 'modified', 'unchanged'] as const) {
      this.files[action] += notes.files[action]
      this.directories[action] += notes.directories[action]
    }
    this.bytes += notes.bytes
    this.errors += notes.errors.length
    for (const one of notes.errors) this.options.onError?.({ ...one, path: ownName(one.path) })
    for (const one of notes.warnings) this.options.onWarning?.({ ...one, path: ownName(one.path) })
    for (const one of notes.items) this.item({ ...one, path: ownName(one.path) })
    for (const path of notes.ownPlacesLeftOut) this.ownPlacesLeftOut.push(ownName(path))
    this.isIncomplete ||= notes.isIncomplete
    if (notes.lastPath !== undefined) this.progress(ownName(notes.lastPath))
  }

  item(item: BackupItem): void {
    this.options.onItem?.(item)
  }

  /** The writer whose figures belong to this tally. */
  writer: RunWriter | undefined

  private progress(currentPath: RawName): void {
    const { onProgress } = this.options
    if (onProgress === undefined) return
    const nowMs = performance.now()
    if (nowMs - this.lastProgressMs < PROGRESS_MS) return
    this.lastProgressMs = nowMs
    const progress: BackupProgress = {
      filesDone: this.files.new + this.files.modified + this.files.unchanged,
      bytesDone: this.bytes,
      addedBytes: this.writer?.statistics.dataBytes ?? 0,
      errors: this.errors,
      expectedFiles: this.expected?.totalFiles,
      expectedBytes: this.expected?.totalBytes,
      currentPath,
    }
    onProgress(progress)
  }

  summary(durationMs: number): SnapshotSummary {
    const { files, directories } = this
    const statistics = this.writer?.statistics
    return {
      filesNew: files.new,
      filesChanged: files.modified,
      filesUnmodified: files.unchanged,
      directoriesNew: directories.new,
      directoriesChanged: directories.modified,
      directoriesUnmodified: directories.unchanged,
      dataChunks: statistics?.dataChunks ?? 0,
      treeChunks: statistics?.treeChunks ?? 0,
      addedBytes: (statistics?.dataBytes ?? 0) + (statistics?.treeBytes ?? 0),
      addedPackedBytes: statistics?.packedBytes ?? 0,
      totalFiles: files.new + files.modified + files.unchanged,
      totalBytes: this.bytes,
      durationMs: Math.min(durationMs, 0xffffffff),
      errors: this.errors,
    }
  }
}
