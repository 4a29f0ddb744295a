import { isUtf8 } from 'node:buffer'
import { createRequire } from 'node:module'
import type { Packr as PackrType } from 'msgpackr'
import { HoldfastError } from '../errors/index.ts'

/**
 * What a stored value is made of. Numbers are integers of at most 32 bits, written in the fewest bytes;
 * a bigint is always 9 bytes (int64, uint64 above 2^63). No maps, floats or extensions.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array | readonly Value[]

/** Deepest nesting of arrays in a stored value. */
const MAXIMUM_DEPTH = 8

let packr: PackrType | undefined

function codec(): PackrType {
  if (packr === undefined) {
    // Its native part takes longer to load than it saves: long texts are rare here.
    process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED = 'true'
    const { Packr } = createRequire(import.meta.url)('msgpackr') as typeof import('msgpackr')
    packr = new Packr({ useRecords: false, mapsAsObjects: false, int64AsType: 'bigint', copyBuffers: false })
  }
  return packr
}

/**
 * Encode a value: MessagePack, the same bytes for the same value on every machine, since hashes of encoded
 * values are ids. The result is owned by the caller. Throws a plain Error, a programmer's, for what
 * `decodeValue` would refuse: nothing is stored that cannot be read back.
 */
export function encodeValue(value: Value): Buffer {
  const bytes = Buffer.from(codec().pack(value))
  const problem = findProblem(bytes)
  if (problem !== undefined) throw new Error(`this value cannot be stored: ${problem}`)
  return bytes
}

/**
 * Decode one value that fills `bytes` exactly. Byte strings are views into `bytes`.
 * Everything is checked before anything is allocated: types, nesting, counts, the exact end.
 *
 * @throws HoldfastError DAMAGED when the bytes are not such a value.
 */
export function decodeValue(bytes: Uint8Array): Value {
  const problem = findProblem(bytes)
  if (problem !== undefined) throw new HoldfastError('DAMAGED', `not a valid stored value: ${problem}`)
  return codec().unpack(bytes) as Value
}

/** Walk the encoding once without building anything: what keeps it from being one allowed value with an exact end. */
function findProblem(bytes: Uint8Array): string | undefined {
  const end = bytes.length
  const remaining: number[] = [1]
  let at = 0
  while (remaining.length > 0) {
    const open = remaining.length - 1
    if (remaining[open] === 0) {
      remaining.pop()
      continue
    }
    remaining[open]!--
    if (at >= end) return 'it ends early'
    const head = bytes[at++]!
    const size = headSize(head)
    if (size < 0) return `type byte ${head} is not allowed`
    if (at + size > end) return 'it ends early'
    let length = 0
    if (isCounted(head)) for (let index = 0; index < size; index++) length = length * 256 + bytes[at + index]!
    else if (head >= 0x90 && head <= 0x9f) length = head & 0x0f
    else if (head >= 0xa0 && head <= 0xbf) length = head & 0x1f
    at += size
    if ((head >= 0x90 && head <= 0x9f) || head === 0xdc || head === 0xdd) {
      if (length > end - at) return 'an array is longer than what holds it'
      if (remaining.length > MAXIMUM_DEPTH) return 'arrays are nested too deep'
      remaining.push(length)
    } else if (length > 0) {
      if (length > end - at) return 'a string is longer than what holds it'
      // msgpackr's own reader runs past a text that ends inside a sequence, and out of step with this walk.
      if (isText(head) && !isUtf8(bytes.subarray(at, at + length))) return 'a text is not UTF-8'
      at += length
    }
  }
  return at === end ? undefined : 'bytes follow its end'
}

/** Bytes that follow a type byte before any payload; -1 when the type is not allowed. */
function headSize(head: number): number {
  if (head < 0x80 || head >= 0xe0 || (head >= 0x90 && head <= 0xbf)) return 0
  switch (head) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return 0
    case 0xc4: // bin 8
    case 0xcc: // uint 8
    case 0xd0: // int 8
    case 0xd9: // str 8
      return 1
    case 0xc5:
    case 0xcd:
    case 0xd1:
    case 0xda:
    case 0xdc: // array 16
      return 2
    case 0xc6:
    case 0xce:
    case 0xd2:
    case 0xdb:
    case 0xdd: // array 32
      return 4
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return 8
    default:
      return -1
  }
}

function isText(head: number): boolean {
  return (head >= 0xa0 && head <= 0xbf) || (head >= 0xd9 && head <= 0xdb)
}

/** True for bin, str and array types whose length follows the type byte. */
function isCounted(head: number): boolean {
  return (head >= 0xc4 && head <= 0xc6) || (head >= 0xd9 && head <= 0xdd)
}
