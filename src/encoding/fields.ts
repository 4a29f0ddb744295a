import { HoldfastError } from '../errors/index.ts'
import type { Value } from './values.ts'

/**
 * Checked access to a decoded record, an array of a fixed number of fields. Every accessor throws
 * HoldfastError DAMAGED naming the record and the field when the value there has another type or range.
 */
export class Fields {
  private readonly values: readonly Value[]
  private readonly record: string

  /** @param count the exact number of fields the record has */
  constructor(value: Value | undefined, record: string, count: number) {
    this.record = record
    if (!Array.isArray(value)) throw new HoldfastError('DAMAGED', `${record} is not a record`)
    if (value.length !== count) {
      throw new HoldfastError('DAMAGED', `${record} has ${value.length} fields, not ${count}`)
    }
    this.values = value
  }

  private wrong(index: number, expected: string): HoldfastError {
    return new HoldfastError('DAMAGED', `${this.record}, field ${index}: not ${expected}`)
  }

  /** An integer in [0, maximum]. */
  uint(index: number, maximum = 0xffffffff): number {
    const value = this.values[index]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > maximum) {
      throw this.wrong(index, `a number from 0 to ${maximum}`)
    }
    return value
  }

  /** An integer in [minimum, maximum], either may be negative. */
  int(index: number, minimum: number, maximum: number): number {
    const value = this.values[index]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
      throw this.wrong(index, `a number from ${minimum} to ${maximum}`)
    }
    return value
  }

  /** A 64-bit integer, not below `minimum`. */
  bigint(index: number, minimum: bigint = -(2n ** 63n)): bigint {
    const value = this.values[index]
    if (typeof value !== 'bigint' || value < minimum) throw this.wrong(index, 'a 64-bit number in range')
    return value
  }

  /** A 64-bit integer from 0 to 2^53 - 1 as a number. */
  size(index: number): number {
    const value = this.values[index]
    if (typeof value !== 'bigint' || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw this.wrong(index, 'a size')
    }
    return Number(value)
  }

  boolean(index: number): boolean {
    const value = this.values[index]
    if (typeof value !== 'boolean') throw this.wrong(index, 'true or false')
    return value
  }

  /** Bytes, at most `maximum`; a view into what was decoded. */
  bytes(index: number, maximum: number): Uint8Array {
    const value = this.values[index]
    if (!(value instanceof Uint8Array) || value.length > maximum) {
      throw this.wrong(index, `at most ${maximum} bytes`)
    }
    return value
  }

  /** Exactly `length` bytes; a view into what was decoded. */
  exactBytes(index: number, length: number): Uint8Array {
    const value = this.values[index]
    if (!(value instanceof Uint8Array) || value.length !== length) throw this.wrong(index, `${length} bytes`)
    return value
  }

  /** Text of at most `maximum` UTF-16 units. */
  text(index: number, maximum = 4096): string {
    const value = this.values[index]
    if (typeof value !== 'string' || value.length > maximum) throw this.wrong(index, 'a text')
    return value
  }

  /** An array of at most `maximum` values. */
  array(index: number, maximum: number): readonly Value[] {
    const value = this.values[index]
    if (!Array.isArray(value) || value.length > maximum) throw this.wrong(index, `at most ${maximum} values`)
    return value
  }

  isNull(index: number): boolean {
    return this.values[index] === null
  }
}

/** Checked view of an array of texts. */
export function texts(values: readonly Value[], what: string, maximum = 65_536): string[] {
  return values.map((value) => {
    if (typeof value !== 'string' || value.length > maximum)
      throw new HoldfastError('DAMAGED', `${what}: not a text`)
    return value
  })
}

/** Checked view of an array of byte strings; views, not copies. */
export function byteStrings(values: readonly Value[], what: string, maximum = 65_536): Uint8Array[] {
  return values.map((value) => {
    if (!(value instanceof Uint8Array) || value.length > maximum) {
      throw new HoldfastError('DAMAGED', `${what}: not a byte string`)
    }
    return value
  })
}
