import type { ChunkId } from '../encoding/index.ts'

/**
 * The chunks that this run stores, shared by its threads: whoever reserves an id first must store the chunk,
 * the others refer to it. Fixed size; when it fills up, the older half is forgotten. A forgotten id only
 * stores a chunk twice; an id is never taken for another, all 32 bytes are compared.
 */
export interface RunTable {
  /** True when this caller is the first, and must store the chunk. */
  reserve(id: ChunkId): boolean
  /** True when some caller has reserved it. */
  has(id: ChunkId): boolean
}

/** What a thread needs to open the same table. */
export interface RunTableMemory {
  readonly state: SharedArrayBuffer
  readonly ids: SharedArrayBuffer
}

const ID_BYTES = 32
const PROBES = 32
/** Slot states. A slot being written is skipped by readers that do not wait for it. */
const EMPTY = 0
const WRITING = 1
const FULL = 2
/** Control words before the slots: reserved ids in the newer generation, and which generation that is. */
const COUNT = 0
const NEWER = 1
const CONTROL_WORDS = 2

/**
 * @param slots in each of the two generations, a power of two. Default: more than a run stores between two index files,
 *   after which the index knows what was stored
 */
export function createRunTableMemory(slots: number = 1 << 18): RunTableMemory {
  return {
    state: new SharedArrayBuffer((CONTROL_WORDS + 2 * slots) * 4),
    ids: new SharedArrayBuffer(2 * slots * ID_BYTES),
  }
}

export function openRunTable(memory: RunTableMemory): RunTable {
  const state = new Int32Array(memory.state)
  const words = new Int32Array(memory.ids)
  const slots = (state.length - CONTROL_WORDS) / 2
  const mask = slots - 1
  const limit = Math.floor(slots * 0.6)
  const wanted = new Int32Array(8)
  const wantedBytes = new Uint8Array(wanted.buffer)

  // Words of ids are read and written plainly (calls to Atomics take longer): a slot's state, which is atomic, says
  // when they stand. Where one is written over as the table turns, 32 bytes of two random ids never make a third.
  const sameAt = (slot: number): boolean => {
    for (let word = 0; word < 8; word++) {
      if (words[slot * 8 + word] !== wanted[word]) return false
    }
    return true
  }

  /** Slot state machine of one generation: 'known', 'reserved' here, or 'absent'. */
  const probe = (generation: number, reserve: boolean): 'known' | 'reserved' | 'absent' => {
    const start = (wanted[0]! >>> 0) & mask
    for (let step = 0; step < PROBES; step++) {
      const slot = generation * slots + ((start + step) & mask)
      const at = CONTROL_WORDS + slot
      let now = Atomics.load(state, at)
      if (now === EMPTY) {
        if (!reserve) return 'absent'
        now = Atomics.compareExchange(state, at, EMPTY, WRITING)
        if (now === EMPTY) {
          for (let word = 0; word < 8; word++) words[slot * 8 + word] = wanted[word]!
          Atomics.store(state, at, FULL)
          return 'reserved'
        }
      }
      // Another thread writes 32 bytes here: wait, so that the same id is not reserved twice.
      while (Atomics.load(state, at) === WRITING);
      if (sameAt(slot)) return 'known'
    }
    return 'absent'
  }

  const turnOver = (newer: number): void => {
    // One thread wins the turn; ids reserved meanwhile in the generation it clears are merely forgotten.
    if (Atomics.compareExchange(state, NEWER, newer, 1 - newer) !== newer) return
    Atomics.store(state, COUNT, 0)
    const from = CONTROL_WORDS + (1 - newer) * slots
    for (let at = from; at < from + slots; at++) {
      if (Atomics.load(state, at) === FULL) Atomics.store(state, at, EMPTY)
    }
  }

  return {
    reserve(id) {
      wantedBytes.set(id)
      const newer = Atomics.load(state, NEWER)
      if (probe(1 - newer, false) === 'known') return false
      const found = probe(newer, true)
      if (found === 'known') return false
      if (found === 'reserved' && Atomics.add(state, COUNT, 1) >= limit) turnOver(newer)
      return true
    },
    has(id) {
      wantedBytes.set(id)
      return probe(0, false) === 'known' || probe(1, false) === 'known'
    },
  }
}
