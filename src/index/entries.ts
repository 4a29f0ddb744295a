import type { BlockFacts } from './facts.ts'
import { CHUNK_ROW_BYTES } from './facts.ts'
import { HOME_BYTES } from './rows.ts'

/** One copy of one chunk: its id, then its home as the chunk's row has it. */
export const ENTRY_BYTES: number = 32 + HOME_BYTES
/** Most entries in memory: 12 MiB. Their places fit the 18 low bits of a sort key. */
export const MAXIMUM_ENTRIES = 262_144

/** Entries of one run, in memory. */
export interface EntryBuffer {
  readonly count: number
  /** Entries end to end, in the order they were added. */
  readonly bytes: Buffer
  /**
   * Add the chunks of a block from row `from` on.
   * @returns the first row that did not fit; the number of rows when all did
   */
  addBlock(pack: number, blockNumber: number, block: BlockFacts, from: BlockCursor): BlockCursor
  /** Write the pack numbers that stand for the ones given to `addBlock`. */
  renumber(numbers: readonly number[]): void
  /** Places of the entries in the order of their ids. */
  sort(): Uint32Array
  /** The entries at these places, in this order. */
  inOrder(order: Uint32Array): EntryCursor
  clear(): void
}

/** Goes through entries; stands before the first. What it shows is valid until the next step. */
export interface EntryCursor {
  /** The entry is at `at` of `bytes`. */
  readonly bytes: Uint8Array
  readonly at: number
  /** Go to the next entry; false at the end. */
  next(): boolean
}

/** How far a block's chunks were added. */
export interface BlockCursor {
  readonly row: number
  /** Of that row, in the block's plaintext. */
  readonly offsetBytes: number
}

export const blockStart: BlockCursor = { row: 0, offsetBytes: 0 }

/** @param capacity most entries, at most MAXIMUM_ENTRIES; space is taken as it is needed */
export function createEntryBuffer(capacity: number): EntryBuffer {
  let bytes = Buffer.allocUnsafeSlow(Math.min(1024, capacity) * ENTRY_BYTES)
  let count = 0
  const grow = (entries: number) => {
    const wanted = Math.min(capacity, Math.max(entries, (bytes.length / ENTRY_BYTES) * 2))
    const larger = Buffer.allocUnsafeSlow(wanted * ENTRY_BYTES)
    bytes.copy(larger, 0, 0, count * ENTRY_BYTES)
    bytes = larger
  }
  return {
    get count() {
      return count
    },
    get bytes() {
      return bytes.subarray(0, count * ENTRY_BYTES)
    },
    addBlock(pack, blockNumber, block, from) {
      const { chunks } = block
      const rows = chunks.length / CHUNK_ROW_BYTES
      const last = Math.min(rows, from.row + capacity - count)
      if ((count + last - from.row) * ENTRY_BYTES > bytes.length) grow(count + last - from.row)
      let { offsetBytes } = from
      for (let row = from.row; row < last; row++) {
        const source = row * CHUNK_ROW_BYTES
        const at = count++ * ENTRY_BYTES
        copyBytes(chunks, source, bytes, at, 32)
        const lengthBytes =
          (chunks[source + 32]! |
            (chunks[source + 33]! << 8) |
            (chunks[source + 34]! << 16) |
            (chunks[source + 35]! << 24)) >>>
          0
        bytes.writeUInt32LE(pack, at + 32)
        bytes.writeUInt16LE(blockNumber, at + 36)
        bytes.writeUInt32LE(offsetBytes, at + 38)
        bytes.writeUInt32LE(lengthBytes, at + 42)
        offsetBytes += lengthBytes
      }
      return { row: last, offsetBytes }
    },
    renumber(numbers) {
      for (let at = 32; at < count * ENTRY_BYTES; at += ENTRY_BYTES) {
        bytes.writeUInt32LE(numbers[bytes.readUInt32LE(at)]!, at)
      }
    },
    sort: () => sortEntries(bytes, count),
    inOrder(order) {
      let rank = 0
      return {
        bytes,
        at: 0,
        next() {
          if (rank === order.length) return false
          this.at = order[rank++]! * ENTRY_BYTES
          return true
        },
      } as { -readonly [Name in keyof EntryCursor]: EntryCursor[Name] }
    },
    clear() {
      count = 0
    },
  }
}

/** A loop, since a native call costs more than a few bytes. */
export function copyBytes(
  from: Uint8Array,
  fromAt: number,
  to: Uint8Array,
  toAt: number,
  length: number,
): void {
  for (let place = 0; place < length; place++) to[toAt + place] = from[fromAt + place]!
}

/** The order of two ids in buffers of entries. */
export function compareIds(left: Buffer, leftAt: number, right: Buffer, rightAt: number): number {
  return left.compare(right, rightAt, rightAt + 32, leftAt, leftAt + 32)
}

/**
 * Sorting numbers made of 35 bits of id and the place is many times faster than comparing ids; the few
 * neighbours with equal prefixes are put right afterwards.
 */
function sortEntries(bytes: Buffer, count: number): Uint32Array {
  const keys = new Float64Array(count)
  for (let place = 0; place < count; place++) {
    const at = place * ENTRY_BYTES
    const prefix = bytes.readUInt32BE(at) * 8 + (bytes[at + 4]! >>> 5)
    keys[place] = prefix * MAXIMUM_ENTRIES + place
  }
  keys.sort()
  const order = new Uint32Array(count)
  for (let rank = 0; rank < count; rank++) {
    const place = keys[rank]! % MAXIMUM_ENTRIES
    let to = rank
    for (; to > 0; to--) {
      const before = order[to - 1]!
      if (compareIds(bytes, before * ENTRY_BYTES, bytes, place * ENTRY_BYTES) <= 0) break
      order[to] = before
    }
    order[to] = place
  }
  return order
}
