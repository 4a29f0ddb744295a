import {
  decodeValue,
  encodeValue,
  Fields,
  parseSessionId,
  type SessionId,
  toHex,
  type Value,
} from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { CHUNK_ROW_BYTES, MAXIMUM_BLOCK_BYTES, MAXIMUM_BLOCK_CHUNKS, type Method, methods } from './block.ts'

/** Sealed blocks take a whole multiple of this in a pack, so that a range that was read tells little. */
export const BLOCK_ALIGNMENT_BYTES = 4096
/** Most bytes of a pack: the target may be 1 GiB, and the last block and the footer come on top. */
export const MAXIMUM_PACK_BYTES: number = 1.25 * 1024 * 1024 * 1024
/** Most blocks in a pack: their number has 16 bits in the client index. */
export const MAXIMUM_PACK_BLOCKS = 65_535

/** One block as footers and index files list it. */
export interface BlockEntry {
  /** Bytes of the sealed block in the pack, tag and padding included. */
  readonly storedBytes: number
  readonly payloadBytes: number
  readonly plainBytes: number
  readonly method: number
  /** n rows of CHUNK_ROW_BYTES in plaintext order; a view. */
  readonly chunks: Uint8Array
}

export interface PackFooter {
  /** The session that wrote the pack. */
  readonly session: SessionId
  readonly blocks: readonly BlockEntry[]
}

/** The record of one block: stored bytes, payload bytes, method, chunk table. */
export function blockValue(block: BlockEntry): Value {
  return [block.storedBytes, block.payloadBytes, block.method, block.chunks]
}

/** @throws HoldfastError DAMAGED when any bound of docs/format.md is broken */
export function parseBlock(value: Value): BlockEntry {
  const fields = new Fields(value, 'block', 4)
  const storedBytes = fields.uint(0)
  const payloadBytes = fields.uint(1, MAXIMUM_BLOCK_BYTES)
  const method = fields.uint(2, methods.zstd)
  const chunks = fields.bytes(3, MAXIMUM_BLOCK_CHUNKS * CHUNK_ROW_BYTES)
  if (chunks.length === 0 || chunks.length % CHUNK_ROW_BYTES !== 0) throw invalid('its chunk table is cut')
  if (storedBytes !== storedBlockBytes(payloadBytes)) throw invalid('its stored length is wrong')
  const view = new DataView(chunks.buffer, chunks.byteOffset, chunks.length)
  let plainBytes = 0
  for (let at = ID_OFFSET; at < chunks.length; at += CHUNK_ROW_BYTES) {
    const lengthBytes = view.getUint32(at, true)
    if (lengthBytes === 0) throw invalid('it lists a chunk of no bytes')
    plainBytes += lengthBytes
    if (plainBytes > MAXIMUM_BLOCK_BYTES) throw invalid('it is too large')
  }
  if (method === methods.stored && payloadBytes !== plainBytes) throw invalid('its lengths disagree')
  return { storedBytes, payloadBytes, plainBytes, method: method as Method, chunks }
}

const ID_OFFSET = 32

/** Bytes a payload takes in a pack: with the tag, up to the next multiple of 4 KiB. */
export function storedBlockBytes(payloadBytes: number): number {
  return Math.ceil((payloadBytes + 16) / BLOCK_ALIGNMENT_BYTES) * BLOCK_ALIGNMENT_BYTES
}

export function encodeFooter(footer: PackFooter): Buffer {
  return encodeValue([Buffer.from(footer.session, 'hex'), footer.blocks.map(blockValue)])
}

/** @throws HoldfastError DAMAGED */
export function decodeFooter(bytes: Uint8Array): PackFooter {
  const fields = new Fields(decodeValue(bytes), 'pack footer', 2)
  const session = parseSessionId(toHex(fields.exactBytes(0, 16)))
  if (session === undefined) throw invalid('its session is not valid')
  return { session, blocks: fields.array(1, MAXIMUM_PACK_BLOCKS).map(parseBlock) }
}

function invalid(problem: string): HoldfastError {
  return new HoldfastError('DAMAGED', `a block is listed wrongly: ${problem}`)
}
