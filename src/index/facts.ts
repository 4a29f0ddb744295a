import { HEADER_BYTES } from '../crypto/index.ts'
import type { FileId, SessionId } from '../encoding/index.ts'

/** One block of a pack, in the order of the pack; blocks follow each other from FIRST_BLOCK_OFFSET. */
export interface BlockFacts {
  /** Bytes of the sealed block in the pack, tag and padding included. */
  readonly storedBytes: number
  readonly payloadBytes: number
  readonly plainBytes: number
  /** How the payload holds the plaintext: the pack's own number for it, one byte. */
  readonly method: number
  /** n rows of CHUNK_ROW_BYTES in plaintext order: 32-byte id, length as u32 little-endian. Borrowed. */
  readonly chunks: Uint8Array
}

export type PackKind = 'data' | 'tree'

/** The fact "this pack holds these chunks". */
export interface PackFacts {
  readonly id: FileId
  readonly kind: PackKind
  readonly sizeBytes: number
  /** The session that wrote the pack. */
  readonly session: SessionId
  /** Of its header: 32 bytes, in memory of their own. */
  readonly salt: Uint8Array
  readonly blocks: readonly BlockFacts[]
}

/** What one index file says. Facts only grow: nothing said once is ever untrue later. */
export interface IndexFacts {
  readonly packs: readonly PackFacts[]
  /** Packs that are no good copies any more, for ever; also packs no index file lists. */
  readonly condemned: readonly FileId[]
  /** Index files whose facts this one repeats, so that they may go. */
  readonly replaces: readonly FileId[]
}

/** Offset of a pack's first block, in bytes. */
export const FIRST_BLOCK_OFFSET: number = HEADER_BYTES
/** Bytes of one row of a block's chunk table. */
export const CHUNK_ROW_BYTES = 36
/** Most blocks of a pack: a block's number has 16 bits. */
export const MAXIMUM_BLOCKS = 0x1_0000
