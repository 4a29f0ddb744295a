import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareNames,
  decodeValue,
  displayName,
  encodeValue,
  joinName,
  nameBytes,
  nameFromBytes,
  type RawName,
  type Value,
} from '../../src/encoding/index.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })

const text = fc.string({ unit: 'binary', maxLength: 400 })
const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, true, false),
  fc.integer(),
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 31, 32, 127, 128, 255, 256, 65_535, 65_536, -32, -33, -128, -129, -32_768, -32_769),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.uint8Array({ maxLength: 400 }),
  text,
)

function valueOfDepth(depth: number): fc.Arbitrary<Value> {
  if (depth === 0) return leaf
  return fc.oneof({ weight: 2, arbitrary: leaf }, fc.array(valueOfDepth(depth - 1), { maxLength: 20 }))
}

const anyValue = valueOfDepth(5)

/** Byte strings come back as another class of the same bytes. */
function plain(value: Value): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  return Array.isArray(value) ? value.map(plain) : value
}

describe('values', () => {
  test('come back as they were, and encode to the same bytes again', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const encoded = encodeValue(value)
        const decoded = decodeValue(encoded)
        expect(plain(decoded)).toEqual(plain(value))
        expect(encodeValue(decoded).equals(encoded)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  test('come back from a view with other bytes around it', () => {
    fc.assert(
      fc.property(anyValue, fc.nat(64), (value, offset) => {
        const encoded = encodeValue(value)
        const outer = new Uint8Array(encoded.length + offset + 16).fill(0x91)
        outer.set(encoded, offset)
        expect(plain(decodeValue(outer.subarray(offset, offset + encoded.length)))).toEqual(plain(value))
      }),
    )
  })

  test('a strict prefix, or a byte more, is refused', () => {
    fc.assert(
      fc.property(anyValue, fc.nat(255), (value, extra) => {
        const encoded = encodeValue(value)
        for (let length = 0; length < encoded.length; length += length < 300 ? 1 : 97) {
          expect(() => decodeValue(encoded.subarray(0, length))).toThrow(damaged)
        }
        expect(() => decodeValue(Buffer.concat([encoded, Buffer.from([extra])]))).toThrow(damaged)
      }),
    )
  })

  /** Decoding ends in a value or in DAMAGED; what it gave has no more parts than the input has bytes. */
  function decodeAny(input: Uint8Array): void {
    let decoded: Value
    try {
      decoded = decodeValue(input)
    } catch (error) {
      expect(error).toEqual(damaged)
      return
    }
    let parts = 0
    const visit = (value: Value): void => {
      parts++
      if (Array.isArray(value)) for (const one of value) visit(one)
      else if (value instanceof Uint8Array) parts += value.length
      else if (typeof value === 'string') parts += value.length
      else expect(['number', 'bigint', 'boolean', 'object']).toContain(typeof value)
    }
    visit(decoded)
    expect(parts).toBeLessThanOrEqual(input.length)
    // What was taken can be stored again: it holds nothing that is not a value.
    expect(plain(decodeValue(encodeValue(decoded)))).toEqual(plain(decoded))
  }

  test('any bytes are a value or damage', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodeAny), { numRuns: 5000 })
  })

  test('type bytes and lengths in any order are a value or damage', () => {
    const heads = fc.constantFrom(
      ...[
        0x00, 0x7f, 0x80, 0x90, 0x91, 0x92, 0x9f, 0xa0, 0xa1, 0xa2, 0xbf, 0xc0, 0xc1, 0xc2, 0xc4, 0xc5, 0xc6,
      ],
      ...[
        0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd3, 0xd4, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xe0, 0xff,
      ],
      ...[1, 2, 3, 4],
    )
    const input = fc.array(heads, { maxLength: 40 }).map((bytes) => Uint8Array.from(bytes))
    fc.assert(fc.property(input, decodeAny), { numRuns: 10_000 })
  })

  test('a stored value with any one byte changed is a value or damage', () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const encoded = encodeValue(value)
        encoded[at % encoded.length]! ^= change
        decodeAny(encoded)
      }),
      { numRuns: 3000 },
    )
  })
})

const nameParts = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc
    .constantFrom('a', 'ä', '\ud7ff', '\ue000', '\uff5e', '\ufffd', '\uffff', '\u{10000}', '\u{10ffff}', '')
    .map((part) => Uint8Array.from(Buffer.from(part))),
)
const anyBytes = fc.array(nameParts, { maxLength: 6 }).map((parts) => Buffer.concat(parts))
/** Names as scans give them, and as callers may: bytes that are text too, strings with lone surrogates. */
const anyName: fc.Arbitrary<RawName> = fc.oneof(
  anyBytes.map(nameFromBytes),
  anyBytes,
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.array(fc.nat(0xffff), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom(0x61, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfffd, 0xffff), { maxLength: 4 })
    .map((units) => String.fromCharCode(...units)),
)

const loneSurrogate = /\p{Surrogate}/u

describe('names', () => {
  test('come back byte for byte; text exactly where the bytes are valid UTF-8', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const name = nameFromBytes(bytes)
        expect(nameBytes(name).equals(bytes)).toBe(true)
        let expected: string | undefined
        try {
          expected = strict.decode(bytes)
        } catch {}
        expect(typeof name === 'string' ? name : undefined).toBe(expected)
      }),
      { numRuns: 5000 },
    )
  })

  test('compareNames() is the order of bytes', () => {
    fc.assert(
      fc.property(anyName, anyName, (left, right) => {
        const expected = Buffer.compare(nameBytes(left), nameBytes(right))
        expect(Math.sign(compareNames(left, right))).toBe(expected)
        expect(Math.sign(compareNames(right, left))).toBe(0 - expected)
      }),
      { numRuns: 20_000 },
    )
  })

  test('displayName() has no control characters and leaves other text alone', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const shown = displayName(name)
        expect(shown).not.toMatch(/\p{Cc}/u)
        if (typeof name === 'string' && !/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name))
          expect(shown).toBe(name)
        // What stays text looks the same whether a caller held it as a string or as bytes.
        if (typeof name === 'string' && !loneSurrogate.test(name))
          expect(displayName(Buffer.from(name))).toBe(shown)
      }),
      { numRuns: 5000 },
    )
  })

  test('joinName() is the bytes with one slash between', () => {
    fc.assert(
      fc.property(anyName, anyName, (directory, name) => {
        const left = nameBytes(directory)
        const slash = left.at(-1) === 0x2f ? '' : '/'
        const joined = joinName(directory, name)
        if (typeof directory !== 'string' || !loneSurrogate.test(directory))
          expect(nameBytes(joined).equals(Buffer.concat([left, Buffer.from(slash), nameBytes(name)]))).toBe(
            true,
          )
        expect(typeof joined === 'string').toBe(typeof directory === 'string' && typeof name === 'string')
      }),
      { numRuns: 2000 },
    )
  })
})
