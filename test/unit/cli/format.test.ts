import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  countOf,
  formatBytes,
  formatCount,
  formatElapsed,
  formatMoment,
  formatShare,
  formatTook,
  quoteWord,
} from '../../../src/cli/format.ts'

describe('formatBytes()', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [5n * 1024n ** 3n, '5.0 GiB'],
    [1024 ** 5 * 3000, '3000.0 PiB'],
  ])('%s is %s', (size, text) => expect(formatBytes(size)).toBe(text))

  test('never shows 1024 of a unit that has a next one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 49 }), (size) => {
        expect(Number.parseFloat(formatBytes(size))).toBeLessThan(1024)
      }),
    )
  })
})

describe('other figures', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567, '1,234,567'],
  ])('formatCount(%s) is %s', (count, text) => expect(formatCount(count)).toBe(text))

  test('countOf() has one and many', () => {
    expect([0, 1, 1200].map((count) => countOf(count, 'file'))).toEqual(['0 files', '1 file', '1,200 files'])
    expect(countOf(2, 'copy', 'copies')).toBe('2 copies')
  })

  test.each([
    [0, '0:00'],
    [999, '0:00'],
    [61_000, '1:01'],
    [3_723_000, '1:02:03'],
    [360_000_000, '100:00:00'],
  ])('formatElapsed(%s) is %s', (ms, text) => expect(formatElapsed(ms)).toBe(text))

  test('formatMoment() is by the offset that is given', () => {
    expect(formatMoment(Date.UTC(2026, 2, 1, 23, 30), 60)).toBe('2026-03-02 00:30:00')
    expect(formatMoment(Date.UTC(2026, 2, 1, 23, 30), 0)).toBe('2026-03-01 23:30:00')
  })

  test('formatShare() is a percentage', () => expect(formatShare(0.1234)).toBe('12.3%'))
})

test('quoteWord() is read back by a shell as the same word', () => {
  const word = fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\0', ''))
  fc.assert(
    fc.property(fc.array(word, { minLength: 20, maxLength: 20 }), (words) => {
      const script = `printf '%s\\0' ${words.map(quoteWord).join(' ')}`
      expect(execFileSync('sh', ['-c', script]).toString('utf8')).toBe(
        words.map((one) => `${one}\0`).join(''),
      )
    }),
    { numRuns: 20 },
  )
})

test.each([
  [0, '0.0 s'],
  [449, '0.4 s'],
  [9949, '9.9 s'],
  [9950, '0:09'],
  [3_723_000, '1:02:03'],
])('formatTook(%s) is %s', (ms, text) => expect(formatTook(ms)).toBe(text))
