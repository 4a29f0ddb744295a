import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSubset } from '../../../../src/cli/commands/verify-options.ts'

describe('parseSubset()', () => {
  test('reads parts, percentages and sizes', () => {
    expect(parseSubset('2/7')).toEqual({ kind: 'part', number: 2, total: 7 })
    expect(parseSubset('10%')).toEqual({ kind: 'percent', percent: 10 })
    expect(parseSubset('0.5%')).toEqual({ kind: 'percent', percent: 0.5 })
    expect(parseSubset('5G')).toEqual({ kind: 'bytes', bytes: 5 * 1024 ** 3 })
  })

  test('refuses what names no packs', () => {
    for (const text of ['', '0/7', '8/7', '0%', '101%', '0', '-1', '1/0', 'half', '1/2/3']) {
      expect(() => parseSubset(text), text).toThrow(expect.objectContaining({ code: 'USAGE' }))
    }
  })

  test('takes every part of any number of parts', () => {
    const part = fc
      .integer({ min: 1, max: 1_000_000 })
      .chain((total) => fc.tuple(fc.integer({ min: 1, max: total }), fc.constant(total)))
    fc.assert(
      fc.property(part, ([number, total]) => {
        expect(parseSubset(`${number}/${total}`)).toEqual({ kind: 'part', number, total })
        expect(() => parseSubset(`${total + number}/${total}`)).toThrow()
      }),
    )
  })
})
