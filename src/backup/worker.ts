import type { ChunkId } from '../encoding/index.ts'
import { capabilities } from '../filesystem/index.ts'
import {
  loadThreadStore,
  openThreadStore,
  type PackKind,
  type PlainBlock,
  type ThreadStoreSettings,
} from '../repository/worker.ts'
import { serveThread } from '../threads/index.ts'
import { createScanJob, type JobSettings } from './scan-job.ts'
import type { ScanTask, TaskAnswer } from './scan-task.ts'

/** What a scanning thread is started with. */
export interface WorkerSettings extends JobSettings {
  readonly store: ThreadStoreSettings
}

/** A block on its way to the main thread. */
export interface BlockEvent {
  readonly packKind: PackKind
  readonly block: PlainBlock
}

/** Pieces of files read with one view of the index. */
const PIECES_A_VIEW = 16

serveThread<WorkerSettings, ScanTask, TaskAnswer, BlockEvent>((settings, { isAborted, emit, ask }) => {
  const store = openThreadStore(
    settings.store,
    (packKind, block) => emit({ packKind, block }, ownMemory([block.payload, block.chunks])),
    isAborted,
  )
  const job = createScanJob({ settings, store, isAborted })
  return {
    async run(task) {
      store.renew()
      const steps = job.run(task)
      let reply: Buffer | undefined
      try {
        for (let pieces = 1; ; ) {
          const step = steps.next(reply)
          if (step.done) return step.value
          reply = undefined
          if (step.value !== undefined)
            reply = store.readTree(step.value) ?? (await askForTree(ask, step.value))
          else if (pieces++ % PIECES_A_VIEW === 0) store.renew()
        }
      } finally {
        // Closes the file where the run ends in the middle of one.
        steps.return(undefined as never)
      }
    },
    transferOf(answer) {
      if (answer.kind === 'segment') return []
      const memory = answer.parts.flatMap((part) => (part.kind === 'entries' ? [part.bytes, part.table] : []))
      return ownMemory(memory)
    },
    finish() {
      job.flush()
      store.flush()
    },
    close: () => store.close(),
  }
}, load)

function load(): void {
  loadThreadStore()
  capabilities()
}

/** The main thread knows of other copies. */
async function askForTree(
  ask: (question: unknown) => Promise<unknown>,
  id: ChunkId,
): Promise<Buffer | undefined> {
  const bytes = (await ask(Uint8Array.prototype.slice.call(id))) as Uint8Array | undefined
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Memory of its own moves to the main thread instead of being copied. */
function ownMemory(arrays: readonly (Uint8Array | Uint32Array)[]): ArrayBuffer[] {
  return arrays
    .map((array) => array.buffer)
    .filter(
      (buffer, index) => buffer instanceof ArrayBuffer && buffer.byteLength === arrays[index]!.byteLength,
    ) as ArrayBuffer[]
}
