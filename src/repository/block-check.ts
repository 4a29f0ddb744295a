import { createKeyedHasher, type KeyedHasher, type Subkeys } from '../crypto/index.ts'
import { ID_BYTES, toHex } from '../encoding/index.ts'
import { CHUNK_ROW_BYTES, createBlockScratch, createPackOpener } from '../pack/index.ts'
import type { BlockRange } from './block-range.ts'
import type { PackKind } from './layout.ts'
import { problemOf } from './stored-problem.ts'

/** The subkeys that opening blocks and naming chunks take. */
export interface BlockCheckKeys {
  readonly files: Pick<Subkeys['files'], PackKind>
  readonly dataIds: Uint8Array
  readonly treeIds: Uint8Array
}

/** Plain data, that a thread can be given. */
export function blockCheckKeys({ files, dataIds, treeIds }: Subkeys): BlockCheckKeys {
  return { files: { data: files.data, tree: files.tree }, dataIds, treeIds }
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
  return ({ kind, salt, bytes, rows, blocks }) => {
    const opener = createPackOpener(kind, keys.files[kind], salt)
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
      const wrong = findWrongChunk(hashers[kind], plain, table)
      return wrong && `chunk ${wrong} is not what its id says`
    })
  }
}

/**
 * Look for a chunk that is not what its id says.
 *
 * @param rows of the whole block
 * @param wanted a byte for each row: 1 for a chunk to be looked at; default: all
 * @returns its id, in hex; undefined when there is none
 */
export function findWrongChunk(
  hasher: KeyedHasher,
  plain: Buffer,
  rows: Uint8Array,
  wanted?: Uint8Array,
): string | undefined {
  const view = new DataView(rows.buffer, rows.byteOffset, rows.length)
  // Ids are compared as digits: a buffer for each hash costs more than hashing a small chunk.
  const digits = toHex(rows)
  let from = 0
  for (let at = 0, row = 0; at < rows.length; at += CHUNK_ROW_BYTES, row++) {
    const end = from + view.getUint32(at + ID_BYTES, true)
    const isLookedAt = wanted === undefined || wanted[row] === 1
    if (isLookedAt) {
      const isSame =
        end <= plain.length && digits.startsWith(hasher.hashHex(plain.subarray(from, end)), at * 2)
      if (!isSame) return digits.slice(at * 2, (at + ID_BYTES) * 2)
    }
    from = end
  }
  return undefined
}
