import { HoldfastError } from '../errors/index.ts'
import { subtractMonths } from '../snapshot/index.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** A span of the calendar. Each part is a whole number from 0 to 99,999. */
export interface Duration {
  readonly years: number
  readonly months: number
  readonly days: number
  readonly hours: number
}

const units = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const

/**
 * Read a duration such as `1y5m7d2h`: years, months, days and hours in any order, each at most once.
 * @throws USAGE for anything else.
 */
export function parseDuration(text: string): Duration {
  const duration = { years: 0, months: 0, days: 0, hours: 0 }
  const parts = [...text.matchAll(/(\d{1,5})([ymdh])/g)]
  const written = new Set(parts.map(([, , unit]) => unit))
  const readable = parts.length > 0 && parts.map(([part]) => part).join('') === text
  if (!readable || written.size < parts.length) {
    throw new HoldfastError('USAGE', `cannot read the duration ${JSON.stringify(text)}`, {
      hint: 'write years, months, days and hours like 1y5m7d2h, 6m or 7d; a week is 7d',
    })
  }
  for (const [, count, unit] of parts) duration[units[unit as keyof typeof units]] = Number(count)
  return duration
}

/** The shortest text that {@link parseDuration} reads back as this duration; `0h` for none. */
export function formatDuration(duration: Duration): string {
  const text = Object.entries(units)
    .filter(([, part]) => duration[part] > 0)
    .map(([unit, part]) => `${duration[part]}${unit}`)
    .join('')
  return text === '' ? '0h' : text
}

export function isZeroDuration(duration: Duration): boolean {
  return Object.values(units).every((part) => duration[part] === 0)
}

/**
 * The instant a duration before another one: years and months first, by the calendar at this UTC offset (a
 * day that the month lacks becomes its last), then days of 24 hours, then hours.
 *
 * @param timeMs ms since 1970, as is the result.
 */
export function subtractDuration(timeMs: number, offsetMinutes: number, duration: Duration): number {
  const localMs = subtractMonths(timeMs + offsetMinutes * MINUTE_MS, duration.years * 12 + duration.months)
  return localMs - offsetMinutes * MINUTE_MS - (duration.days * 24 + duration.hours) * HOUR_MS
}
