const INITIAL_BYTES = 4096

/**
 * Writes stored values one part after the other into one growing buffer: the bytes of `encodeValue`, without
 * building the value first. The caller writes as many parts as each array says.
 */
export class ValueWriter {
  /** What is written is [0, length). Replaced when it grows. */
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  length = 0

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
      this.length = this.bytes.writeUInt16BE(value, this.length + 1)
    } else {
      this.bytes[this.length] = 0xce
      this.length = this.bytes.writeUInt32BE(value, this.length + 1)
    }
  }

  /** An integer of -2^63 to 2^64 - 1. */
  bigint(value: bigint): void {
    this.reserve(9)
    if (value < 0x8000000000000000n) {
      this.bytes[this.length] = 0xd3
      this.length = this.bytes.writeBigInt64BE(value, this.length + 1)
    } else {
      this.bytes[this.length] = 0xcf
      this.length = this.bytes.writeBigUInt64BE(value, this.length + 1)
    }
  }

  text(value: string): void {
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
      this.length = this.bytes.writeUInt16BE(count, this.length + 1)
    } else {
      this.bytes[this.length] = type + 1
      this.length = this.bytes.writeUInt32BE(count, this.length + 1)
    }
  }

  private reserve(lengthBytes: number): void {
    const wanted = this.length + lengthBytes
    if (wanted <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }
}
