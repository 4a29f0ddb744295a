/** @returns the middle of some numbers, of an even count the mean of the two in the middle */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** @returns `{ median, minimum, maximum }` */
function spread(values) {
  return { median: median(values), minimum: Math.min(...values), maximum: Math.max(...values) }
}

/** Each field of some records as a spread of its values; fields that one of them lacks are left out. */
export function spreadOfEach(records) {
  const names = Object.keys(records[0] ?? {}).filter((name) =>
    records.every((record) => typeof record[name] === 'number'),
  )
  return Object.fromEntries(names.map((name) => [name, spread(records.map((record) => record[name]))]))
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function showBytes(bytes) {
  let unit = 0
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024
    unit++
  }
  return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${UNITS[unit]}`
}

export function showSeconds(seconds) {
  return `${seconds < 1 ? seconds.toFixed(3) : seconds < 100 ? seconds.toFixed(2) : Math.round(seconds)} s`
}
