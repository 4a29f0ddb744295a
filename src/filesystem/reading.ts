import { closeSync, constants, openSync, readlinkSync, readSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { nameFromBytes } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'

// Flags that a platform lacks are undefined there, whatever the types say.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const NO_ATIME = constants.O_NOATIME ?? 0

/**
 * Open a regular file to read it; the caller closes it. The file's atime stays as it is where the system
 * permits that (to root and to its owner). Throws the system's errors: ELOOP where a symbolic link has taken
 * its place. Never waits: a fifo in its place opens at once and is told apart by `statusOf`.
 */
export function openForReading(path: RawName): number {
  if (NO_ATIME === 0) return openSync(path, FLAGS)
  try {
    return openSync(path, FLAGS | NO_ATIME)
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error
    return openSync(path, FLAGS)
  }
}

/** Fill a buffer from this place of an open file on, as far as there is anything. @returns bytes read */
export function fillFrom(fd: number, buffer: Buffer, offset: number): number {
  let filled = 0
  while (filled < buffer.length) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, offset + filled)
    if (count === 0) break
    filled += count
  }
  return filled
}

/**
 * The beginning of a file or of what comes out of a pipe: at most `maxBytes` and one more, by which one that is longer shows.
 * Waits for a pipe. Throws the system's errors.
 */
export function readSmallFile(path: string, maxBytes: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(maxBytes + 1)
    let filled = 0
    for (let count = 1; count > 0 && filled < bytes.length; filled += count)
      count = readSync(fd, bytes, filled, bytes.length - filled, null)
    return bytes.subarray(0, filled)
  } finally {
    closeSync(fd)
  }
}

/** Where a symbolic link points, byte for byte. Throws the system's errors. */
export function readLink(path: RawName): RawName {
  return nameFromBytes(readlinkSync(path, { encoding: 'buffer' }))
}
