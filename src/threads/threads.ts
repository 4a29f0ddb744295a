import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { HoldfastError } from '../errors/index.ts'
import { takeWorker } from './ahead.ts'
import { fromPlainError, toPlainError } from './error.ts'
import type { FromThread, ToThread } from './serve.ts'

export interface ThreadsOptions<Event> {
  /** The built file that calls `serveThread`; see `threadFile`. */
  readonly file: URL
  readonly count: number
  /** Plain data that every thread gets. */
  readonly settings: unknown
  /** Room for new objects in each thread; less where their buffers weigh more than they do. */
  readonly youngMib?: number
  readonly onEvent?: (event: Event) => void
  /** Answers what a thread asks in the middle of a task; the answer is copied. */
  readonly onQuestion?: (question: unknown) => Promise<unknown>
  /** A thread broke or ended early. Told once, for who awaits no task at that moment. */
  readonly onFailure?: (error: unknown) => void
  readonly signal: AbortSignal | undefined
}

/** Threads of one run. */
export interface Threads<Task, Answer> {
  readonly count: number
  /**
   * Give a task to the thread with the least to do. Callers bound how many are under way. Buffers in
   * `transfer` are given away.
   *
   * @throws what the task threw, with its class; INTERRUPTED; FAILED when a thread broke
   */
  run(task: Task, transfer?: readonly ArrayBuffer[]): Promise<Answer>
  /** Let every thread end its work. Nothing may be run afterwards. @throws what went wrong in a thread */
  finish(): Promise<void>
  /** End at once, at the next step of what is under way. Safe to call after `finish`. */
  close(): Promise<void>
}

const MAXIMUM_THREADS = 8
/** MiB of new objects in each thread. With the engine's own choice, 48, memory grows and no time is saved. */
export const YOUNG_MIB = 6
/** The same for threads that open blocks: each piece that is decrypted has memory of its own until it is collected. */
export const OPENING_YOUNG_MIB = 3

/** How many threads serve best on this machine. */
export function threadCount(): number {
  return Math.min(availableParallelism(), MAXIMUM_THREADS)
}

/**
 * The built file of a thread. Node cannot start a thread from TypeScript: under a test runner the file in dist/
 * serves.
 *
 * @param from `import.meta.url` of a file in the same room
 * @param name of the file, such as `worker`
 */
export function threadFile(from: string, name: string): URL {
  if (!from.endsWith('.ts')) return new URL(`./${name}.js`, from)
  const room = new URL('.', from).pathname.split('/').at(-2)!
  return new URL(`../../dist/${room}/${name}.js`, from)
}

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  /** Resolves when the thread has ended, however it did. */
  readonly ended: Promise<void>
  tasks: number
  /** It was told to end. */
  isEnding: boolean
  hasFinished: boolean
}

export function startThreads<Task, Answer, Event = never>(
  options: ThreadsOptions<Event>,
): Threads<Task, Answer> {
  const { file, count, settings, youngMib = YOUNG_MIB, onEvent, onQuestion, onFailure, signal } = options
  const abortFlag = new SharedArrayBuffer(4)
  const abort = (): void => void Atomics.store(new Int32Array(abortFlag), 0, 1)
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  const waiting = new Map<number, Waiting<Answer>>()
  let failure: { readonly error: unknown } | undefined
  let nextId = 0

  const fail = (error: unknown): void => {
    if (failure !== undefined) return
    failure = { error }
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    onFailure?.(error)
  }
  const settle = (thread: Thread, id: number): Waiting<Answer> | undefined => {
    thread.tasks--
    const found = waiting.get(id)
    waiting.delete(id)
    return found
  }
  const answer = async (worker: Worker, id: number, question: unknown): Promise<void> => {
    const message: ToThread = { kind: 'reply', id, reply: undefined, error: undefined }
    try {
      worker.postMessage({ ...message, reply: await onQuestion?.(question) } satisfies ToThread)
    } catch (error) {
      worker.postMessage({ ...message, error: toPlainError(error) } satisfies ToThread)
    }
  }
  const start = (): Thread => {
    const worker = takeWorker(file, youngMib)
    worker.postMessage({ kind: 'start', settings, abortFlag } satisfies ToThread)
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    const thread: Thread = { worker, ended, tasks: 0, isEnding: false, hasFinished: false }
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'event') onEvent?.(message.event as Event)
      else if (message.kind === 'answer') settle(thread, message.id)?.resolve(message.answer as Answer)
      else if (message.kind === 'question') void answer(worker, message.id, message.question)
      else if (message.kind === 'refusal') settle(thread, message.id)?.reject(fromPlainError(message.error))
      else {
        thread.hasFinished = true
        if (message.error !== undefined) fail(fromPlainError(message.error))
      }
    })
    worker.on('error', fail)
    worker.on('exit', () => {
      if (!thread.hasFinished) fail(new HoldfastError('FAILED', 'a thread ended before its work was done'))
    })
    return thread
  }
  const threads = Array.from({ length: count }, start)
  const end = async (): Promise<void> => {
    for (const thread of threads) {
      if (!thread.isEnding) thread.worker.postMessage({ kind: 'finish' } satisfies ToThread)
      thread.isEnding = true
    }
    await Promise.all(threads.map((thread) => thread.ended))
  }

  return {
    count,
    async run(task, transfer = []) {
      if (failure !== undefined) throw failure.error
      const thread = threads.reduce((least, one) => (one.tasks < least.tasks ? one : least))
      const id = nextId++
      thread.tasks++
      // No race with a promise that stays open: it would keep every answer until the end.
      return await new Promise<Answer>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        thread.worker.postMessage({ kind: 'task', id, task } satisfies ToThread, transfer as ArrayBuffer[])
      })
    },
    async finish() {
      await end()
      if (failure !== undefined) throw failure.error
    },
    async close() {
      signal?.removeEventListener('abort', abort)
      abort()
      // Never `terminate`: a thread that is stopped inside LMDB takes the process with it.
      await end()
    },
  }
}
