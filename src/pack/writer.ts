import {
  createHasher,
  createSealer,
  type FileKind,
  type FileSealer,
  type Hasher,
  HEADER_BYTES,
  saltOf,
  TAG_BYTES,
} from '../crypto/index.ts'
import { type FileId, type SessionId, toHex } from '../encoding/index.ts'
import type { PlainBlock } from './block.ts'
import { type BlockEntry, encodeFooter, MAXIMUM_PACK_BLOCKS, storedBlockBytes } from './footer.ts'
import { padContent, padmeBytes } from './padding.ts'

/** Where a pack's bytes go, in order. */
interface ByteSink {
  append(bytes: Uint8Array): Promise<void>
}

export interface FinishedPack {
  /** BLAKE3-256 of the pack's bytes. */
  readonly id: FileId
  readonly sizeBytes: number
  /** Of its header; memory of its own. */
  readonly salt: Uint8Array
  readonly blocks: readonly BlockEntry[]
}

const EMPTY = Buffer.alloc(0)
const NO_BYTES = EMPTY
/** Where blocks are sealed one after the other; empty while one is written. */
let sealedScratch: Buffer = NO_BYTES
const FOOTER_STEP_BYTES = 512
/**
 * Chunk tables after which a pack is full: what lists it is encoded, sealed and taken in as a whole, by writers and readers.
 * With one block more and 32 MiB of padding it is far from what readers refuse.
 */
const FULL_TABLE_BYTES = 4 * 1024 * 1024

/** Writes one pack: blocks one after the other, then the footer. Not durable until its sink says so. */
export class PackWriter {
  private readonly sealer: FileSealer
  private readonly hasher: Hasher = createHasher()
  private readonly blocks: BlockEntry[] = []
  private readonly kind: FileKind
  private readonly sink: ByteSink
  private readonly session: SessionId
  private offsetBytes = 0
  private tableBytes = 0

  constructor(kind: FileKind & ('data' | 'tree'), subkey: Uint8Array, session: SessionId, sink: ByteSink) {
    this.sealer = createSealer(kind, subkey, EMPTY)
    this.kind = kind
    this.session = session
    this.sink = sink
  }

  /** Bytes written so far, without a footer. */
  get sizeBytes(): number {
    return this.offsetBytes
  }

  /** True when one more block could make a footer that readers refuse. */
  get isFull(): boolean {
    return this.blocks.length >= MAXIMUM_PACK_BLOCKS || this.tableBytes >= FULL_TABLE_BYTES
  }

  /** Seal and append one block. The block may be reused when the promise resolves. */
  async append(block: PlainBlock): Promise<void> {
    if (this.offsetBytes === 0) await this.write(this.sealer.header)
    const storedBytes = storedBlockBytes(block.payload.length)
    if (sealedScratch.length < storedBytes) sealedScratch = Buffer.allocUnsafeSlow(storedBytes)
    // Two packs may be written at once.
    const scratch = sealedScratch
    sealedScratch = NO_BYTES
    await this.write(this.sealer.sealPadded(block.payload, storedBytes - TAG_BYTES, scratch))
    sealedScratch = scratch
    this.blocks.push({
      storedBytes,
      payloadBytes: block.payload.length,
      plainBytes: block.plainBytes,
      method: block.method,
      chunks: Uint8Array.prototype.slice.call(block.chunks),
    })
    this.tableBytes += block.chunks.length
  }

  /**
   * Append the footer and its length.
   *
   * @param hideSize pad the whole pack to a PADMÉ length: for the last packs of a run, whose size would tell
   *   how much has changed
   */
  async finish(hideSize: boolean): Promise<FinishedPack> {
    if (this.blocks.length === 0) throw new Error('a pack has at least one block')
    const footer = encodeFooter({ session: this.session, blocks: this.blocks })
    const least = Math.ceil((footer.length + 4) / FOOTER_STEP_BYTES) * FOOTER_STEP_BYTES
    const around = this.offsetBytes + TAG_BYTES + 4
    const footerBytes = hideSize ? padmeBytes(around + least) - around : least
    // Sealed where it lies: a footer takes megabytes where chunks are tiny.
    const sealed = Buffer.alloc(footerBytes + TAG_BYTES)
    this.sealer.sealFooter(padContent(footer, sealed.subarray(0, footerBytes)), sealed)
    const trailer = Buffer.alloc(4)
    trailer.writeUInt32LE(sealed.length, 0)
    await this.write(sealed)
    await this.write(trailer)
    return {
      id: toHex(this.hasher.digest()) as FileId,
      sizeBytes: this.offsetBytes,
      salt: saltOf(this.kind, this.sealer.header),
      blocks: this.blocks,
    }
  }

  private async write(bytes: Uint8Array): Promise<void> {
    this.hasher.update(bytes)
    this.offsetBytes += bytes.length
    await this.sink.append(bytes)
  }
}

/** Offset of a pack's first block. */
export const FIRST_BLOCK_OFFSET: number = HEADER_BYTES
