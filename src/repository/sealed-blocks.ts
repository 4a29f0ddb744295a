import { createKeyedHasher, type FileOpener, type KeyedHasher } from '../crypto/index.ts'
import { type FileId, ID_BYTES, toHex } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { BlockPlace } from '../index/index.ts'
import { type BlockShape, createBlockScratch, createPackOpener, MAXIMUM_BLOCK_BYTES } from '../pack/index.ts'
import type { PackKind } from './layout.ts'

/** Blocks of one pack as they are stored: plain data, for a thread to open. */
export interface SealedBlocks {
  readonly kind: PackKind
  readonly pack: FileId
  /** What gives the pack's key. */
  readonly salt: Uint8Array
  readonly blocks: readonly SealedBlock[]
  /** What was read. */
  readonly stretches: readonly Uint8Array[]
}

export interface SealedBlock extends BlockShape {
  /** In `stretches`; -1 for a block that could not be read. */
  readonly stretch: number
  /** Where it begins there. */
  readonly offsetBytes: number
  readonly storedBytes: number
}

/** @param stretch in `SealedBlocks.stretches`, or -1 @param startBytes where the stretch begins in the pack */
export function sealedBlock(place: BlockPlace, stretch: number, startBytes: number): SealedBlock {
  const { number, offsetBytes, storedBytes, payloadBytes, plainBytes, method } = place
  return {
    number,
    storedBytes,
    payloadBytes,
    plainBytes,
    method,
    stretch,
    offsetBytes: offsetBytes - startBytes,
  }
}

/** Subkeys of one kind of packs; see `Subkeys`. */
export interface BlockKeys {
  readonly files: Uint8Array
  readonly ids: Uint8Array
}

/** Opens blocks in a thread. */
export interface BlockOpener {
  /**
   * The plaintext of a block, in the beginning of `target`. Chunks are still to be checked.
   *
   * @param target at least `plainBytes` of the block long
   * @throws HoldfastError DAMAGED
   */
  open(sealed: SealedBlocks, block: SealedBlock, target: Buffer): Buffer
  /** Whether these bytes are the chunk of this id. */
  isChunk(bytes: Uint8Array, ids: Uint8Array, idOffset: number): boolean
}

const OPENERS = 256

export function createBlockOpener({ files, ids }: BlockKeys): BlockOpener {
  const openers = new Map<FileId, FileOpener>()
  const hasher: KeyedHasher = createKeyedHasher(ids)
  const scratch = createBlockScratch()
  const openerOf = ({ kind, pack, salt }: SealedBlocks): FileOpener => {
    const known = openers.get(pack)
    if (known !== undefined) return known
    const opener = createPackOpener(kind, files, salt)
    if (openers.size >= OPENERS) openers.clear()
    openers.set(pack, opener)
    return opener
  }
  return {
    open(sealed, block, target) {
      const stretch = sealed.stretches[block.stretch]
      if (stretch === undefined) throw new HoldfastError('DAMAGED', 'a block could not be read')
      if (block.plainBytes > MAXIMUM_BLOCK_BYTES) {
        throw new HoldfastError('DAMAGED', 'a block is longer than blocks can be')
      }
      const stored = stretch.subarray(block.offsetBytes, block.offsetBytes + block.storedBytes)
      return scratch.open(openerOf(sealed), block, stored, target)
    },
    isChunk: (bytes, all, idOffset) =>
      hasher.hashHex(bytes) === toHex(all.subarray(idOffset, idOffset + ID_BYTES)),
  }
}
