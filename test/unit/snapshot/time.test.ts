import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import {
  formatTimeWithOffset,
  machineOffsetMinutes,
  parseTime,
  subtractMonths,
} from '../../../src/snapshot/time.ts'

const HOUR_MS = 3_600_000
const plusOne = (): number => 60
const nowMs = Date.parse('2026-03-31T12:34:56.789Z')
const iso = (timeMs: number): string => new Date(timeMs).toISOString()

describe('parseTime', () => {
  test.each([
    ['2026-03-01', '2026-02-28T23:00:00.000Z'],
    ['2026-03-01 18:00', '2026-03-01T17:00:00.000Z'],
    ['2006-01-02 15:04:05', '2006-01-02T14:04:05.000Z'],
    ['2026-03-01T18:00:30', '2026-03-01T17:00:30.000Z'],
    ['2026-03-01 9:05', '2026-03-01T08:05:00.000Z'],
    ['2026-03-01T18:00:30.5', '2026-03-01T17:00:30.500Z'],
    ['2026-03-01T18:00:30.123999999Z', '2026-03-01T18:00:30.123Z'],
    ['2026-03-01T18:00Z', '2026-03-01T18:00:00.000Z'],
    ['2026-03-01t18:00z', '2026-03-01T18:00:00.000Z'],
    ['2026-03-01 18:00:00 -0330', '2026-03-01T21:30:00.000Z'],
    ['2026-03-01T18:00:00+05:30', '2026-03-01T12:30:00.000Z'],
    ['2026-03-01T18:00:00-08', '2026-03-02T02:00:00.000Z'],
    ['0050-06-01T00:00Z', '0050-06-01T00:00:00.000Z'],
    ['2024-02-29T00:00Z', '2024-02-29T00:00:00.000Z'],
    ['now', '2026-03-31T12:34:56.789Z'],
    ['today', '2026-03-30T23:00:00.000Z'],
    ['today 09:30', '2026-03-31T08:30:00.000Z'],
    ['yesterday', '2026-03-29T23:00:00.000Z'],
    ['  Yesterday   18:00 ', '2026-03-30T17:00:00.000Z'],
    ['yesterday 18:00:01.25', '2026-03-30T17:00:01.250Z'],
    ['45 seconds ago', '2026-03-31T12:34:11.789Z'],
    ['1 minute ago', '2026-03-31T12:33:56.789Z'],
    ['3 hours ago', '2026-03-31T09:34:56.789Z'],
    ['2 days ago', '2026-03-29T12:34:56.789Z'],
    ['1 week ago', '2026-03-24T12:34:56.789Z'],
    ['1 month ago', '2026-02-28T12:34:56.789Z'],
    ['6 months ago', '2025-09-30T12:34:56.789Z'],
    ['2 YEARS AGO', '2024-03-31T12:34:56.789Z'],
    ['0 days ago', '2026-03-31T12:34:56.789Z'],
  ])('reads %j', (text, expected) => {
    expect(iso(parseTime(text, nowMs, plusOne))).toBe(expected)
  })

  test.each([
    '',
    ' ',
    'soon',
    '2026',
    '2026-03',
    '2026-3-1',
    '2026-02-30',
    '2025-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-03-01 24:00',
    '2026-03-01 18:60',
    '2026-03-01 18:00:60',
    '2026-03-01 18',
    '2026-03-01Z',
    '2026-03-01T18:00+24:00',
    '2026-03-01T18:00+01:60',
    '2026-03-01T18:00 CET',
    'yesterday 25:00',
    'tomorrow',
    'today today',
    '-2 days ago',
    'two days ago',
    '2 days',
    '2 fortnights ago',
    '100000 years ago',
    'x 2 days ago',
    '2026-03-01 18:00\u0000',
  ])('rejects %j as a usage error with examples', (text) => {
    expect(() => parseTime(text, nowMs, plusOne)).toThrow(
      expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('2 days ago') }),
    )
  })

  test('the day of today and yesterday is the local one', () => {
    const lateMs = Date.parse('2026-01-01T23:30:00Z')
    expect(iso(parseTime('today', lateMs, plusOne))).toBe('2026-01-01T23:00:00.000Z')
    expect(iso(parseTime('yesterday 12:00', lateMs, () => -60))).toBe('2025-12-31T13:00:00.000Z')
  })
})

