import { segmentBytes } from '../chunker/index.ts'
import type { FileStatus } from '../filesystem/index.ts'
import { isUnreadable, type UnreadableFile } from './file-reader.ts'
import type { LargeFilePart, LargeFileTask, SegmentAnswer, SegmentTask } from './scan-task.ts'

/**
 * The reading of one large file by several threads. One that has changed meanwhile is read once more from its
 * start, then kept as it was read.
 */
export class LargeFile {
  private readonly file: LargeFilePart
  private before: FileStatus
  private openedMs = Number.POSITIVE_INFINITY
  private isLastTry = false
  private hasChanged = false
  private nextOffset = 0
  private underWay = 0
  private failure: UnreadableFile | undefined
  /** Ids of each segment, and its bytes. */
  private segments: { readonly ids: Uint8Array; readonly sizeBytes: number }[] = []

  constructor(file: LargeFilePart) {
    this.file = file
    this.before = file.status
  }

  /** The next segment to read; undefined when there is none for now. */
  nextTask(): SegmentTask | undefined {
    const sizeBytes = Number(this.before.sizeBytes)
    if (this.isStopped || this.nextOffset >= sizeBytes) return undefined
    const offsetBytes = this.nextOffset
    const lengthBytes = Math.min(segmentBytes, sizeBytes - offsetBytes)
    this.nextOffset += lengthBytes
    this.underWay++
    const { before: expected, isLastTry } = this
    return { kind: 'segment', path: this.file.path, expected, isLastTry, offsetBytes, lengthBytes }
  }

  /** A segment was read, or could not be. */
  take(task: SegmentTask, { segment }: SegmentAnswer): void {
    this.underWay--
    if (isUnreadable(segment)) this.failure ??= segment
    else {
      const { ids, sizeBytes, hasChanged, status } = segment
      this.openedMs = Math.min(this.openedMs, segment.openedMs)
      this.segments[task.offsetBytes / segmentBytes] = { ids, sizeBytes }
      if (hasChanged) {
        this.hasChanged = true
        if (!this.isLastTry) this.newest = status
      }
    }
    if (this.underWay > 0 || this.failure !== undefined || this.isLastTry || !this.hasChanged) return
    this.before = this.newest ?? this.before
    this.isLastTry = true
    this.hasChanged = false
    this.nextOffset = 0
    this.segments = []
    this.openedMs = Number.POSITIVE_INFINITY
  }

  /** What is left to do once everything is read; undefined before. */
  lastTask(): LargeFileTask | undefined {
    const isRead = this.nextOffset >= Number(this.before.sizeBytes)
    if (this.underWay > 0 || !(isRead || this.failure !== undefined)) return undefined
    const { file, before, hasChanged, failure } = this
    // What follows a segment that ended early is not at its place any more.
    const read = failure === undefined ? this.segments : []
    const short = read.findIndex((one) => one.sizeBytes < segmentBytes)
    const whole = short < 0 ? read : read.slice(0, short + 1)
    const ids = Buffer.concat(whole.map((one) => one.ids))
    const sizeBytes = BigInt(whole.reduce((sum, one) => sum + one.sizeBytes, 0))
    const openedMs = Number.isFinite(this.openedMs) ? this.openedMs : 0
    return { kind: 'large', file, before, openedMs, hasChanged, sizeBytes, ids, failure }
  }

  private newest: FileStatus | undefined

  private get isStopped(): boolean {
    return this.failure !== undefined || (this.hasChanged && !this.isLastTry)
  }
}
