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
  return new Worker(file, { resourceLimits: { maxYoungGenerationSizeMb: youngMib } })
}

function keyOf(file: URL, youngMib: number): string {
  return `${youngMib} ${file.href}`
}
