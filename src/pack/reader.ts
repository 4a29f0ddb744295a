import { loadZstd } from '../compression/index.ts'
import {
  createSaltOpener,
  type FileKind,
  type FileOpener,
  FOOTER_NUMBER,
  HEADER_BYTES,
  TAG_BYTES,
} from '../crypto/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { type Method, methods } from './block.ts'
import { decodeFooter, type PackFooter } from './footer.ts'
import { unpadContent } from './padding.ts'

/** Reads exactly this range of the pack. */
type ReadRange = (offsetBytes: number, lengthBytes: number) => Promise<Buffer>

/** What is needed to open one block. */
export interface BlockShape {
  readonly number: number
  readonly payloadBytes: number
  readonly plainBytes: number
  readonly method: number
}

const EMPTY = Buffer.alloc(0)
const TRAILER_BYTES = 4
/** Read at the end in one go: most footers fit. */
const FOOTER_GUESS_BYTES = 64 * 1024
/** About 36 bytes for each chunk; 64 MiB would be 1.8 million chunks in one pack. */
const MAXIMUM_FOOTER_BYTES = 64 * 1024 * 1024

/** @param salt of the pack's header, which index files have too */
export function createPackOpener(
  kind: FileKind & ('data' | 'tree'),
  subkey: Uint8Array,
  salt: Uint8Array,
): FileOpener {
  return createSaltOpener(kind, salt, subkey, EMPTY)
}

/** An opened block: its payload as it was stored, and the plaintext; the same memory for a stored payload. */
export interface OpenedBlock {
  readonly payload: Buffer
  readonly plain: Buffer
}

/**
 * Open one sealed block: authenticate, cut the padding, decompress into exactly the stated length.
 *
 * @returns memory owned by the caller; chunk ids are still to be checked
 * @throws HoldfastError DAMAGED
 */
export function openBlock(opener: FileOpener, shape: BlockShape, sealed: Uint8Array): OpenedBlock {
  const payload = opener.open(shape.number, sealed).subarray(0, shape.payloadBytes)
  return { payload, plain: expandPayload(shape.method as Method, payload, shape.plainBytes) }
}

/** Opens blocks in memory that is used again. */
export interface BlockScratch {
  /**
   * As `openBlock`.
   *
   * @param target at least `plainBytes` long; default: memory of the scratch, valid until the next call
   * @returns the plaintext: the beginning of the target
   * @throws HoldfastError DAMAGED
   */
  open(opener: FileOpener, shape: BlockShape, sealed: Uint8Array, target?: Buffer): Buffer
  /** The payload of the block that was opened last; memory of the scratch, valid until the next call of `open`. */
  payload(): Buffer
}

/** Memory: the largest block opened, sealed and plain. */
export function createBlockScratch(): BlockScratch {
  let sealedMemory = EMPTY
  let plainMemory = EMPTY
  let payload: Buffer = EMPTY
  const room = (lengthBytes: number): Buffer => {
    if (plainMemory.length < lengthBytes) plainMemory = Buffer.allocUnsafeSlow(lengthBytes)
    return plainMemory
  }
  return {
    open(opener, shape, sealed, target) {
      if (sealedMemory.length < sealed.length) sealedMemory = Buffer.allocUnsafeSlow(sealed.length)
      payload = opener.openInto(shape.number, sealed, sealedMemory).subarray(0, shape.payloadBytes)
      const isStored = shape.method !== methods.zstd
      const stored = isStored ? expandPayload(shape.method as Method, payload, shape.plainBytes) : undefined
      if (stored !== undefined && target === undefined) return stored
      const plain = (target ?? room(shape.plainBytes)).subarray(0, shape.plainBytes)
      if (stored === undefined) loadZstd().decompressInto(payload, plain)
      else stored.copy(plain)
      return plain
    },
    payload: () => payload,
  }
}

/** The plaintext of a payload. @throws HoldfastError DAMAGED */
export function expandPayload(method: Method, payload: Buffer, plainBytes: number): Buffer {
  if (method === methods.zstd) return loadZstd().decompress(payload, plainBytes)
  if (payload.length !== plainBytes)
    throw new HoldfastError('DAMAGED', 'a block has another length than stated')
  return payload
}

/**
 * Read and check a pack's footer.
 *
 * @param sizeBytes of the whole pack
 * @throws HoldfastError DAMAGED when it is not authentic or does not fit the pack's size
 */
export async function readFooter(
  opener: FileOpener,
  sizeBytes: number,
  readRange: ReadRange,
): Promise<PackFooter> {
  const least = HEADER_BYTES + TAG_BYTES + TRAILER_BYTES
  if (sizeBytes < least) throw new HoldfastError('DAMAGED', 'the pack is too short')
  const tailBytes = Math.min(FOOTER_GUESS_BYTES, sizeBytes - HEADER_BYTES)
  const tail = await readRange(sizeBytes - tailBytes, tailBytes)
  const sealedBytes = tail.readUInt32LE(tail.length - TRAILER_BYTES)
  if (sealedBytes > MAXIMUM_FOOTER_BYTES || sealedBytes + HEADER_BYTES + TRAILER_BYTES > sizeBytes) {
    throw new HoldfastError('DAMAGED', 'the pack states a wrong footer length')
  }
  const end = tail.length - TRAILER_BYTES
  const sealed =
    sealedBytes <= end
      ? tail.subarray(end - sealedBytes, end)
      : await readRange(sizeBytes - TRAILER_BYTES - sealedBytes, sealedBytes)
  const footer = decodeFooter(unpadContent(opener.open(FOOTER_NUMBER, sealed)))
  const blocksBytes = footer.blocks.reduce((sum, block) => sum + block.storedBytes, 0)
  if (HEADER_BYTES + blocksBytes + sealedBytes + TRAILER_BYTES !== sizeBytes) {
    throw new HoldfastError('DAMAGED', "the pack's size does not fit its footer")
  }
  return footer
}
