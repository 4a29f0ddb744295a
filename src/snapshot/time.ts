import { HoldfastError } from '../errors/index.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Minutes that local clocks are ahead of UTC at an instant (ms since 1970), summer time included. */
export type ZoneOffset = (timeMs: number) => number

/** The zone of this machine. */
export function machineOffsetMinutes(timeMs: number): number {
  return 0 - new Date(timeMs).getTimezoneOffset()
}

const stampPattern =
  /^(\d{4}-\d{2}-\d{2})(?:[t ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)? ?(z|[+-]\d{2}(?::?\d{2})?)?)?$/
const agoPattern = /^(\d{1,5}) (second|minute|hour|day|week|month|year)s? ago$/

/**
 * Read a time as people write it; case and extra spaces do not matter.
 *
 * - ISO 8601: `2026-03-01`, `2026-03-01 18:00`, `2026-03-01T18:00:30.5+01:00`. Without a zone it is local time;
 *   a date alone is the start of that day, so `--at 2026-03-01` picks from what was there before that day.
 *   Digits beyond the millisecond are dropped.
 * - `now`, `today`, `yesterday`, with or without a time of day (`yesterday 18:00`); alone the start of that day.
 * - `N seconds|minutes|hours|days|weeks|months|years ago`. From days up the time of day stays as the local
 *   clocks show it; a day that the month lacks becomes its last.
 *
 * A local time that the clocks show twice is the first of both; one that they skip is taken with the offset
 * from before the change.
 *
 * @param nowMs ms since 1970.
 * @param zone of the person who wrote it, see {@link machineOffsetMinutes}.
 * @returns ms since 1970.
 * @throws USAGE for anything else, a date that no calendar has included.
 */
export function parseTime(text: string, nowMs: number, zone: ZoneOffset): number {
  const words = text.trim().toLowerCase().replace(/\s+/g, ' ')
  if (words === 'now') return nowMs
  const localNowMs = nowMs + zone(nowMs) * MINUTE_MS
  const dated = words.replace(/^(today|yesterday)\b/, (word) =>
    new Date(word === 'today' ? localNowMs : localNowMs - DAY_MS).toISOString().slice(0, 10),
  )
  const timeMs = parseStamp(dated, zone) ?? parseAgo(words, nowMs, zone)
  if (timeMs !== undefined) return timeMs
  throw new HoldfastError('USAGE', `cannot read the time ${JSON.stringify(text)}`, {
    hint: 'write it like 2026-03-01, "2026-03-01 18:00", 2026-03-01T18:00:00+01:00, now, "yesterday 18:00" or "2 days ago"',
  })
}

/** RFC 3339 to the millisecond at this UTC offset: `2026-03-01T18:00:00.000+01:00`, with `Z` for no offset. */
export function formatTimeWithOffset(timeMs: number, offsetMinutes: number): string {
  const local = new Date(timeMs + offsetMinutes * MINUTE_MS).toISOString().slice(0, -1)
  if (offsetMinutes === 0) return `${local}Z`
  const minutes = Math.abs(offsetMinutes)
  return `${local}${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`
}

/**
 * Go back by whole calendar months at the same time of day; a day that the month lacks becomes its last.
 * @param localMs a local time as if it were UTC, ms since 1970; so is the result.
 */
export function subtractMonths(localMs: number, months: number): number {
  const date = new Date(localMs)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() - months)
  const lastDay = new Date(date)
  lastDay.setUTCMonth(lastDay.getUTCMonth() + 1, 0)
  return date.setUTCDate(Math.min(day, lastDay.getUTCDate()))
}

function parseStamp(text: string, zone: ZoneOffset): number | undefined {
  const match = stampPattern.exec(text)
  if (match === null) return undefined
  const [, date, hour = '0', minute = '00', second = '00', fraction = '', offset] = match
  const iso = `${date}T${hour.padStart(2, '0')}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`
  const localMs = Date.parse(iso)
  // Date.parse turns 30 February and 24:00 into the next day.
  if (Number.isNaN(localMs) || new Date(localMs).toISOString() !== iso) return undefined
  if (offset === undefined) return localToInstant(localMs, zone)
  const offsetMinutes = parseOffset(offset)
  return offsetMinutes === undefined ? undefined : localMs - offsetMinutes * MINUTE_MS
}

function parseOffset(text: string): number | undefined {
  if (text === 'z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(3).replace(':', ''))
  if (hours > 23 || minutes > 59) return undefined
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

function parseAgo(text: string, nowMs: number, zone: ZoneOffset): number | undefined {
  const match = agoPattern.exec(text)
  if (match === null) return undefined
  const count = Number(match[1])
  const localNowMs = nowMs + zone(nowMs) * MINUTE_MS
  switch (match[2]) {
    case 'second':
      return nowMs - count * SECOND_MS
    case 'minute':
      return nowMs - count * MINUTE_MS
    case 'hour':
      return nowMs - count * HOUR_MS
    case 'day':
      return localToInstant(localNowMs - count * DAY_MS, zone)
    case 'week':
      return localToInstant(localNowMs - count * 7 * DAY_MS, zone)
    case 'month':
      return localToInstant(subtractMonths(localNowMs, count), zone)
    default:
      return localToInstant(subtractMonths(localNowMs, count * 12), zone)
  }
}

/** The instant of a local time that is given as if it were UTC. */
function localToInstant(localMs: number, zone: ZoneOffset): number {
  // No offset passes 14 hours, so these two instants lie on either side of a change near this time.
  const before = zone(localMs - DAY_MS)
  const after = zone(localMs + DAY_MS)
  const withBefore = localMs - before * MINUTE_MS
  if (before === after || zone(withBefore) === before) return withBefore
  const withAfter = localMs - after * MINUTE_MS
  return zone(withAfter) === after ? withAfter : withBefore
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
