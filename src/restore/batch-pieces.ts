import { HoldfastError } from '../errors/index.ts'
import type { BlockOpener, LocalBlocks } from '../repository/worker.ts'
import { type BatchTask, FILE_FIELDS, PIECE_FIELDS, pieceFields } from './batch.ts'

const KEPT_BYTES = 4 * 1024 * 1024
const ID_BYTES = 32

/** The plaintexts of a batch's blocks, with memory that the next batch uses again. */
export class OpenBlocks {
  private readonly opener: BlockOpener
  private readonly local: LocalBlocks | undefined
  private scratch = Buffer.alloc(0)

  /** @param local needed where tasks come without what was read */
  constructor(opener: BlockOpener, local: LocalBlocks | undefined) {
    this.opener = opener
    this.local = local
  }

  /** By block; undefined where one could not be read or is damaged. */
  open({ blocks }: BatchTask): (Buffer | undefined)[] {
    const sealed = 'places' in blocks ? this.local!.read(blocks.places) : blocks
    const neededBytes = sealed.blocks.reduce((sum, block) => sum + block.plainBytes, 0)
    // A long block is the only one of its batch: what it took is given back.
    if (this.scratch.length < neededBytes || this.scratch.length > 4 * neededBytes + KEPT_BYTES) {
      this.scratch = Buffer.allocUnsafeSlow(Math.max(neededBytes, KEPT_BYTES))
    }
    let at = 0
    return sealed.blocks.map((block) => {
      const room = this.scratch.subarray(at, at + block.plainBytes)
      at += block.plainBytes
      try {
        return this.opener.open(sealed, block, room)
      } catch (error) {
        if (error instanceof HoldfastError) return undefined
        throw error
      }
    })
  }

  /** For each piece 1 when the bytes have its id, else 0. A chunk wanted several times is hashed once. */
  check({ pieces, ids }: BatchTask, plains: readonly (Buffer | undefined)[]): Uint8Array {
    const count = pieces.length / PIECE_FIELDS
    const isSound = new Uint8Array(count)
    const pieceAt = new Map<number, number>()
    let lastBlock = -1
    for (let piece = 0; piece < count; piece++) {
      const at = piece * PIECE_FIELDS
      const block = pieces[at + pieceFields.block]!
      const offset = pieces[at + pieceFields.offset]!
      const end = offset + pieces[at + pieceFields.length]!
      if (block !== lastBlock) pieceAt.clear()
      lastBlock = block
      const known = pieceAt.get(offset)
      if (known !== undefined && isSameChunk(pieces, ids, known, piece)) {
        isSound[piece] = isSound[known]!
        continue
      }
      pieceAt.set(offset, piece)
      const plain = plains[block]
      if (plain === undefined || end > plain.length) continue
      if (this.opener.isChunk(plain.subarray(offset, end), ids, piece * ID_BYTES)) isSound[piece] = 1
    }
    return isSound
  }
}

function isSameChunk(pieces: Float64Array, ids: Uint8Array, left: number, right: number): boolean {
  const length = pieceFields.length
  if (pieces[left * PIECE_FIELDS + length] !== pieces[right * PIECE_FIELDS + length]) return false
  for (let byte = 0; byte < ID_BYTES; byte++) {
    if (ids[left * ID_BYTES + byte] !== ids[right * ID_BYTES + byte]) return false
  }
  return true
}

/** Pieces sorted by file: those of file `n` are `order[starts[n]]` up to, not including, `order[starts[n + 1]]`. */
export function piecesByFile({ files, pieces }: Pick<BatchTask, 'files' | 'pieces'>): {
  readonly starts: Int32Array
  readonly order: Int32Array
} {
  const count = pieces.length / PIECE_FIELDS
  const starts = new Int32Array(files.length / FILE_FIELDS + 1)
  const order = new Int32Array(count)
  for (let piece = 0; piece < count; piece++) starts[pieces[piece * PIECE_FIELDS + pieceFields.file]! + 1]!++
  for (let file = 1; file < starts.length; file++) starts[file]! += starts[file - 1]!
  const next = starts.slice()
  for (let piece = 0; piece < count; piece++) {
    order[next[pieces[piece * PIECE_FIELDS + pieceFields.file]!]!++] = piece
  }
  return { starts, order }
}
