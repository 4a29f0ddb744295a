import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { padContent, padmeBytes, unpadContent } from '../../../src/pack/index.ts'

/** The definition of the paper, in whole numbers. */
function padmeByDefinition(length: number): number {
  if (length < 2) return length
  const bits = (value: number): number => value.toString(2).length
  const exponent = bits(length) - 1
  const lastBits = BigInt(Math.max(exponent - bits(exponent), 0))
  const mask = (1n << lastBits) - 1n
  return Number((BigInt(length) + mask) & ~mask)
}

const lengths = fc.oneof(
  fc.nat(5000),
  fc.nat(2 ** 31 - 1),
  fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: -2, max: 2 }))
    .map(([power, off]) => 2 ** power + off),
)

describe('padmeBytes', () => {
  test.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [7, 7],
    [8, 8],
    [9, 10],
    [16, 16],
    [17, 18],
    [100, 104],
    [1000, 1024],
    [65_537, 67_584],
    [32 * 1024 * 1024 + 1, 33 * 1024 * 1024],
  ])('of %i is %i', (length, padded) => {
    expect(padmeBytes(length)).toBe(padded)
  })

  test('is the definition, never less, at most 12 % more, and its own result', () => {
    fc.assert(
      fc.property(lengths, (length) => {
        const padded = padmeBytes(length)
        expect(padded).toBe(padmeByDefinition(length))
        expect(padded).toBeGreaterThanOrEqual(length)
        expect(padded - length).toBeLessThanOrEqual(length * 0.12)
        expect(padmeBytes(padded)).toBe(padded)
      }),
      { numRuns: 5000 },
    )
  })

  test('grows with the length', () => {
    fc.assert(
      fc.property(lengths, lengths, (left, right) => {
        if (left <= right) expect(padmeBytes(left)).toBeLessThanOrEqual(padmeBytes(right))
      }),
      { numRuns: 2000 },
    )
  })

  test('few lengths remain: at most 32 for each doubling up to 4 GiB', () => {
    for (let power = 12; power < 32; power++) {
      const seen = new Set<number>()
      for (let step = 0; step < 4096; step++)
        seen.add(padmeBytes(2 ** power + Math.floor((step * 2 ** power) / 4096)))
      expect(seen.size).toBeLessThanOrEqual(33)
    }
  })
})

describe('padContent', () => {
  test('comes back from any longer length, zeros behind it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (content, more) => {
        const padded = padContent(content, Buffer.alloc(content.length + 4 + more))
        expect(padded.length).toBe(content.length + 4 + more)
        expect(padded.subarray(4 + content.length).every((byte) => byte === 0)).toBe(true)
        expect(unpadContent(padded).equals(content)).toBe(true)
      }),
    )
  })

  test('refuses a length that cannot hold it', () => {
    expect(() => padContent(Buffer.alloc(10), Buffer.alloc(13))).toThrow(/too short/)
  })

  test.each(['', '00', '000000', '01000000', '0200000000', 'ffffffff0000'])(
    'unpadContent(%s) is damage',
    (hex) => {
      expect(() => unpadContent(Buffer.from(hex, 'hex'))).toThrow(
        expect.objectContaining({ code: 'DAMAGED' }),
      )
    },
  )
})
