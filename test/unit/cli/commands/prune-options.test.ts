import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAge, parseMaxUnused } from '../../../../src/cli/commands/prune-options.ts'

const usage = expect.objectContaining({ code: 'USAGE' })

describe('parseMaxUnused()', () => {
  test('reads percentages as shares, sizes as bytes, and unlimited as everything', () => {
    expect(parseMaxUnused('5%')).toBe(0.05)
    expect(parseMaxUnused('0%')).toBe(0)
    expect(parseMaxUnused('2.5%')).toBe(0.025)
    expect(parseMaxUnused('unlimited')).toBe(1)
    expect(parseMaxUnused('0')).toEqual({ bytes: 0 })
    expect(parseMaxUnused('512M')).toEqual({ bytes: 512 * 1024 * 1024 })
  })

  test('refuses anything else', () => {
    for (const text of ['', '101%', '-1%', 'some', '5 percent', '%']) {
      expect(() => parseMaxUnused(text), text).toThrow(usage)
    }
  })

  test('gives a share from 0 to 1 for every percentage that it takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (hundredths) => {
        const limit = parseMaxUnused(`${(hundredths / 100).toFixed(2)}%`)
        expect(limit).toBeCloseTo(hundredths / 10_000, 10)
      }),
    )
  })
})

describe('parseAge()', () => {
  test('reads days and hours', () => {
    expect(parseAge('14d')).toBe(14 * 24 * 3_600_000)
    expect(parseAge('1d12h')).toBe(36 * 3_600_000)
    expect(parseAge('0h')).toBe(0)
  })

  test('refuses units without a fixed length, and what is no duration', () => {
    for (const text of ['1m', '2y', '1y2d', '', 'soon', '30']) {
      expect(() => parseAge(text), text).toThrow(usage)
    }
  })
})
