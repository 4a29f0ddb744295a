import { type ChunkId, toHex } from '../encoding/index.ts'
import type { Repository } from '../repository/index.ts'
import { visitTree } from '../tree/index.ts'

/** A set of chunks: one bit for each chunk number of the index, and by name those the index does not know. */
export interface ChunkSet {
  /**
   * @param number of the chunk, for who has looked it up
   * @returns true when it was not in the set
   */
  add(id: ChunkId, number?: number): boolean
  /** @param number of the chunk, for who has looked it up */
  has(id: ChunkId, number?: number): boolean
  hasNumber(number: number): boolean
  /** False once the index was rebuilt: chunks then have other numbers, and the set answers nothing any more. */
  isValid(): boolean
}

export function createChunkSet(repository: Repository): ChunkSet {
  const { index } = repository
  let bits = new Uint8Array((index.chunkNumbers >>> 3) + 1)
  const unknown = new Set<string>()
  const { generation } = index
  return {
    isValid: () => index.generation === generation,
    add(id, knownNumber) {
      const number = knownNumber ?? index.chunkNumber(id)
      if (number === undefined) {
        const name = toHex(id)
        if (unknown.has(name)) return false
        unknown.add(name)
        return true
      }
      // A chunk that was unknown when it came in may have got a number since.
      const wasUnknown = unknown.size > 0 && unknown.delete(toHex(id))
      const at = number >>> 3
      if (at >= bits.length) {
        const grown = new Uint8Array(Math.max(at + 1, bits.length * 2))
        grown.set(bits)
        bits = grown
      }
      const bit = 1 << (number & 7)
      const wasIn = wasUnknown || (bits[at]! & bit) !== 0
      bits[at]! |= bit
      return !wasIn
    },
    has(id, knownNumber) {
      const number = knownNumber ?? index.chunkNumber(id)
      if (number !== undefined && this.hasNumber(number)) return true
      return unknown.size > 0 && unknown.has(toHex(id))
    },
    hasNumber: (number) => ((bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0,
  }
}

/**
 * True when every chunk below a tree has a good copy by the index as it is loaded. A tree that cannot be read
 * counts as not whole.
 */
export async function isTreeWhole(
  repository: Repository,
  tree: ChunkId,
  signal?: AbortSignal,
): Promise<boolean> {
  const seen = createChunkSet(repository)
  let isWhole = true
  await visitTree(
    repository,
    tree,
    {
      enterTree(id) {
        if (!repository.index.has(id)) isWhole = false
        return isWhole && seen.add(id)
      },
      data(ids) {
        isWhole &&= ids.every((id) => repository.index.has(id))
      },
      unreadable() {
        isWhole = false
      },
    },
    signal,
  )
  return isWhole
}
