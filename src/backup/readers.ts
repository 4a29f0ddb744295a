import { Worker } from 'node:worker_threads'
import { HoldfastError } from '../errors/index.ts'
import { type Repository, type RunWriter, WriteQueue } from '../repository/index.ts'
import type { ReadRequest, ReadResult } from './file-reader.ts'
import type { FromWorker, ToWorker, WorkerSettings } from './worker.ts'
import { createRangeJob, type JobSettings, type RangeJob } from './worker-job.ts'

/** Reads ranges of files and gives their new chunks to the writer. */
export interface Readers {
  /** How many ranges should be under way at once. */
  readonly depth: number
  run(requests: readonly ReadRequest[]): Promise<readonly ReadResult[]>
  /** Everything read so far is with the writer when this resolves. Nothing may be run afterwards. */
  finish(): Promise<void>
  /** End at once. Safe to call after `finish`. */
  close(): Promise<void>
}

/** Ranges each thread may have: one it reads, and one so that it need not wait. */
const RANGES_PER_THREAD = 2

/**
 * @param threads 0 reads in the calling thread: right for a handful of files, and where the index is in memory
 */
export function createReaders(
  repository: Repository,
  writer: RunWriter,
  threads: number,
  signal: AbortSignal | undefined,
): Readers {
  if (threads === 0 || repository.indexDirectory === undefined) return readHere(repository, writer, signal)
  return readInThreads(repository, writer, threads, repository.indexDirectory, signal)
}

/** The job that reads in the calling thread. */
export function createLocalJob(repository: Repository, writer: RunWriter, signal?: AbortSignal): RangeJob {
  return createRangeJob({
    ...jobSettings(repository, writer),
    isNew: (id) => writer.reserveData(id),
    emit: (block) => writer.addBlock('data', block),
    isAborted: () => signal?.aborted ?? false,
  })
}

function readHere(repository: Repository, writer: RunWriter, signal: AbortSignal | undefined): Readers {
  const job = createLocalJob(repository, writer, signal)
  return {
    depth: 1,
    async run(requests) {
      const steps = job.run(requests)
      try {
        for (;;) {
          const step = steps.next()
          if (step.done) return step.value
          await writer.drained()
        }
      } finally {
        // Closes the file where the run ends in the middle of one.
        steps.return([])
      }
    },
    finish: async () => job.flush(),
    close: async () => {},
  }
}

function jobSettings(repository: Repository, writer: RunWriter): JobSettings {
  return {
    chunker: repository.config.chunker,
    chunkerKey: repository.subkeys.chunker,
    dataIdsKey: repository.subkeys.dataIds,
    compressionLevel: writer.compressionLevel,
  }
}

/** Who waits for the results of a range. */
interface Waiting {
  readonly resolve: (results: readonly ReadResult[]) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  /** Resolves when the thread has ended, however it did. */
  readonly ended: Promise<void>
  ranges: number
  /** It was told to end. */
  isEnding: boolean
  finished: boolean
}

function readInThreads(
  repository: Repository,
  writer: RunWriter,
  count: number,
  indexDirectory: string,
  signal: AbortSignal | undefined,
): Readers {
  const abortFlag = new SharedArrayBuffer(4)
  const onAbort = (): void => void Atomics.store(new Int32Array(abortFlag), 0, 1)
  signal?.addEventListener('abort', onAbort, { once: true })
  const settings: WorkerSettings = {
    ...jobSettings(repository, writer),
    indexDirectory,
    cacheCheckKey: repository.subkeys.cacheCheck,
    table: writer.tableMemory,
    queue: writer.queueMemory,
    abortFlag,
  }
  const queue = new WriteQueue(writer.queueMemory)
  const waiting = new Map<number, Waiting>()
  let failure: unknown
  let nextId = 0
  let rejectFinish: (error: unknown) => void = () => {}
  const fail = (error: unknown): void => {
    // Errors lose their class on the way here; those of an abort are known by the signal.
    failure ??= signal?.aborted ? interrupted(signal) : error
    for (const { reject } of waiting.values()) reject(failure)
    waiting.clear()
    rejectFinish(failure)
  }

  const start = (): Thread => {
    const worker = new Worker(workerFile(), { workerData: settings })
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    const thread: Thread = { worker, ended, ranges: 0, isEnding: false, finished: false }
    thread.worker.on('message', (message: FromWorker) => {
      if (message.kind === 'block') {
        writer.addBlock('data', message.block)
        queue.remove(message.block.payload.length)
        // Storage that fails ends the run now, not when the file is read to its end.
        writer.drained().catch(fail)
      } else if (message.kind === 'finished') thread.finished = true
      else {
        thread.ranges--
        waiting.get(message.id)?.resolve(message.results)
        waiting.delete(message.id)
      }
    })
    thread.worker.on('error', fail)
    thread.worker.on('exit', () => {
      if (!thread.finished)
        fail(new HoldfastError('FAILED', 'a reading thread ended before its work was done'))
    })
    return thread
  }
  const threads = Array.from({ length: count }, start)
  const endThreads = async (): Promise<void> => {
    for (const thread of threads) {
      if (!thread.isEnding) thread.worker.postMessage({ kind: 'finish' } satisfies ToWorker)
      thread.isEnding = true
    }
    await Promise.all(threads.map((thread) => thread.ended))
  }

  return {
    depth: count * RANGES_PER_THREAD,
    async run(requests) {
      if (failure !== undefined) throw failure
      const thread = threads.reduce((least, one) => (one.ranges < least.ranges ? one : least))
      const id = nextId++
      thread.ranges++
      // No race with a promise that stays open: it would keep the results of every range until the end.
      return await new Promise<readonly ReadResult[]>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        thread.worker.postMessage({ kind: 'range', id, requests } satisfies ToWorker)
      })
    },
    async finish() {
      await new Promise<void>((resolve, reject) => {
        rejectFinish = reject
        if (failure !== undefined) reject(failure)
        void endThreads().then(resolve)
      })
      if (failure !== undefined) throw failure
    },
    async close() {
      signal?.removeEventListener('abort', onAbort)
      onAbort()
      // Never `terminate`: a thread that is stopped inside LMDB takes the process with it.
      await endThreads()
    },
  }
}

function interrupted(signal: AbortSignal): HoldfastError {
  return new HoldfastError('INTERRUPTED', 'interrupted', { cause: signal.reason })
}

/** Node cannot start a thread from TypeScript: under a test runner the built file serves. */
function workerFile(): URL {
  const here = import.meta.url
  return new URL(here.endsWith('.ts') ? '../../dist/backup/worker.js' : './worker.js', here)
}
