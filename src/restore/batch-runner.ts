import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkAborted, HoldfastError } from '../errors/index.ts'
import { OPENING_YOUNG_MIB, startThreads, type Threads, threadCount, threadFile } from '../threads/index.ts'
import type { BatchAnswer, BatchSettings, BatchTask } from './batch.ts'
import { type BatchWriter, createBatchWriter } from './batch-writer.ts'

/** Less than this is done in the time that threads take to start. */
const WORTH_BYTES = 24 * 1024 * 1024
const WORTH_FILES = 1500

/** Has batches done: in threads where there is much to do, else in this one. */
export class BatchRunner {
  private readonly settings: BatchSettings
  private readonly wanted: number | undefined
  private readonly signal: AbortSignal | undefined
  private threads: Threads<BatchTask, BatchAnswer> | undefined
  private own: BatchWriter | undefined
  private plannedBytes = 0
  private plannedFiles = 0
  private isClosed = false

  /** @param threads 0 for none; undefined for as many as serve best, once they do */
  constructor(settings: BatchSettings, threads: number | undefined, signal: AbortSignal | undefined) {
    this.settings = settings
    this.wanted = threads
    this.signal = signal
  }

  /** So much is going to be done. */
  expect(bytes: number, files: number): void {
    this.plannedBytes += bytes
    this.plannedFiles += files
    if (this.threads !== undefined || this.wanted === 0) return
    const isWorth = this.plannedBytes >= WORTH_BYTES || this.plannedFiles >= WORTH_FILES
    if (this.wanted === undefined && !isWorth) return
    this.threads = startThreads({
      file: threadFile(import.meta.url, 'worker'),
      count: this.wanted ?? threadCount(),
      settings: this.settings,
      youngMib: OPENING_YOUNG_MIB,
      signal: this.signal,
    })
  }

  /** Batches that should be under way together. */
  get atOnce(): number {
    return this.threads === undefined ? 2 : this.threads.count + 2
  }

  /** What was read for the task is given away. @throws HoldfastError INTERRUPTED, FAILED */
  async run(task: BatchTask): Promise<BatchAnswer> {
    // The run's own thread has other things to do between tasks.
    if (this.threads === undefined) await nextTurn()
    checkAborted(this.signal)
    if (this.isClosed) throw new HoldfastError('INTERRUPTED', 'interrupted')
    if (this.threads !== undefined) {
      return await this.threads.run(task, memoryOf(task))
    }
    this.own ??= createBatchWriter(this.settings, () => this.signal?.aborted ?? false)
    return this.own.run(task)
  }

  /** Nothing is written any more when it resolves. */
  async close(): Promise<void> {
    this.isClosed = true
    await this.threads?.close()
  }
}

/** What was read for a task, each of memory of its own. */
function memoryOf({ blocks }: BatchTask): ArrayBuffer[] {
  return 'places' in blocks ? [] : blocks.stretches.map((stretch) => stretch.buffer as ArrayBuffer)
}
