import { readdirSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { compareNames, nameFromBytes } from '../encoding/index.ts'

/**
 * The names in a directory, in order of their raw bytes, without `.` and `..`. Throws the system's errors.
 *
 * Strings are read first, which is faster; only where one shows U+FFFD, the mark of bytes that are not UTF-8,
 * is the directory read again as bytes.
 */
export function readNames(directory: RawName): RawName[] {
  const names = readdirSync(directory)
  if (names.some((name) => name.includes('\ufffd'))) {
    return readdirSync(directory, { encoding: 'buffer' }).map(nameFromBytes).sort(compareNames)
  }
  // JavaScript's own order is that of UTF-16 units: the order of bytes where no unit is a surrogate or above.
  return names.some(hasHighUnit) ? names.sort(compareNames) : names.sort()
}

function hasHighUnit(name: string): boolean {
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) >= 0xd800) return true
  return false
}
