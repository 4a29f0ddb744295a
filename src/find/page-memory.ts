import type { ChunkId } from '../encoding/index.ts'

const WORDS = 4
const SLOTS = 1 << 18
const STATE_FACTOR = 0x9e3779b1

/**
 * Remembers pages by 16 bytes of their ids, each for a state of the patterns. It has room for so many pages and
 * forgets one where another needs its place; it never remembers what it was not told.
 */
export interface PageMemory {
  add(id: ChunkId, state: number): void
  has(id: ChunkId, state: number): boolean
}

export function createPageMemory(slots: number = SLOTS): PageMemory {
  const words = new Uint32Array(slots * WORDS)
  const wordOf = (id: ChunkId, word: number): number => {
    const at = word * 4
    return (id[at]! | (id[at + 1]! << 8) | (id[at + 2]! << 16) | (id[at + 3]! << 24)) >>> 0
  }
  // Ids are random, so that one of their own words is as good as any hash.
  const placeOf = (id: ChunkId, mark: number): number => ((wordOf(id, WORDS) ^ mark) & (slots - 1)) * WORDS
  const markOf = (state: number): number => Math.imul(state, STATE_FACTOR) >>> 0
  return {
    add(id, state) {
      const mark = markOf(state)
      const place = placeOf(id, mark)
      words[place] = wordOf(id, 0) ^ mark
      for (let word = 1; word < WORDS; word++) words[place + word] = wordOf(id, word)
    },
    has(id, state) {
      const mark = markOf(state)
      const place = placeOf(id, mark)
      if (words[place] !== (wordOf(id, 0) ^ mark) >>> 0) return false
      for (let word = 1; word < WORDS; word++) if (words[place + word] !== wordOf(id, word)) return false
      return true
    },
  }
}
