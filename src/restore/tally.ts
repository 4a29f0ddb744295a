import type { RawName } from '../encoding/index.ts'
import { isLossOfData } from '../errors/index.ts'
import { describeFailure } from './failure.ts'
import type { RestoreAction, RestoreCounts, RestoreItem, RestoreOptions, RestoreResult } from './options.ts'

type Listeners = Pick<RestoreOptions, 'onProgress' | 'onError' | 'onWarning' | 'onItem'>

const PROGRESS_MS = 100

/** Counts what a restore does, and tells those who listen. */
export class Tally {
  private readonly listeners: Listeners
  private readonly expectedBytes: number | undefined
  private totalFiles = 0
  private filesRestored = 0
  private filesSkipped = 0
  private totalBytes = 0
  private bytesRestored = 0
  private bytesSkipped = 0
  private errors = 0
  private damaged = 0
  private warnings = 0
  private lastProgressMs = Number.NEGATIVE_INFINITY

  /** @param expectedBytes of all that is going to be restored, where that is known */
  constructor(listeners: Listeners, expectedBytes: number | undefined) {
    this.listeners = listeners
    this.expectedBytes = expectedBytes
  }

  /** Something is going to be restored. */
  begin(sizeBytes: number): void {
    this.totalFiles++
    this.totalBytes += sizeBytes
  }

  /** Bytes were written; fewer than none when what was written has been thrown away. */
  addBytes(count: number): void {
    this.bytesRestored += count
  }

  /** What was begun is done; its bytes have been counted. */
  finish(path: RawName, action: RestoreAction, sizeBytes: number): void {
    this.filesRestored++
    this.item({ path, action, sizeBytes })
  }

  skip(path: RawName, action: 'unchanged' | 'skipped', sizeBytes: number): void {
    this.filesSkipped++
    this.bytesSkipped += sizeBytes
    this.item({ path, action, sizeBytes })
  }

  fail(path: RawName, error: unknown): void {
    this.errors++
    if (isLossOfData(error)) this.damaged++
    this.listeners.onError?.({ path, message: describeFailure(error), isDamage: isLossOfData(error) })
  }

  warn(path: RawName, message: string): void {
    this.warnings++
    this.listeners.onWarning?.({ path, message, isDamage: false })
  }

  progress(currentPath: RawName): void {
    const { onProgress } = this.listeners
    if (onProgress === undefined) return
    const nowMs = performance.now()
    if (nowMs - this.lastProgressMs < PROGRESS_MS) return
    this.lastProgressMs = nowMs
    onProgress({ ...this.counts(), expectedBytes: this.expectedBytes, currentPath })
  }

  result(startedMs: number, endedMs: number): RestoreResult {
    const { warnings, damaged } = this
    return { ...this.counts(), warnings, damaged, startedMs, endedMs }
  }

  private counts(): RestoreCounts {
    const { totalFiles, filesRestored, filesSkipped, totalBytes, bytesRestored, bytesSkipped, errors } = this
    return { totalFiles, filesRestored, filesSkipped, totalBytes, bytesRestored, bytesSkipped, errors }
  }

  private item(item: RestoreItem): void {
    this.listeners.onItem?.(item)
    this.progress(item.path)
  }
}
