import { parentPort, workerData } from 'node:worker_threads'
import {
  openIndexReader,
  openRunTable,
  type PlainBlock,
  type RunTableMemory,
  WriteQueue,
  type WriteQueueMemory,
} from '../repository/worker.ts'
import type { ReadRequest, ReadResult } from './file-reader.ts'
import { createRangeJob, type JobSettings } from './worker-job.ts'

/** What a reading thread is started with. */
export interface WorkerSettings extends JobSettings {
  readonly indexDirectory: string
  readonly cacheCheckKey: Uint8Array
  readonly table: RunTableMemory
  /** Bytes that wait to be written; see `WriteQueue`. */
  readonly queue: WriteQueueMemory
  /** One word; not 0 when the run is aborted. */
  readonly abortFlag: SharedArrayBuffer
}

export type ToWorker =
  | { readonly kind: 'range'; readonly id: number; readonly requests: readonly ReadRequest[] }
  | { readonly kind: 'finish' }

export type FromWorker =
  | { readonly kind: 'block'; readonly block: PlainBlock }
  | { readonly kind: 'range'; readonly id: number; readonly results: readonly ReadResult[] }
  | { readonly kind: 'finished' }

/** Pieces of files read with one view of the index: an old view keeps LMDB from using its pages again. */
const PIECES_A_VIEW = 16

const port = parentPort
if (port !== null) serve(port, workerData as WorkerSettings)

function serve(port: NonNullable<typeof parentPort>, settings: WorkerSettings): void {
  const index = openIndexReader({
    directory: settings.indexDirectory,
    checkKey: Buffer.from(settings.cacheCheckKey),
  })
  const table = openRunTable(settings.table)
  const queue = new WriteQueue(settings.queue)
  const abortFlag = new Int32Array(settings.abortFlag)
  const isAborted = (): boolean => Atomics.load(abortFlag, 0) !== 0
  const post = (message: FromWorker, transfer: ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer)
  const job = createRangeJob({
    ...settings,
    isNew: (id) => !index.has(id) && table.reserve(id),
    emit(block) {
      queue.waitForRoom(isAborted)
      queue.add(block.payload.length)
      post({ kind: 'block', block }, ownMemory(block))
    },
    isAborted,
  })
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'range') {
      index.renew()
      post({ kind: 'range', id: message.id, results: runThrough(job.run(message.requests), index.renew) })
      return
    }
    if (!isAborted()) job.flush()
    void index.close().then(() => {
      post({ kind: 'finished' })
      port.close()
    })
  })
}

/** Without pauses: this thread waits where it hands on blocks. */
function runThrough<Result>(steps: Generator<void, Result>, renew: () => void): Result {
  for (let pieces = 1; ; pieces++) {
    const step = steps.next()
    if (step.done) return step.value
    if (pieces % PIECES_A_VIEW === 0) renew()
  }
}

/** Blocks own their memory, so it moves to the main thread instead of being copied. */
function ownMemory(block: PlainBlock): ArrayBuffer[] {
  return [block.payload, block.chunks]
    .filter((bytes) => bytes.byteLength === bytes.buffer.byteLength)
    .map((bytes) => bytes.buffer as ArrayBuffer)
}
