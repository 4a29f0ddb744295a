import { type Chunker, segmentBytes } from '../chunker/index.ts'
import type { KeyedHasher } from '../crypto/index.ts'
import { type ChunkId, ID_BYTES } from '../encoding/index.ts'

/** What becomes of a chunk: bytes and id are borrowed. */
export type TakeChunk = (id: ChunkId, bytes: Uint8Array) => void

export interface ReadContent {
  /** Ids of the chunks in order, 32 bytes each. */
  readonly ids: Uint8Array
  readonly sizeBytes: number
}

/**
 * Cuts and hashes one stream of bytes that is pushed in or pulled: ids depend on the content alone, not on
 * how it comes. One at a time for each chunker.
 */
export class ContentCutter {
  private readonly chunker: Chunker
  private readonly hasher: KeyedHasher
  private readonly take: TakeChunk
  private ids: Buffer = Buffer.allocUnsafe(64 * ID_BYTES)
  private idsBytes = 0
  private filled = 0
  /** Bytes of the open segment that have come, kept ones included. */
  private segmentFilled = 0
  private segmentOffset = 0
  private startOffset = 0

  constructor(chunker: Chunker, hasher: KeyedHasher, take: TakeChunk) {
    this.chunker = chunker
    this.hasher = hasher
    this.take = take
  }

  /** Where the next bytes go: window[roomStart, roomEnd), never empty. */
  get window(): Uint8Array {
    return this.chunker.window
  }

  get roomStart(): number {
    return this.filled
  }

  get roomEnd(): number {
    return Math.min(this.chunker.window.length, this.filled + segmentBytes - this.segmentFilled)
  }

  /** The content to come is a later part of a file: it starts at a multiple of `segmentBytes`. */
  startAt(offsetBytes: number): void {
    this.segmentOffset = offsetBytes
    this.startOffset = offsetBytes
  }

  /** So many bytes of the room were filled. */
  advance(lengthBytes: number): void {
    this.filled += lengthBytes
    this.segmentFilled += lengthBytes
    if (this.segmentFilled === segmentBytes) this.endSegment()
    else if (this.filled === this.chunker.window.length) this.cut(false)
  }

  /** The end of the content. The cutter is ready for the next one. */
  finish(): ReadContent {
    const sizeBytes = this.segmentOffset + this.segmentFilled - this.startOffset
    if (this.segmentFilled > 0) this.endSegment()
    const ids = Buffer.from(this.ids.subarray(0, this.idsBytes))
    this.reset()
    return { ids, sizeBytes }
  }

  /** Forget an unfinished content. */
  reset(): void {
    this.idsBytes = 0
    this.filled = 0
    this.segmentFilled = 0
    this.segmentOffset = 0
    this.startOffset = 0
  }

  private endSegment(): void {
    this.cut(true)
    this.segmentOffset += this.segmentFilled
    this.segmentFilled = 0
    this.filled = 0
  }

  private cut(last: boolean): void {
    const { chunker } = this
    const count = chunker.cut(this.filled, last, this.segmentOffset)
    let from = 0
    for (let index = 0; index < count; index++) {
      const end = chunker.ends[index]!
      this.addChunk(chunker.window.subarray(from, end))
      from = end
    }
    this.filled = last ? 0 : chunker.keep(from, this.filled)
  }

  private addChunk(bytes: Uint8Array): void {
    if (this.idsBytes + ID_BYTES > this.ids.length) {
      const grown = Buffer.allocUnsafe(this.ids.length * 2)
      this.ids.copy(grown, 0, 0, this.idsBytes)
      this.ids = grown
    }
    this.hasher.hashInto(bytes, this.ids, this.idsBytes)
    const id = this.ids.subarray(this.idsBytes, this.idsBytes + ID_BYTES) as Uint8Array as ChunkId
    this.idsBytes += ID_BYTES
    this.take(id, bytes)
  }
}
