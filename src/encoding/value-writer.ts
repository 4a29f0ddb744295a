const INITIAL_BYTES = 4096
/** A text up to this long is written character by character, while it is ASCII: calls to encode it cost more. */
const SHORT_TEXT = 64

/**
 * Writes stored values one part after the other into one growing buffer: the bytes of `encodeValue`, without
 * building the value first. The caller writes as many parts as each array says.
 */
export class ValueWriter {
  /** What is written is [0, length). Replaced when it grows. */
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  length = 0
  /** Of `bytes`: compiled code writes numbers through it in place, where methods of a Buffer are calls. */
  private view = viewOf(this.bytes)

  array(count: number): void {
    this.reserve(5)
    if (count < 0x10) this.bytes[this.length++] = 0x90 | count
    else this.head(0xdc, count)
  }

  nil(): void {
    this.reserve(1)
    this.bytes[this.length++] = 0xc0
  }

  boolean(value: boolean): void {
    this.reserve(1)
    this.bytes[this.length++] = value ? 0xc3 : 0xc2
  }

  /** An integer of 0 to 2^32 - 1. */
  uint(value: number): void {
    this.reserve(5)
    if (value < 0x80) this.bytes[this.length++] = value
    else if (value < 0x100) {
      this.bytes[this.length++] = 0xcc
      this.bytes[this.length++] = value
    } else if (value < 0x10000) {
      this.bytes[this.length] = 0xcd
      this.view.setUint16(this.length + 1, value)
      this.length += 3
    } else {
      this.bytes[this.length] = 0xce
      this.view.setUint32(this.length + 1, value)
      this.length += 5
    }
  }

  /** An integer of -2^63 to 2^64 - 1. */
  bigint(value: bigint): void {
    this.reserve(9)
    if (value < 0x8000000000000000n) {
      this.bytes[this.length] = 0xd3
      this.view.setBigInt64(this.length + 1, value)
    } else {
      this.bytes[this.length] = 0xcf
      this.view.setBigUint64(this.length + 1, value)
    }
    this.length += 9
  }

  text(value: string): void {
    if (value.length < 0x20 && this.shortText(value, 1)) {
      this.bytes[this.length - value.length - 1] = 0xa0 | value.length
      return
    }
    const lengthBytes = Buffer.byteLength(value, 'utf8')
    this.reserve(lengthBytes + 5)
    if (lengthBytes < 0x20) this.bytes[this.length++] = 0xa0 | lengthBytes
    else if (lengthBytes < 0x100) {
      this.bytes[this.length++] = 0xd9
      this.bytes[this.length++] = lengthBytes
    } else this.head(0xda, lengthBytes)
    this.length += this.bytes.write(value, this.length, 'utf8')
  }

  bin(value: Uint8Array): void {
    this.reserve(value.length + 5)
    this.binHead(value.length)
    this.bytes.set(value, this.length)
    this.length += value.length
  }

  /** A byte string of the UTF-8 bytes of a text. */
  binText(value: string): void {
    if (this.shortText(value, 2)) {
      const start = this.length - value.length
      this.bytes[start - 2] = 0xc4
      this.bytes[start - 1] = value.length
      return
    }
    const lengthBytes = Buffer.byteLength(value, 'utf8')
    this.reserve(lengthBytes + 5)
    this.binHead(lengthBytes)
    this.length += this.bytes.write(value, this.length, 'utf8')
  }

  /** Bytes that are encoded already. */
  raw(encoded: Uint8Array): void {
    this.reserve(encoded.length)
    this.bytes.set(encoded, this.length)
    this.length += encoded.length
  }

  /** Part of a buffer that is encoded already. */
  rawRange(from: Buffer, start: number, end: number): void {
    this.reserve(end - start)
    from.copy(this.bytes, this.length, start, end)
    this.length += end - start
  }

  /** Leave room for a head, and write a short text of ASCII. @returns false, with nothing written, for any other */
  private shortText(value: string, headBytes: number): boolean {
    const { length } = value
    if (length > SHORT_TEXT) return false
    this.reserve(headBytes + length)
    const { bytes } = this
    const start = this.length + headBytes
    for (let at = 0; at < length; at++) {
      const code = value.charCodeAt(at)
      if (code >= 0x80) return false
      bytes[start + at] = code
    }
    this.length = start + length
    return true
  }

  private binHead(lengthBytes: number): void {
    if (lengthBytes < 0x100) {
      this.bytes[this.length++] = 0xc4
      this.bytes[this.length++] = lengthBytes
    } else this.head(0xc5, lengthBytes)
  }

  /** A type byte whose successor is the same type with a length of 32 bits. */
  private head(type: number, count: number): void {
    if (count < 0x10000) {
      this.bytes[this.length] = type
      this.view.setUint16(this.length + 1, count)
      this.length += 3
    } else {
      this.bytes[this.length] = type + 1
      this.view.setUint32(this.length + 1, count)
      this.length += 5
    }
  }

  private reserve(lengthBytes: number): void {
    const wanted = this.length + lengthBytes
    if (wanted <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
    this.view = viewOf(grown)
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
