import { DATA_BLOCK_BYTES } from './run-writer.ts'

/** Memory for blocks on their way from one thread to the one that writes; plain data. */
export interface BlockSlotsMemory {
  /** How often one was given back, then one word for each slot: 1 while it is in use. */
  readonly state: SharedArrayBuffer
  readonly bytes: SharedArrayBuffer
}

/**
 * A fixed number of slots, each for one payload: the thread that fills them waits while all are in use, so that nothing is
 * allocated for a block, and no more waits than there are slots.
 */
export interface BlockSlots {
  /** Wait for a slot. @returns its number; undefined when the run is aborted meanwhile */
  take(isAborted: () => boolean): number | undefined
  /** Memory of one slot, of at most `SLOT_BYTES`. */
  payload(slot: number, lengthBytes: number): Uint8Array
  /** Give back the slot that this memory is of; any other is no concern of the slots. */
  release(payload: Uint8Array): void
}

/** Longer payloads are rare: their memory is their own. */
const SLOT_BYTES: number = DATA_BLOCK_BYTES
const CHECK_MS = 100
/** Blocks each thread may have on their way to storage. */
const SLOTS_A_THREAD = 3

/** @param threads how many fill them */
export function createBlockSlotsMemory(threads: number): BlockSlotsMemory {
  const slots = threads * SLOTS_A_THREAD
  return {
    state: new SharedArrayBuffer((1 + slots) * 4),
    bytes: new SharedArrayBuffer(slots * SLOT_BYTES),
  }
}

export function openBlockSlots(memory: BlockSlotsMemory): BlockSlots {
  const state = new Int32Array(memory.state)
  return {
    take(isAborted) {
      for (;;) {
        const released = Atomics.load(state, 0)
        for (let slot = 0; slot < state.length - 1; slot++) {
          if (Atomics.compareExchange(state, 1 + slot, 0, 1) === 0) return slot
        }
        if (isAborted()) return undefined
        Atomics.wait(state, 0, released, CHECK_MS)
      }
    },
    payload: (slot, lengthBytes) => new Uint8Array(memory.bytes, slot * SLOT_BYTES, lengthBytes),
    release(payload) {
      if (!(payload.buffer instanceof SharedArrayBuffer)) return
      Atomics.store(state, 1 + payload.byteOffset / SLOT_BYTES, 0)
      Atomics.add(state, 0, 1)
      Atomics.notify(state, 0)
    },
  }
}

/** Gives memory of slots for payloads; memory of its own for those that are longer than a slot, or once the run is aborted. */
export function createSlotAllocator(
  slots: BlockSlots,
  isAborted: () => boolean,
): (lengthBytes: number) => Uint8Array {
  return (lengthBytes) => {
    const slot = lengthBytes > SLOT_BYTES ? undefined : slots.take(isAborted)
    return slot === undefined ? Buffer.allocUnsafeSlow(lengthBytes) : slots.payload(slot, lengthBytes)
  }
}
