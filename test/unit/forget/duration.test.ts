import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatDuration,
  isZeroDuration,
  parseDuration,
  subtractDuration,
} from '../../../src/forget/duration.ts'

const none = { years: 0, months: 0, days: 0, hours: 0 }

describe('parseDuration', () => {
  test.each([
    ['9h', { ...none, hours: 9 }, '9h'],
    ['3d', { ...none, days: 3 }, '3d'],
    ['4d2h', { ...none, days: 4, hours: 2 }, '4d2h'],
    ['6m4d8h', { ...none, months: 6, days: 4, hours: 8 }, '6m4d8h'],
    ['5d7m', { ...none, months: 7, days: 5 }, '7m5d'],
    ['1y5m7d2h', { years: 1, months: 5, days: 7, hours: 2 }, '1y5m7d2h'],
    ['0y03d', { ...none, days: 3 }, '3d'],
    ['0d', none, '0h'],
    ['99999y', { ...none, years: 99_999 }, '99999y'],
  ])('reads %j', (text, expected, written) => {
    expect(parseDuration(text)).toEqual(expected)
    expect(formatDuration(expected)).toBe(written)
  })

  test.each([
    '',
    ' ',
    '7',
    'd',
    '2w',
    '1y4m3w1d',
    '7d ',
    '1 d',
    '-7d',
    '+7d',
    '1.5d',
    '7D',
    '7d7d',
    '100000d',
    '٣d',
  ])('rejects %j as a usage error with an example', (text) => {
    expect(() => parseDuration(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('1y5m7d2h') }),
    )
  })

  test('formatDuration() then parseDuration() is identity', () => {
    const part = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 99_999 }))
    fc.assert(
      fc.property(fc.record({ years: part, months: part, days: part, hours: part }), (duration) => {
        expect(parseDuration(formatDuration(duration))).toEqual(duration)
        expect(isZeroDuration(duration)).toBe(formatDuration(duration) === '0h')
      }),
    )
  })
})

describe('subtractDuration', () => {
  test.each([
    ['2025-01-01T00:00:00.000Z', 0, '2h', '2024-12-31T22:00:00.000Z'],
    ['2025-01-01T00:00:00.000Z', 0, '1d1h', '2024-12-30T23:00:00.000Z'],
    ['2025-01-01T00:00:00.000Z', 0, '1m', '2024-12-01T00:00:00.000Z'],
    ['2025-01-01T00:00:00.000Z', 0, '2m', '2024-11-01T00:00:00.000Z'],
    ['2025-01-01T00:00:00.000Z', 0, '1y', '2024-01-01T00:00:00.000Z'],
    ['2024-02-29T10:00:00.000Z', 0, '1y', '2023-02-28T10:00:00.000Z'],
    ['2024-03-31T10:00:00.000Z', 0, '1m', '2024-02-29T10:00:00.000Z'],
    ['2024-03-31T10:00:00.000Z', 0, '1m1d', '2024-02-28T10:00:00.000Z'],
    ['2024-03-31T10:00:00.000Z', 0, '1y1m1d1h', '2023-02-27T09:00:00.000Z'],
    // The day is that of the local calendar: 1 May at +01:00, 30 April at UTC; then the other way round.
    ['2026-04-30T23:30:00.000Z', 60, '1m', '2026-03-31T23:30:00.000Z'],
    ['2026-04-30T23:30:00.000Z', 0, '1m', '2026-03-30T23:30:00.000Z'],
    ['2026-05-01T00:30:00.000Z', -60, '1m', '2026-03-31T00:30:00.000Z'],
    ['2026-05-01T00:30:00.000Z', 0, '1m', '2026-04-01T00:30:00.000Z'],
    ['2026-07-31T12:00:00.000Z', 0, '0h', '2026-07-31T12:00:00.000Z'],
  ])('%s at offset %i less %s', (from, offsetMinutes, duration, expected) => {
    const timeMs = subtractDuration(Date.parse(from), offsetMinutes, parseDuration(duration))
    expect(new Date(timeMs).toISOString()).toBe(expected)
  })

  test('a longer duration never ends later', () => {
    const part = fc.integer({ min: 0, max: 60 })
    const duration = fc.record({ years: part, months: part, days: part, hours: part })
    const grown = fc.constantFrom('years', 'months', 'days', 'hours')
    const time = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2040, 0) })
    const offset = fc.integer({ min: -840, max: 840 })
    fc.assert(
      fc.property(time, offset, duration, grown, (timeMs, offsetMinutes, shorter, unit) => {
        const longer = { ...shorter, [unit]: shorter[unit] + 1 }
        expect(subtractDuration(timeMs, offsetMinutes, longer)).toBeLessThan(
          subtractDuration(timeMs, offsetMinutes, shorter),
        )
      }),
    )
  })
})
