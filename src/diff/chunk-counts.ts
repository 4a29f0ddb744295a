import { type ChunkId, toHex } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'

/** Chunks and their plaintext. */
export interface ChunkTotals {
  dataChunks: number
  treeChunks: number
  bytes: number
}

type Kind = 'data' | 'tree'

/** Who needs a chunk, as bits. Only who needs it alone has added or removed it. */
export const BEFORE = 1
export const AFTER = 2
const SHARED = 4

export type Side = typeof BEFORE | typeof AFTER

/** Counts the chunks that only one of two sides needs, each once. Memory: a byte for each chunk of the repository. */
export interface ChunkCounts {
  readonly added: Readonly<ChunkTotals>
  readonly removed: Readonly<ChunkTotals>
  /** @returns true when this side did not have it */
  add(side: Side, kind: Kind, id: ChunkId): boolean
  /** Both sides have it. @returns true when that was not known */
  addShared(kind: Kind, id: ChunkId): boolean
  /** @throws HoldfastError FAILED when the index was rebuilt meanwhile: chunks then have other numbers */
  check(): void
}

export function createChunkCounts(repository: Repository): ChunkCounts {
  const { index } = repository
  const [removed, added] = [nothing(), nothing()]
  let needs = new Uint8Array(index.chunkNumbers + 1)
  /** Chunks that no index file names. They count without bytes: finding them lost is not the task here. */
  const unknown = new Map<string, number>()
  const { generation } = index

  const count = (need: number, kind: Kind, lengthBytes: number, sign: 1 | -1): void => {
    if (need !== BEFORE && need !== AFTER) return
    const totals = need === BEFORE ? removed : added
    if (kind === 'data') totals.dataChunks += sign
    else totals.treeChunks += sign
    totals.bytes += sign * lengthBytes
  }
  const change = (kind: Kind, lengthBytes: number, old: number, need: number): void => {
    count(old, kind, lengthBytes, -1)
    count(need, kind, lengthBytes, 1)
  }
  const put = (bit: number, kind: Kind, id: ChunkId): boolean => {
    const measured = index.look(id)
    if (measured === undefined) {
      const name = toHex(id)
      const old = unknown.get(name) ?? 0
      unknown.set(name, old | bit)
      if ((old & bit) === 0) change(kind, 0, old, old | bit)
      return (old & bit) === 0
    }
    const { number, lengthBytes } = measured
    if (number >= needs.length) {
      const grown = new Uint8Array(Math.max(number + 1, needs.length * 2))
      grown.set(needs)
      needs = grown
    }
    const old = needs[number]!
    if ((old & bit) !== 0) return false
    needs[number] = old | bit
    change(kind, lengthBytes, old, old | bit)
    return true
  }
  return {
    added,
    removed,
    add: put,
    addShared: (kind, id) => put(SHARED, kind, id),
    check() {
      if (index.generation === generation) return
      throw new HoldfastError('FAILED', 'the local index was rebuilt meanwhile', {
        hint: 'run the command again',
      })
    },
  }
}

function nothing(): ChunkTotals {
  return { dataChunks: 0, treeChunks: 0, bytes: 0 }
}
