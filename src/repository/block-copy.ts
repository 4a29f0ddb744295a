import { loadZstd } from '../compression/index.ts'
import { createKeyedHasher } from '../crypto/index.ts'
import { chunkId, ID_BYTES } from '../encoding/index.ts'
import { DamagedError } from '../errors/index.ts'
import {
  type BlockBuilder,
  CHUNK_ROW_BYTES,
  createBlockBuilder,
  createBlockScratch,
  createPackOpener,
  type Method,
  type PlainBlock,
} from '../pack/index.ts'
import { type BlockCheckKeys, findWrongChunk } from './block-check.ts'
import type { BlockInRange, BlockRange } from './block-range.ts'
import { fileName, type PackKind } from './layout.ts'
import { DATA_BLOCK_BYTES, TREE_BLOCK_BYTES, TREE_LEVEL } from './run-writer.ts'
import { withFileName } from './sealed-value.ts'

/** A range of which chunks are to be stored anew. */
export interface CopyRange extends BlockRange {
  /** A byte for each row of `rows`: 1 for a chunk that is wanted. */
  readonly wanted: Uint8Array
}

export interface BlockCopyOptions {
  readonly keys: BlockCheckKeys
  /** zstd level of data blocks that are put together anew, 0 to store them as they are. */
  readonly compressionLevel: number
  /** Memory for a block's payload. */
  readonly allocate: (lengthBytes: number) => Uint8Array
  /** Gets every block, and owns it. */
  readonly addBlock: (kind: PackKind, block: PlainBlock) => void
}

/** Takes wanted chunks out of stored blocks and makes blocks of them. */
export interface BlockCopier {
  /** @throws DamagedError when a block that is wanted cannot be opened, or a wanted chunk is not what its id says */
  copy(range: CopyRange): void
  /** Hand on the open blocks. */
  flush(): void
}

/**
 * Blocks that are wanted whole keep their payload, so that nothing is compressed again; of others, and of those that are
 * small, the wanted chunks go into new blocks in the old order. Memory: one block, and an open one of each kind.
 */
export function createBlockCopier(options: BlockCopyOptions): BlockCopier {
  const { keys, allocate, addBlock } = options
  const scratch = createBlockScratch()
  const hashers = { data: createKeyedHasher(keys.dataIds), tree: createKeyedHasher(keys.treeIds) }
  const builders: Record<PackKind, BlockBuilder> = {
    data: createBlockBuilder(loadZstd(), DATA_BLOCK_BYTES, options.compressionLevel),
    tree: createBlockBuilder(loadZstd(), TREE_BLOCK_BYTES, TREE_LEVEL),
  }
  const closeBlock = (kind: PackKind): void => {
    const block = builders[kind].take(allocate)
    if (block !== undefined) addBlock(kind, block)
  }
  const keepBlock = (kind: PackKind, block: BlockInRange, rows: Uint8Array): void => {
    const { method, plainBytes, payloadBytes } = block
    const payload = allocate(payloadBytes)
    payload.set(scratch.payload())
    const chunks = Uint8Array.prototype.slice.call(rows)
    addBlock(kind, { method: method as Method, payload, plainBytes, chunks })
  }
  const addChunks = (kind: PackKind, plain: Buffer, rows: Uint8Array, wanted: Uint8Array): void => {
    const builder = builders[kind]
    const view = new DataView(rows.buffer, rows.byteOffset, rows.length)
    let from = 0
    for (let at = 0, row = 0; at < rows.length; at += CHUNK_ROW_BYTES, row++) {
      const end = from + view.getUint32(at + ID_BYTES, true)
      if (wanted[row] === 1) {
        if (builder.isFullFor(end - from)) closeBlock(kind)
        builder.add(chunkId(rows.subarray(at, at + ID_BYTES)), plain.subarray(from, end))
      }
      from = end
    }
  }

  return {
    copy({ kind, pack, salt, bytes, rows: allRows, blocks, wanted: allWanted }) {
      const name = fileName(kind, pack)
      const target = kind === 'data' ? DATA_BLOCK_BYTES : TREE_BLOCK_BYTES
      let rowsAt = 0
      let wantedAt = 0
      try {
        const opener = createPackOpener(kind, keys.files[kind], salt)
        for (const block of blocks) {
          const rows = allRows.subarray(rowsAt, rowsAt + block.rowsBytes)
          rowsAt += block.rowsBytes
          const wanted = allWanted.subarray(wantedAt, rowsAt / CHUNK_ROW_BYTES)
          wantedAt = rowsAt / CHUNK_ROW_BYTES
          const sealed = bytes.subarray(block.offsetBytes, block.offsetBytes + block.storedBytes)
          const plain = scratch.open(opener, block, sealed)
          if (findWrongChunk(hashers[kind], plain, rows, wanted) !== undefined) {
            throw new DamagedError(name, 'a chunk is not what its id says')
          }
          const isWhole = !wanted.includes(0)
          if (isWhole && block.plainBytes * 2 >= target) keepBlock(kind, block, rows)
          else addChunks(kind, plain, rows, wanted)
        }
      } catch (error) {
        throw withFileName(name, error)
      }
    },
    flush() {
      closeBlock('data')
      closeBlock('tree')
    },
  }
}
