import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRowCheck } from '../../../src/index/check.ts'

const check = createRowCheck(Buffer.from('0123456789abcdef'))
const bytes = fc.uint8Array({ minLength: 1, maxLength: 70 })

describe('row check', () => {
  test('any one bit of key, value, table or check key changes it', () => {
    fc.assert(
      fc.property(bytes, bytes, fc.nat(), fc.nat(7), (key, value, place, bit) => {
        const before = check(1, key, value, value.length)
        expect(before).toBe(check(1, Uint8Array.from(key), Uint8Array.from(value), value.length))
        expect(before).toBeGreaterThanOrEqual(0)
        expect(check(2, key, value, value.length)).not.toBe(before)
        const otherKey = Uint8Array.from(key)
        otherKey[place % key.length]! ^= 1 << bit
        expect(check(1, otherKey, value, value.length)).not.toBe(before)
        const otherValue = Uint8Array.from(value)
        otherValue[place % value.length]! ^= 1 << bit
        expect(check(1, key, otherValue, value.length)).not.toBe(before)
        const otherCheckKey = Buffer.from('0123456789abcdef')
        otherCheckKey[place % 8]! ^= 1 << bit
        expect(createRowCheck(otherCheckKey)(1, key, value, value.length)).not.toBe(before)
      }),
      // One in 2^32 / 1,500 runs may fail by chance: the seed is fixed.
      { numRuns: 300, seed: 1 },
    )
  })

  test('bytes do not move between key and value, and zeros at an end count', () => {
    const abcd = Buffer.from('abcd')
    const empty = Buffer.alloc(0)
    expect(check(1, abcd, empty, 0)).not.toBe(check(1, empty, abcd, 4))
    expect(check(1, Buffer.from('abc\0'), empty, 0)).not.toBe(check(1, Buffer.from('abc'), empty, 0))
    expect(check(1, abcd, Buffer.from('x\0'), 2)).not.toBe(check(1, abcd, Buffer.from('x\0'), 1))
  })

  test('is evenly spread over counters', () => {
    const value = Buffer.alloc(4)
    const seen = new Set<number>()
    const buckets = new Array<number>(16).fill(0)
    for (let number = 0; number < 16_000; number++) {
      value.writeUInt32LE(number, 0)
      const word = check(1, Buffer.from('key!'), value, 4)
      seen.add(word)
      buckets[word >>> 28]!++
    }
    expect(seen.size).toBeGreaterThan(15_990)
    for (const bucket of buckets) expect(Math.abs(bucket - 1000)).toBeLessThan(200)
  })

  test('a short key is refused', () => {
    expect(() => createRowCheck(Buffer.alloc(7))).toThrow('at least 8')
  })
})
