import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { collect, parseSize, parseWholeNumber } from '../../../src/cli/values.ts'
import { hasCode } from '../../../src/errors/index.ts'

function codeOf(action: () => unknown): boolean {
  try {
    action()
    return false
  } catch (error) {
    return hasCode(error, 'USAGE')
  }
}

describe('parseSize()', () => {
  test.each([
    ['0', 0],
    ['4096', 4096],
    ['64K', 65_536],
    ['64k', 65_536],
    ['1.5G', 1.5 * 2 ** 30],
    ['32 MiB', 32 * 2 ** 20],
    ['2tb', 2 * 2 ** 40],
    ['12B', 12],
  ])('%s is %s bytes', (text, size) => expect(parseSize(text)).toBe(size))

  test.each(['', 'K', '-1', '1e3', '1.K', '12 Q', '0x10', '99999999999T'])('%j is no size', (text) =>
    expect(codeOf(() => parseSize(text))).toBe(true),
  )

  test('reads back every whole number of bytes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        expect(parseSize(String(size))).toBe(size)
      }),
    )
  })
})

describe('parseWholeNumber()', () => {
  test('reads digits from the least on', () => {
    expect(parseWholeNumber('0')).toBe(0)
    expect(parseWholeNumber('12', 1)).toBe(12)
  })
  test.each(['', '-1', '1.5', 'many', '1234567890'])('%j is none', (text) =>
    expect(codeOf(() => parseWholeNumber(text))).toBe(true),
  )
  test('less than the least is none', () => expect(codeOf(() => parseWholeNumber('0', 1))).toBe(true))
})

test('collect() keeps what was given before', () => {
  expect(collect('b', collect('a'))).toEqual(['a', 'b'])
})
