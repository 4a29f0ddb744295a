const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** A size for people: `0 B`, `1.5 KiB`, `12.3 GiB`. */
export function formatBytes(sizeBytes: number | bigint): string {
  let value = Number(sizeBytes)
  let unit = 0
  // What would be shown as 1024.0 of a unit is 1.0 of the next.
  while (value >= 1023.95 && unit < BINARY_UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${BINARY_UNITS[unit]}`
}

/** A whole number with its thousands apart: `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 file`, `1,200 files`. */
export function countOf(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`
}

/** A time that passed: `0:07`, `12:05`, `1:02:03`. */
export function formatElapsed(durationMs: number): string {
  const seconds = Math.max(Math.floor(durationMs / 1000), 0)
  const twoDigits = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = twoDigits(seconds % 60)
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${rest}` : `${minutes}:${rest}`
}

/** How long something took: `0.4 s`, from ten seconds on as `formatElapsed`. */
export function formatTook(durationMs: number): string {
  return durationMs < 9950 ? `${(Math.max(durationMs, 0) / 1000).toFixed(1)} s` : formatElapsed(durationMs)
}

/** A moment by the clock of this machine, or of where it was recorded: `2026-03-01 18:00:00`. */
export function formatMoment(timeMs: number, offsetMinutes?: number): string {
  const offset = offsetMinutes ?? -new Date(timeMs).getTimezoneOffset()
  return new Date(timeMs + offset * 60_000).toISOString().slice(0, 19).replace('T', ' ')
}

/** The first digits of an id, as they are shown and can be given. */
export function shortId(id: string): string {
  return id.slice(0, 8)
}

/** `12.5%` of a share from 0 to 1. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)}%`
}

/** A word as a shell takes it, for commands that are shown to be run. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