describe('parseTime across changes of the clocks', () => {
  const savedZone = process.env.TZ
  afterEach(() => {
    if (savedZone === undefined) delete process.env.TZ
    else process.env.TZ = savedZone
  })

  test.each([
    'Europe/Berlin',
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
    'Pacific/Apia',
    'UTC',
  ])('agrees with the clocks of %s, skipped and repeated hours too', (zoneName) => {
    process.env.TZ = zoneName
    const anyMinute = fc.integer({ min: Date.UTC(1990, 0) / 60_000, max: Date.UTC(2037, 0) / 60_000 })
    // Days on which one of these zones changes, so that the change itself is hit.
    const changeDay = fc.constantFrom(
      Date.UTC(2026, 2, 29),
      Date.UTC(2026, 9, 25),
      Date.UTC(2026, 2, 8),
      Date.UTC(2026, 10, 1),
      Date.UTC(2026, 3, 5),
      Date.UTC(2026, 9, 4),
      Date.UTC(2011, 11, 29),
      Date.UTC(2011, 11, 30),
    )
    const nearChange = fc
      .tuple(changeDay, fc.integer({ min: 0, max: 1439 }))
      .map(([day, minute]) => day / 60_000 + minute)
    fc.assert(
      fc.property(fc.oneof(anyMinute, nearChange), (minute) => {
        const wall = new Date(minute * 60_000)
        const local = new Date(
          wall.getUTCFullYear(),
          wall.getUTCMonth(),
          wall.getUTCDate(),
          wall.getUTCHours(),
          wall.getUTCMinutes(),
        )
        const text = wall.toISOString().slice(0, 16)
        expect(iso(parseTime(text, nowMs, machineOffsetMinutes))).toBe(local.toISOString())
      }),
      { numRuns: 500 },
    )
  })

  test('a date in summer, written in winter, has the offset of summer', () => {
    process.env.TZ = 'Europe/Berlin'
    const winterMs = Date.parse('2026-12-01T12:00:00Z')
    expect(iso(parseTime('2026-07-01 12:00', winterMs, machineOffsetMinutes))).toBe(
      '2026-07-01T10:00:00.000Z',
    )
    expect(iso(parseTime('5 months ago', winterMs, machineOffsetMinutes))).toBe('2026-07-01T11:00:00.000Z')
  })

  test('days ago keep the time of day over a change, hours ago do not', () => {
    process.env.TZ = 'Europe/Berlin'
    const afterChangeMs = Date.parse('2026-03-29T12:00:00Z')
    expect(iso(parseTime('1 day ago', afterChangeMs, machineOffsetMinutes))).toBe('2026-03-28T13:00:00.000Z')
    expect(iso(parseTime('24 hours ago', afterChangeMs, machineOffsetMinutes))).toBe(
      '2026-03-28T12:00:00.000Z',
    )
  })
})

describe('formatTimeWithOffset', () => {
  test.each([
    [0, 'Z', '2026-03-31T12:34:56.789Z'],
    [60, '+01:00', '2026-03-31T13:34:56.789+01:00'],
    [-210, '-03:30', '2026-03-31T09:04:56.789-03:30'],
    [840, '+14:00', '2026-04-01T02:34:56.789+14:00'],
    [-30, '-00:30', '2026-03-31T12:04:56.789-00:30'],
  ])('offset %i minutes is %s', (offsetMinutes, _, expected) => {
    expect(formatTimeWithOffset(nowMs, offsetMinutes)).toBe(expected)
  })

  test('parseTime() reads back what it writes, whatever the zone of the reader', () => {
    const time = fc.integer({ min: Date.UTC(1000, 0), max: Date.UTC(9999, 0) })
    const offset = fc.integer({ min: -14 * 60, max: 14 * 60 })
    fc.assert(
      fc.property(time, offset, offset, (timeMs, offsetMinutes, readerMinutes) => {
        expect(parseTime(formatTimeWithOffset(timeMs, offsetMinutes), nowMs, () => readerMinutes)).toBe(
          timeMs,
        )
      }),
    )
  })
})

describe('subtractMonths', () => {
  test('moves by that many months, and the day only where the month lacks it', () => {
    const time = fc.integer({ min: Date.UTC(200, 0), max: Date.UTC(9999, 0) })
    fc.assert(
      fc.property(time, fc.integer({ min: 0, max: 2000 }), (localMs, months) => {
        const [from, to] = [new Date(localMs), new Date(subtractMonths(localMs, months))]
        const monthNumber = (date: Date): number => date.getUTCFullYear() * 12 + date.getUTCMonth()
        expect(monthNumber(from) - monthNumber(to)).toBe(months)
        expect(to.toISOString().slice(-13)).toBe(from.toISOString().slice(-13))
        const nextDay = new Date(to.getTime() + 24 * HOUR_MS)
        const kept = to.getUTCDate() === from.getUTCDate()
        const lastOfMonth = to.getUTCDate() < from.getUTCDate() && nextDay.getUTCDate() === 1
        expect(kept || lastOfMonth).toBe(true)
      }),
    )
  })
})
