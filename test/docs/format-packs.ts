/** Packs, written from docs/format.md alone: imports nothing of the program, and takes its numbers from the page. */
import { DCtx } from 'zstd-napi/binding.js'
import { limitOf } from './format-page.ts'
import {
  chunkIdOf,
  HEADER_BYTES,
  kinds,
  opener,
  type Pack,
  record,
  split,
  subkey,
  unpad,
} from './format-sealed.ts'
import { damaged, decode, type Value } from './format-values.ts'

const ROW_BYTES = limitOf('row of a chunk table, bytes')
const ALIGNMENT_BYTES = limitOf('block alignment, bytes')
const FOOTER_NUMBER = 0xffffffff

export interface Block {
  readonly offsetBytes: number
  readonly storedBytes: number
  readonly payloadBytes: number
  readonly method: number
  readonly chunks: readonly { readonly id: Buffer; readonly lengthBytes: number }[]
}

/** The blocks of block records, which lie end to end from the header on. */
export function readBlocks(values: Value | undefined): Block[] {
  let offsetBytes = HEADER_BYTES
  if (!Array.isArray(values)) throw damaged('no list of blocks')
  return values.map((value) => {
    const [storedBytes, payloadBytes, method, table] = record(value, 4) as [number, number, number, Buffer]
    const chunks = split(table, ROW_BYTES).map((row) => ({
      id: row.subarray(0, 32),
      lengthBytes: row.readUInt32LE(32),
    }))
    const plainBytes = chunks.reduce((sum, chunk) => sum + chunk.lengthBytes, 0)
    const isValid =
      chunks.length > 0 &&
      chunks.length <= limitOf('chunks in a block') &&
      Math.max(plainBytes, payloadBytes) <= limitOf('plaintext of a block, bytes') &&
      storedBytes === Math.ceil((payloadBytes + 16) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES &&
      (method === 1 || (method === 0 && payloadBytes === plainBytes))
    if (!isValid) throw damaged('a block is listed wrongly')
    offsetBytes += storedBytes
    return { offsetBytes: offsetBytes - storedBytes, storedBytes, payloadBytes, method, chunks }
  })
}

export interface OpenedPack {
  readonly kind: Pack
  readonly footerPlaintext: Buffer
  readonly session: Buffer
  readonly blocks: readonly Block[]
  /** A block's payload, and the plaintext of its chunks. */
  open(block: Block): { readonly payload: Buffer; readonly chunks: readonly Buffer[] }
}

/** Open a pack that is whole in memory: everything comes from its footer. */
export function openPack(file: Buffer, masterKey: Uint8Array): OpenedPack {
  const kind = file[9] === kinds.data ? 'data' : 'tree'
  const open = opener(kind, file, subkey(masterKey, `holdfast file ${kind}`), Buffer.alloc(0))
  const footerBytes = file.readUInt32LE(file.length - 4)
  if (footerBytes > limitOf('sealed footer, bytes') || footerBytes + HEADER_BYTES + 4 > file.length) {
    throw damaged('a trailer is wrong')
  }
  const footerPlaintext = open(FOOTER_NUMBER, file.subarray(file.length - 4 - footerBytes, -4))
  const [session, list] = record(decode(unpad(footerPlaintext)), 2)
  const blocks = readBlocks(list)
  const blocksBytes = blocks.reduce((sum, block) => sum + block.storedBytes, 0)
  if (HEADER_BYTES + blocksBytes + footerBytes + 4 !== file.length) throw damaged('sizes do not add up')
  return {
    kind,
    footerPlaintext,
    session: session as Buffer,
    blocks,
    open(block) {
      const sealed = file.subarray(block.offsetBytes, block.offsetBytes + block.storedBytes)
      const payload = open(blocks.indexOf(block), sealed).subarray(0, block.payloadBytes)
      const plain = Buffer.alloc(block.chunks.reduce((sum, chunk) => sum + chunk.lengthBytes, 0))
      if (block.method === 0) payload.copy(plain)
      else if (new DCtx().decompress(plain, payload) !== plain.length)
        throw damaged('a frame has a wrong length')
      let at = 0
      const chunks = block.chunks.map(({ id, lengthBytes }) => {
        const bytes = plain.subarray(at, at + lengthBytes)
        at += lengthBytes
        if (!chunkIdOf(masterKey, kind, bytes).equals(id)) throw damaged('a chunk has another id')
        return bytes
      })
      return { payload, chunks }
    },
  }
}
