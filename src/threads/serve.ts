import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { WorkerStart } from './ahead.ts'
import { fromPlainError, type PlainError, toPlainError } from './error.ts'

export type ToThread =
  /** Before everything else. The flag is one word; not 0 when the run is aborted. */
  | { readonly kind: 'start'; readonly settings: unknown; readonly abortFlag: SharedArrayBuffer }
  | { readonly kind: 'task'; readonly id: number; readonly task: unknown }
  | {
      readonly kind: 'reply'
      readonly id: number
      readonly reply: unknown
      readonly error: PlainError | undefined
    }
  | { readonly kind: 'finish' }

export type FromThread =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: PlainError }
  | { readonly kind: 'event'; readonly event: unknown }
  | { readonly kind: 'question'; readonly id: number; readonly question: unknown }
  | { readonly kind: 'finished'; readonly error: PlainError | undefined }

/** What a thread's work may ask of the thread it runs in. */
export interface ThreadScene<Event> {
  /** Asked between the steps of long tasks, which then end with INTERRUPTED. */
  readonly isAborted: () => boolean
  /** Tell the run something that answers no task. Buffers in `transfer` are given away. */
  readonly emit: (event: Event, transfer?: readonly ArrayBuffer[]) => void
  /** Ask the run's own thread; see `ThreadsOptions.onQuestion`. @throws what answering threw, with its class */
  readonly ask: (question: unknown) => Promise<unknown>
}

/** The work of one thread: tasks come one at a time, in the order they were given to it. */
export interface ThreadWork<Task, Answer> {
  run(task: Task): Answer | Promise<Answer>
  /** Buffers of an answer that are given away instead of copied. */
  transferOf?(answer: Answer): readonly ArrayBuffer[]
  /** After the last task. Not called when the run is aborted. */
  finish?(): void | Promise<void>
  /** Last of all, however the run ends: give back what the thread holds. */
  close?(): void | Promise<void>
}

/**
 * To be called once by a thread's file. Does nothing where the file is not the start of a thread.
 *
 * @param create makes the thread's work of what the run gives it
 * @param load gets ready what every run needs, which may be before there is one: see `startAhead`
 */
export function serveThread<Settings, Task, Answer, Event = never>(
  create: (settings: Settings, scene: ThreadScene<Event>) => ThreadWork<Task, Answer>,
  load: () => void = () => {},
): void {
  const port = parentPort
  if (port === null) return
  port.once('message', (start: Extract<ToThread, { kind: 'start' }>) => serveRun(port, start, create))
  load()
  markLoaded()
}

/** For `endWorker`. */
function markLoaded(): void {
  const { loaded } = workerData as WorkerStart
  Atomics.store(new Int32Array(loaded), 0, 1)
}

function serveRun<Settings, Task, Answer, Event>(
  port: MessagePort,
  { settings, abortFlag }: Extract<ToThread, { kind: 'start' }>,
  create: (settings: Settings, scene: ThreadScene<Event>) => ThreadWork<Task, Answer>,
): void {
  const flag = new Int32Array(abortFlag)
  const isAborted = (): boolean => Atomics.load(flag, 0) !== 0
  const post = (message: FromThread, transfer: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer as ArrayBuffer[])
  const asking = new Map<number, { resolve: (reply: unknown) => void; reject: (error: unknown) => void }>()
  let nextQuestion = 0
  const work = create(settings as Settings, {
    isAborted,
    emit: (event, transfer) => post({ kind: 'event', event }, transfer),
    ask: (question) =>
      new Promise((resolve, reject) => {
        asking.set(nextQuestion, { resolve, reject })
        post({ kind: 'question', id: nextQuestion++, question })
      }),
  })

  const runTask = async (id: number, task: Task): Promise<void> => {
    try {
      const answer = await work.run(task)
      post({ kind: 'answer', id, answer }, work.transferOf?.(answer))
    } catch (error) {
      post({ kind: 'refusal', id, error: toPlainError(error) })
    }
  }
  const finish = async (): Promise<void> => {
    let failure: PlainError | undefined
    try {
      if (!isAborted()) await work.finish?.()
    } catch (error) {
      failure = toPlainError(error)
    }
    await work.close?.()
    post({ kind: 'finished', error: failure })
    port.close()
  }
  let tail: Promise<void> = Promise.resolve()
  port.on('message', (message: ToThread) => {
    if (message.kind === 'reply') {
      const waiting = asking.get(message.id)
      asking.delete(message.id)
      if (message.error === undefined) waiting?.resolve(message.reply)
      else waiting?.reject(fromPlainError(message.error))
      return
    }
    tail = tail.then(() => (message.kind === 'task' ? runTask(message.id, message.task as Task) : finish()))
  })
}
