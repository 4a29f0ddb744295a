import { type ChunkId, type FileId, ID_BYTES } from '../encoding/index.ts'
import type { BlockPlace, ChunkPlace } from '../repository/index.ts'

/** What is wanted of one block. One piece is one chunk for one owner; all lists have one entry a piece. */
export interface BlockWork<Owner> {
  readonly place: BlockPlace
  readonly ids: IdList
  readonly owners: Owner[]
  /** In the block's plaintext. */
  readonly offsets: number[]
  readonly lengths: number[]
  /** Where the chunk goes in what its owner is. */
  readonly destinations: number[]
}

/** Ids one after the other in memory of its own, so that nothing they are read from is kept for them. */
class IdList {
  private bytes = Buffer.allocUnsafeSlow(8 * ID_BYTES)
  private count = 0

  get length(): number {
    return this.count
  }

  add(id: ChunkId): void {
    const end = this.count++ * ID_BYTES
    if (end === this.bytes.length) {
      const longer = Buffer.allocUnsafeSlow(2 * end)
      this.bytes.copy(longer)
      this.bytes = longer
    }
    this.bytes.set(id, end)
  }

  /** A view, good until the next `add`. */
  at(index: number): ChunkId {
    return this.bytes.subarray(index * ID_BYTES, (index + 1) * ID_BYTES) as Uint8Array as ChunkId
  }

  copyTo(target: Uint8Array, targetStart: number, index: number): void {
    this.bytes.copy(target, targetStart, index * ID_BYTES, (index + 1) * ID_BYTES)
  }
}

/** Which chunks of which blocks go where: the reading of one window. Pieces keep the order they come in. */
export class BlockPlan<Owner> {
  private readonly works = new Map<FileId, Map<number, BlockWork<Owner>>>()
  private last: BlockWork<Owner> | undefined
  private pieces = 0
  private plannedBytes = 0

  get pieceCount(): number {
    return this.pieces
  }

  /** Sum of the pieces' lengths. */
  get bytes(): number {
    return this.plannedBytes
  }

  add(id: ChunkId, chunk: ChunkPlace, owner: Owner, destination: number): void {
    const work = this.last?.place === chunk.block ? this.last : this.workFor(chunk.block)
    this.last = work
    work.ids.add(id)
    work.owners.push(owner)
    work.offsets.push(chunk.offsetBytes)
    work.lengths.push(chunk.lengthBytes)
    work.destinations.push(destination)
    this.pieces++
    this.plannedBytes += chunk.lengthBytes
  }

  /** Packs in the order they were first wanted, each with its blocks in order of offset. */
  packs(): BlockWork<Owner>[][] {
    return [...this.works.values()].map((blocks) =>
      [...blocks.values()].sort((left, right) => left.place.number - right.place.number),
    )
  }

  private workFor(place: BlockPlace): BlockWork<Owner> {
    let blocks = this.works.get(place.pack)
    if (blocks === undefined) {
      blocks = new Map()
      this.works.set(place.pack, blocks)
    }
    let work = blocks.get(place.number)
    if (work === undefined) {
      work = { place, ids: new IdList(), owners: [], offsets: [], lengths: [], destinations: [] }
      blocks.set(place.number, work)
    }
    return work
  }
}
