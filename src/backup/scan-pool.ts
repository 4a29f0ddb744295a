import { chunkId } from '../encoding/index.ts'
import { checkAborted, HoldfastError, isLossOfData } from '../errors/index.ts'
import {
  type IndexAddress,
  openBlockSlots,
  type Repository,
  type RunWriter,
  threadStoreSettings,
  WriteQueue,
} from '../repository/index.ts'
import { startThreads, threadFile } from '../threads/index.ts'
import type { BackupItem } from './options.ts'
import { createScanJob, readerSettings } from './scan-job.ts'
import type { ScanRules, ScanTask, TaskAnswer } from './scan-task.ts'
import type { BlockEvent, WorkerSettings } from './worker.ts'

/** Does tasks, and gives new chunks to the writer. */
export interface ScanPool {
  /** How many tasks should be under way at once. */
  readonly depth: number
  run(task: ScanTask): Promise<TaskAnswer>
  /** Everything read so far is with the writer when this resolves. Nothing may be run afterwards. */
  finish(): Promise<void>
  /** End at once. Safe to call after `finish`. */
  close(): Promise<void>
}

export interface ScanPoolParts {
  readonly repository: Repository
  readonly writer: RunWriter
  readonly rules: ScanRules
  readonly signal: AbortSignal | undefined
  /** For who scans in the calling thread: told of each file and folder at once. */
  readonly onItem?: ((item: BackupItem) => void) | undefined
}

/** Tasks each thread may have: one it does, and one so that it need not wait. */
const TASKS_PER_THREAD = 2

/**
 * @param threads 0 works in the calling thread: right for a handful of files, and done where threads cannot open the
 *   index that is loaded
 */
export function createScanPool(parts: ScanPoolParts, threads: number): ScanPool {
  const index = threads === 0 ? undefined : parts.repository.index.address()
  return index === undefined ? scanHere(parts) : scanInThreads(parts, threads, index)
}

function scanHere({ repository, writer, rules, signal, onItem }: ScanPoolParts): ScanPool {
  const settings = { ...readerSettings(repository, writer), rules }
  const job = createScanJob({ settings, store: writer, isAborted: () => signal?.aborted ?? false, onItem })
  return {
    depth: 1,
    async run(task) {
      const steps = job.run(task)
      let reply: Buffer | undefined
      try {
        for (;;) {
          const step = steps.next(reply)
          if (step.done) return step.value
          reply = undefined
          if (step.value === undefined) await writer.drained()
          else reply = await readTree(repository, step.value, signal)
        }
      } finally {
        // Closes the file where the run ends in the middle of one.
        steps.return(undefined as never)
      }
    },
    finish: async () => job.flush(),
    close: async () => {},
  }
}

function scanInThreads(parts: ScanPoolParts, count: number, index: IndexAddress): ScanPool {
  const { repository, writer, rules, signal } = parts
  const queue = new WriteQueue(writer.queueMemory)
  // Storage that fails ends the run now, not when a file is read to its end.
  const storage = new AbortController()
  let failure: { readonly error: unknown } | undefined
  const fail = (error: unknown): void => {
    failure ??= { error }
    storage.abort()
  }
  const settings: WorkerSettings = {
    ...readerSettings(repository, writer),
    rules,
    store: threadStoreSettings(repository, writer, { index, threads: count }),
  }
  const slots = openBlockSlots(settings.store.slots)
  const threads = startThreads<ScanTask, TaskAnswer, BlockEvent>({
    file: threadFile(import.meta.url, 'worker'),
    count,
    settings,
    onEvent({ packKind, block }) {
      writer.addBlock(packKind, { ...block, release: () => slots.release(block.payload) })
      queue.remove(block.payload.length)
      writer.drained().catch(fail)
    },
    onQuestion: (id) => readTree(repository, chunkId(id as Uint8Array), signal),
    signal: signal === undefined ? storage.signal : AbortSignal.any([signal, storage.signal]),
  })
  const rethrow = (error: unknown): never => {
    if (signal?.aborted) throw new HoldfastError('INTERRUPTED', 'interrupted', { cause: signal.reason })
    throw failure === undefined ? error : failure.error
  }
  return {
    depth: count * TASKS_PER_THREAD,
    async run(task) {
      if (failure !== undefined) throw failure.error
      return await threads.run(task).catch(rethrow)
    },
    async finish() {
      await threads.finish().catch(rethrow)
      if (failure !== undefined) throw failure.error
    },
    close: () => threads.close(),
  }
}

/** A tree chunk of the parent; undefined when no copy can be read. */
export async function readTree(
  repository: Repository,
  id: Parameters<Repository['readTree']>[0],
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  try {
    return await repository.readTree(id)
  } catch (error) {
    checkAborted(signal)
    if (!isLossOfData(error)) throw error
    return undefined
  }
}
