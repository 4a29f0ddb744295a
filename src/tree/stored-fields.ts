import { isUtf8 } from 'node:buffer'
import { HoldfastError } from '../errors/index.ts'

/**
 * The fields of stored nodes where they lie: each function takes the place of a field's first byte, and `after…` gives
 * the place after it. They take the shortest forms alone, which every writer uses (docs/format.md, "Values"), and
 * throw `unusual` for anything else, the end of the bytes included.
 */
export const unusual: Error = new Error('a stored value in another form')

/** Most UTF-16 units of a text in a node. */
const MAXIMUM_TEXT_UNITS = 4096

export function arrayCount(bytes: Uint8Array, at: number): number {
  const head = bytes[at]!
  if ((head & 0xf0) === 0x90) return head & 0x0f
  if (head === 0xdc) return (bytes[at + 1]! << 8) | bytes[at + 2]!
  if (head !== 0xdd) throw unusual
  return uint32At(bytes, at + 1)
}

/** After the head of an array, which `arrayCount` took. */
export function afterArrayHead(bytes: Uint8Array, at: number): number {
  const head = bytes[at]
  return head === 0xdc ? at + 3 : head === 0xdd ? at + 5 : at + 1
}

/** An integer from 0 to 2^32 - 1. */
export function uintAt(bytes: Uint8Array, at: number): number {
  const head = bytes[at]!
  if (head < 0x80) return head
  if (head === 0xcc) return bytes[at + 1]!
  if (head === 0xcd) return (bytes[at + 1]! << 8) | bytes[at + 2]!
  if (head !== 0xce) throw unusual
  return uint32At(bytes, at + 1)
}

function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

export function afterUint(bytes: Uint8Array, at: number): number {
  const head = bytes[at]!
  if (head < 0x80) return at + 1
  if (head === 0xcc) return at + 2
  if (head === 0xcd) return at + 3
  if (head === 0xce) return at + 5
  throw unusual
}

/** After an integer of 64 bits. */
export function afterWide(bytes: Uint8Array, at: number): number {
  const head = bytes[at]
  if (head !== 0xd3 && head !== 0xcf) throw unusual
  return at + 9
}

/** The same for one that is 0 or above. */
export function afterSize(bytes: Uint8Array, at: number): number {
  const head = bytes[at]
  if (head !== 0xcf && !(head === 0xd3 && bytes[at + 1]! < 0x80)) throw unusual
  return at + 9
}

/** Where the bytes of a byte string begin. */
export function bytesStart(bytes: Uint8Array, at: number): number {
  const head = bytes[at]
  if (head === 0xc4) return at + 2
  if (head === 0xc5) return at + 3
  if (head === 0xc6) return at + 5
  throw unusual
}

export function afterBytes(bytes: Uint8Array, at: number): number {
  const head = bytes[at]
  if (head === 0xc4) return at + 2 + bytes[at + 1]!
  if (head === 0xc5) return at + 3 + ((bytes[at + 1]! << 8) | bytes[at + 2]!)
  if (head === 0xc6) return at + 5 + uint32At(bytes, at + 1)
  throw unusual
}

/** Where the bytes of a text begin. */
export function textStart(bytes: Uint8Array, at: number): number {
  const head = bytes[at]!
  if ((head & 0xe0) === 0xa0) return at + 1
  if (head === 0xd9) return at + 2
  if (head === 0xda) return at + 3
  throw unusual
}

/** After a text, which is looked through: UTF-8 of bounded length. */
export function afterText(bytes: Uint8Array, at: number): number {
  const head = bytes[at]!
  const start = textStart(bytes, at)
  const length =
    head < 0xc0 ? head & 0x1f : head === 0xd9 ? bytes[at + 1]! : (bytes[at + 1]! << 8) | bytes[at + 2]!
  const end = start + length
  if (end > bytes.length) throw unusual
  let isAscii = length <= MAXIMUM_TEXT_UNITS
  for (let index = start; isAscii && index < end; index++) isAscii = bytes[index]! < 0x80
  if (!isAscii) checkText(bytes.subarray(start, end))
  return end
}

function checkText(bytes: Uint8Array): void {
  if (!isUtf8(bytes)) throw new HoldfastError('DAMAGED', 'a text is not UTF-8')
  if (Buffer.from(bytes).toString('utf8').length > MAXIMUM_TEXT_UNITS) {
    throw new HoldfastError('DAMAGED', `a text has more than ${MAXIMUM_TEXT_UNITS} characters`)
  }
}
