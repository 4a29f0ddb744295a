import type { Zstd } from '../compression/index.ts'
import type { ChunkId } from '../encoding/index.ts'

/** How a block's payload holds its plaintext. The numbers are stored. */
export const methods = { stored: 0, zstd: 1 } as const
export type Method = (typeof methods)[keyof typeof methods]

/** Bytes of one row of a block's chunk table: id (32), length as u32 little-endian (4). */
export const CHUNK_ROW_BYTES = 36
/** Most plaintext bytes in a block, and so in a chunk. */
export const MAXIMUM_BLOCK_BYTES: number = 16 * 1024 * 1024
/** Most chunks in a block. */
export const MAXIMUM_BLOCK_CHUNKS = 65_535

/** A block ready to be sealed: its payload, and the chunks that lie end to end in its plaintext. */
export interface PlainBlock {
  readonly method: Method
  readonly payload: Uint8Array
  readonly plainBytes: number
  /** n rows of CHUNK_ROW_BYTES in plaintext order. */
  readonly chunks: Uint8Array
  /** Called once when the payload is not needed any more. */
  readonly release?: (() => void) | undefined
}

/** Collects consecutive chunks until a block is full. One per thread and kind; its buffers are reused. */
export interface BlockBuilder {
  /** True when this chunk would push a block that holds something already past its target. */
  isFullFor(lengthBytes: number): boolean
  /** Copy one chunk in. At most MAXIMUM_BLOCK_BYTES; call `take` first when `isFullFor` says so. */
  add(id: ChunkId, bytes: Uint8Array): void
  /**
   * Close the block; undefined when it is empty. The result is owned by the caller.
   *
   * @param allocate memory for the payload, of exactly so many bytes
   */
  take(allocate?: (lengthBytes: number) => Uint8Array): PlainBlock | undefined
}

/** Sample size by which input that did not compress before is tried again. */
const PROBE_BYTES = 32 * 1024
/**
 * After a block that keeps more than this share of its bytes, the search of levels up to `QUICK_LEVEL` is cut short:
 * it would find five times less for its time than elsewhere (docs/adr/0005).
 */
const POOR_SHARE = 0.6
const QUICK_LEVEL = 3
const FASTEST_LEVEL = 1

/**
 * @param targetBytes plaintext after which a block closes
 * @param level zstd level 1 to 19, or 0 to store as it is
 */
export function createBlockBuilder(zstd: Zstd, targetBytes: number, level: number): BlockBuilder {
  let plain = Buffer.alloc(0)
  let rows = Buffer.allocUnsafe(256 * CHUNK_ROW_BYTES)
  let length = 0
  let count = 0
  /** Payload by plaintext of the last block. Neighbours are alike. */
  let lastShare = 0

  const compress = (bytes: Uint8Array): Uint8Array | undefined => {
    if (level === 0) return undefined
    if (lastShare === 1 && bytes.length > 4 * PROBE_BYTES) {
      const from = (bytes.length - PROBE_BYTES) >> 1
      const probe = zstd.compressBorrowed(bytes.subarray(from, from + PROBE_BYTES), FASTEST_LEVEL)
      if (probe === undefined || probe.length > PROBE_BYTES * 0.97) return undefined
    }
    const isCutShort = lastShare > POOR_SHARE && level <= QUICK_LEVEL
    const frame = zstd.compressBorrowed(bytes, isCutShort ? FASTEST_LEVEL : level)
    // A frame that saves less than 1 % costs every reader more than it saves.
    return frame !== undefined && frame.length < bytes.length * 0.99 ? frame : undefined
  }

  return {
    isFullFor(lengthBytes) {
      return count > 0 && (length + lengthBytes > targetBytes || count >= MAXIMUM_BLOCK_CHUNKS)
    },
    add(id, bytes) {
      if (length + bytes.length > plain.length) {
        if (length + bytes.length > MAXIMUM_BLOCK_BYTES) throw new Error('a block cannot hold this chunk')
        const grown = Buffer.allocUnsafe(Math.max(targetBytes, length + bytes.length))
        plain.copy(grown, 0, 0, length)
        plain = grown
      }
      if ((count + 1) * CHUNK_ROW_BYTES > rows.length) {
        const grown = Buffer.allocUnsafe(rows.length * 2)
        rows.copy(grown)
        rows = grown
      }
      plain.set(bytes, length)
      rows.set(id, count * CHUNK_ROW_BYTES)
      rows.writeUInt32LE(bytes.length, count * CHUNK_ROW_BYTES + 32)
      length += bytes.length
      count++
    },
    take(allocate = (lengthBytes) => Buffer.allocUnsafeSlow(lengthBytes)) {
      if (count === 0) return undefined
      const bytes = plain.subarray(0, length)
      const frame = compress(bytes)
      lastShare = frame === undefined ? 1 : frame.length / bytes.length
      const payload = allocate((frame ?? bytes).length)
      payload.set(frame ?? bytes)
      const block: PlainBlock = {
        method: frame === undefined ? methods.stored : methods.zstd,
        payload,
        plainBytes: length,
        chunks: Uint8Array.prototype.slice.call(rows, 0, count * CHUNK_ROW_BYTES),
      }
      length = 0
      count = 0
      if (plain.length > targetBytes) plain = Buffer.allocUnsafe(targetBytes)
      return block
    },
  }
}
