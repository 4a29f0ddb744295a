import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

/** Started threads that no run has taken yet, by what they were started with. */
const waiting = new Map<string, Worker[]>()

/**
 * Start threads before it is known what they are to do: they load their file, and what it says it needs, meanwhile.
 * The next run that starts threads of the same file, with as much room, takes them. Nobody has to: those that wait do
 * not keep the process alive, and one that breaks is forgotten.
 */
export function startAhead(file: URL, count: number, youngMib: number): void {
  const key = keyOf(file, youngMib)
  const workers = waiting.get(key) ?? []
  waiting.set(key, workers)
  for (let n = 0; n < count; n++) {
    const worker = startWorker(file, youngMib)
    const forget = (): void => {
      const at = workers.indexOf(worker)
      if (at >= 0) workers.splice(at, 1)
    }
    worker.on('error', forget).on('exit', forget)
    worker.unref()
    workers.push(worker)
  }
}

/** A thread that waits, or a new one. Without listeners. */
export function takeWorker(file: URL, youngMib: number): Worker {
  const worker = waiting.get(keyOf(file, youngMib))?.shift()
  if (worker === undefined) return startWorker(file, youngMib)
  worker.removeAllListeners()
  worker.ref()
  return worker
}

/** @param youngMib room for new objects */
function startWorker(file: URL, youngMib: number): Worker {
  const loaded = new SharedArrayBuffer(4)
  const workerData: WorkerStart = { loaded }
  const worker = new Worker(file, { workerData, resourceLimits: { maxYoungGenerationSizeMb: youngMib } })
  loads.set(worker, new Int32Array(loaded))
  return worker
}

/** What every thread is started with. */
export interface WorkerStart {
  /** One word: 1 once its file and what that needs are loaded. */
  readonly loaded: SharedArrayBuffer
}

const loads = new WeakMap<Worker, Int32Array>()
const LOOK_MS = 5
/** A thread that has not loaded by then never will. */
const PATIENCE_MS = 10_000

/** End a thread, but not while it loads: a native library whose loading is broken off ends the process by SIGABRT. */
async function endWorker(worker: Worker): Promise<void> {
  const loaded = loads.get(worker)
  let hasEnded = false
  worker.once('exit', () => {
    hasEnded = true
  })
  for (let waitedMs = 0; waitedMs < PATIENCE_MS && !hasEnded; waitedMs += LOOK_MS) {
    if (loaded === undefined || Atomics.load(loaded, 0) === 1) break
    await setTimeout(LOOK_MS)
  }
  await worker.terminate()
}

/** End the threads that nobody has taken. To be called before the process ends. */
export async function endWaiting(): Promise<void> {
  const workers = [...waiting.values()].flat()
  waiting.clear()
  await Promise.all(workers.map(endWorker))
}

function keyOf(file: URL, youngMib: number): string {
  return `${youngMib} ${file.href}`
}
