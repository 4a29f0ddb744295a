import { type Chunker, segmentBytes } from '../chunker/index.ts'
import type { KeyedHasher } from '../crypto/index.ts'
import { type ChunkId, ID_BYTES } from '../encoding/index.ts'

/** Fills `target` with the next bytes, at least one; 0 at the end. */
export type ReadInto = (target: Uint8Array) => number

/** What becomes of a chunk: bytes are borrowed, the id is the taker's. */
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

  constructor(chunker: Chunker, hasher: KeyedHasher, take: TakeChunk) {
    this.chunker = chunker
    this.hasher = hasher
    this.take = take
  }

  /** Where the next bytes go: part of the chunker's window, never empty. */
  get room(): Uint8Array {
    const limit = Math.min(this.chunker.window.length, this.filled + segmentBytes - this.segmentFilled)
    return this.chunker.window.subarray(this.filled, limit)
  }

  /** So many bytes of `room` were filled. */
  advance(lengthBytes: number): void {
    this.filled += lengthBytes
    this.segmentFilled += lengthBytes
    if (this.segmentFilled === segmentBytes) this.endSegment()
    else if (this.filled === this.chunker.window.length) this.cut(false)
  }

  /** The end of the content. The cutter is ready for the next one. */
  finish(): ReadContent {
    const sizeBytes = this.segmentOffset + this.segmentFilled
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
    const id = this.hasher.hash(bytes) as Uint8Array as ChunkId
    if (this.idsBytes + ID_BYTES > this.ids.length) {
      const grown = Buffer.allocUnsafe(this.ids.length * 2)
      this.ids.copy(grown, 0, 0, this.idsBytes)
      this.ids = grown
    }
    this.ids.set(id, this.idsBytes)
    this.idsBytes += ID_BYTES
    this.take(id, bytes)
  }
}

/**
 * Cut everything `read` gives, pausing after each piece: who runs this may wait there until there is room for
 * more. The cutter is ready for the next content however this ends.
 */
export function* cutAll(cutter: ContentCutter, read: ReadInto): Generator<void, ReadContent> {
  try {
    for (;;) {
      const length = read(cutter.room)
      if (length === 0) return cutter.finish()
      cutter.advance(length)
      yield
    }
  } finally {
    cutter.reset()
  }
}
