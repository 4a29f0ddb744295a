/** Values of docs/format.md, "Values", written from that page alone: imports nothing of the program. */
export type Value = null | boolean | number | bigint | string | Buffer | Value[]

/** What a reader must tell apart: docs/format.md, "Errors". */
export class FormatError extends Error {
  readonly code: 'NO_REPOSITORY' | 'WRONG_KEY' | 'DAMAGED' | 'NEWER_FORMAT'

  constructor(code: FormatError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export function damaged(problem: string): FormatError {
  return new FormatError('DAMAGED', problem)
}

const MAXIMUM_DEPTH = 8

/** One piece of an encoding: its bytes, how deep it is, and what it is. Arrays are their heads only. */
export interface Piece {
  readonly bytes: Buffer
  readonly depth: number
  readonly value: Value | 'array'
  readonly count: number
}

/** Decode one value that fills the bytes exactly. `onPiece` hears of every piece in order. */
export function decode(bytes: Buffer, onPiece?: (piece: Piece) => void): Value {
  let at = 0
  const take = (length: number): Buffer => {
    if (length > bytes.length - at) throw damaged('a value ends early')
    at += length
    return bytes.subarray(at - length, at)
  }
  const one = (depth: number): Value => {
    const start = at
    const head = take(1)[0]!
    const told = <Told extends Value>(value: Told): Told => {
      onPiece?.({ bytes: bytes.subarray(start, at), depth, value, count: 0 })
      return value
    }
    const text = (length: number): string => {
      const raw = take(length)
      try {
        return told(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw))
      } catch {
        throw damaged('a text is not UTF-8')
      }
    }
    const array = (count: number): Value[] => {
      if (depth >= MAXIMUM_DEPTH) throw damaged('arrays are nested too deep')
      if (count > bytes.length - at) throw damaged('an array is longer than what holds it')
      onPiece?.({ bytes: bytes.subarray(start, at), depth, value: 'array', count })
      return Array.from({ length: count }, () => one(depth + 1))
    }
    if (head <= 0x7f) return told(head)
    if (head >= 0xe0) return told(head - 0x100)
    if (head >= 0xa0 && head <= 0xbf) return text(head & 0x1f)
    if (head >= 0x90 && head <= 0x9f) return array(head & 0x0f)
    switch (head) {
      case 0xc0:
        return told(null)
      case 0xc2:
        return told(false)
      case 0xc3:
        return told(true)
      case 0xcc:
        return told(take(1).readUInt8())
      case 0xcd:
        return told(take(2).readUInt16BE())
      case 0xce:
        return told(take(4).readUInt32BE())
      case 0xd0:
        return told(take(1).readInt8())
      case 0xd1:
        return told(take(2).readInt16BE())
      case 0xd2:
        return told(take(4).readInt32BE())
      case 0xcf:
        return told(take(8).readBigUInt64BE())
      case 0xd3:
        return told(take(8).readBigInt64BE())
      case 0xc4:
        return told(take(take(1).readUInt8()))
      case 0xc5:
        return told(take(take(2).readUInt16BE()))
      case 0xc6:
        return told(take(take(4).readUInt32BE()))
      case 0xd9:
        return text(take(1).readUInt8())
      case 0xda:
        return text(take(2).readUInt16BE())
      case 0xdb:
        return text(take(4).readUInt32BE())
      case 0xdc:
        return array(take(2).readUInt16BE())
      case 0xdd:
        return array(take(4).readUInt32BE())
      default:
        throw damaged(`first byte ${head} is invalid`)
    }
  }
  const value = one(0)
  if (at !== bytes.length) throw damaged('bytes follow a value')
  return value
}

/** Encode as a writer must: the shortest form of everything. */
export function encode(value: Value): Buffer {
  if (value === null) return Buffer.from([0xc0])
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2])
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(9, value < 2n ** 63n ? 0xd3 : 0xcf)
    bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 1)
    return bytes
  }
  if (typeof value === 'number') return encodeInteger(value)
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    return Buffer.concat([head(bytes.length, 0xa0, 31, [0xd9, 0xda, 0xdb]), bytes])
  }
  if (value instanceof Uint8Array) {
    return Buffer.concat([head(value.length, 0, -1, [0xc4, 0xc5, 0xc6]), value])
  }
  return Buffer.concat([head(value.length, 0x90, 15, [undefined, 0xdc, 0xdd]), ...value.map(encode)])
}

function encodeInteger(value: number): Buffer {
  if (value >= -32 && value <= 127) return Buffer.from([value & 0xff])
  const forms: [number, number, number][] = [
    [0xd0, -(2 ** 7), -1],
    [0xd1, -(2 ** 15), -1],
    [0xd2, -(2 ** 31), -1],
    [0xcc, 0, 2 ** 8 - 1],
    [0xcd, 0, 2 ** 16 - 1],
    [0xce, 0, 2 ** 32 - 1],
  ]
  const [first, least] = forms.find(([, from, to]) => value >= from && value <= to)!
  const size = 1 << ((first - (least < 0 ? 0xd0 : 0xcc)) & 3)
  const bytes = Buffer.alloc(1 + size, first)
  if (least < 0) bytes.writeIntBE(value, 1, size)
  else bytes.writeUIntBE(value, 1, size)
  return bytes
}

/** The head of a sized value: in the first byte up to `inline`, else a size of 1, 2 or 4 bytes behind one of `firsts`. */
function head(size: number, base: number, inline: number, firsts: readonly (number | undefined)[]): Buffer {
  if (size <= inline) return Buffer.from([base | size])
  const form = firsts.findIndex((first, index) => first !== undefined && size < 2 ** (8 << index))
  const bytes = Buffer.alloc(1 + (1 << form), firsts[form]!)
  bytes.writeUIntBE(size, 1, 1 << form)
  return bytes
}
