import { createKeyedHasher, type KeyedHasher, type Subkeys } from '../crypto/index.ts'
import { ID_BYTES, toHex } from '../encoding/index.ts'
import { CHUNK_ROW_BYTES, createBlockScratch, createPackOpener } from '../pack/index.ts'
import type { PackKind } from './layout.ts'
import { problemOf } from './stored-problem.ts'

/** The subkeys that opening blocks and naming chunks take. */
export interface BlockCheckKeys {
  readonly files: Pick<Subkeys['files'], PackKind>
  readonly dataIds: Uint8Array
  readonly treeIds: Uint8Array
}

/** Neighbouring blocks of one pack, as plain data that can be given to another thread. */
export interface BlockRange {
  readonly kind: PackKind
  /** The beginning of the pack, at least its header; checked before. */
  readonly header: Uint8Array
  /** Stored bytes; memory of its own, never pooled. */
  readonly bytes: Uint8Array
  /** Chunk tables of the blocks, one after the other; memory of its own. */
  readonly rows: Uint8Array
  readonly blocks: readonly BlockInRange[]
}

interface BlockInRange {
  readonly number: number
  /** In `BlockRange.bytes`. */
  readonly offsetBytes: number
  readonly storedBytes: number
  readonly payloadBytes: number
  readonly plainBytes: number
  readonly method: number
  /** Of its chunk table in `BlockRange.rows`. */
  readonly rowsBytes: number
}

/** What is wrong with each block of a range, a sentence; undefined for one whose every chunk is what its id says. */
export type BlockFindings = readonly (string | undefined)[]

/** Checks ranges one after the other: each block's tag and compression, each chunk against its id. Memory: one block. */
export function createBlockChecker(keys: BlockCheckKeys): (range: BlockRange) => BlockFindings {
  const scratch = createBlockScratch()
  const hashers: Record<PackKind, KeyedHasher> = {
    data: createKeyedHasher(keys.dataIds),
    tree: createKeyedHasher(keys.treeIds),
  }
  return ({ kind, header, bytes, rows, blocks }) => {
    const opener = createPackOpener(kind, keys.files[kind], header)
    let rowsAt = 0
    return blocks.map((block) => {
      const sealed = bytes.subarray(block.offsetBytes, block.offsetBytes + block.storedBytes)
      const table = rows.subarray(rowsAt, rowsAt + block.rowsBytes)
      rowsAt += block.rowsBytes
      let plain: Buffer
      try {
        plain = scratch.open(opener, block, sealed)
      } catch (error) {
        return problemOf(error)
      }
      return checkChunks(hashers[kind], plain, table)
    })
  }
}

function checkChunks(hasher: KeyedHasher, plain: Buffer, rows: Uint8Array): string | undefined {
  const view = new DataView(rows.buffer, rows.byteOffset, rows.length)
  // Ids are compared as digits: a buffer for each hash costs more than hashing a small chunk.
  const digits = toHex(rows)
  let offsetBytes = 0
  for (let at = 0; at < rows.length; at += CHUNK_ROW_BYTES) {
    const end = offsetBytes + view.getUint32(at + ID_BYTES, true)
    const isSame =
      end <= plain.length && digits.startsWith(hasher.hashHex(plain.subarray(offsetBytes, end)), at * 2)
    if (!isSame) return `chunk ${digits.slice(at * 2, (at + ID_BYTES) * 2)} is not what its id says`
    offsetBytes = end
  }
  return undefined
}
