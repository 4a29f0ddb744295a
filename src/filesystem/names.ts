import type { RawName } from '../encoding/index.ts'
import { displayName, nameBytes, nameFromBytes } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'

/** The longest name a file can have on any file system in use. */
const MAX_NAME_BYTES = 255

/**
 * Check that a name from a repository names a node in its folder and nothing else: 1 to 255 bytes, not `.` or
 * `..`, without `/` and NUL. Throws DAMAGED when it does not: no backup has ever written such a name.
 * On Windows, where more characters have a meaning, throws UNSUPPORTED for a name with one of them.
 */
export function checkName(name: RawName | Uint8Array): void {
  const raw = typeof name === 'string' ? name : nameFromBytes(name)
  const bytes = nameBytes(raw)
  const dots = raw === '.' || raw === '..'
  if (
    bytes.length === 0 ||
    bytes.length > MAX_NAME_BYTES ||
    dots ||
    bytes.includes(0x2f) ||
    bytes.includes(0)
  ) {
    throw new HoldfastError(
      'DAMAGED',
      `the repository names a file "${displayName(raw)}", which no file can be called`,
      {
        hint: 'run holdfast verify --read-data to see which snapshots are touched',
      },
    )
  }
  if (process.platform === 'win32' && /[\\:<>"|?*]|[. ]$/.test(bytes.toString('latin1'))) {
    throw new HoldfastError('UNSUPPORTED', `a file cannot be called "${displayName(raw)}" on Windows`)
  }
}
