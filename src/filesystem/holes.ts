import type { NativeCalls } from './native.ts'
import { failedWith, native, systemError } from './native.ts'
import type { FileStatus } from './status.ts'

/** Offset and length in bytes of a range that takes no space and reads as zeros. */
export type Hole = readonly [offset: bigint, length: bigint]

/** More holes than this are not listed for one file: the smallest are left out, to be read as zeros. */
const MAX_HOLES = 65_536

const SEEK_SET = 0
const SEEK_DATA = 3
const SEEK_HOLE = 4

/**
 * The holes of an open regular file, in order, not touching, within its size. Costs nothing for a file that
 * takes at least its size on disk. None where the file system or the platform cannot tell. Reads no data;
 * leaves the descriptor at its start. Throws the system's errors.
 */
export function findHoles(fd: number, status: FileStatus, maxHoles: number = MAX_HOLES): readonly Hole[] {
  if (status.storedBytes >= status.sizeBytes) return []
  const { calls } = native()
  if (calls === undefined) return []
  const end = status.sizeBytes
  let holes: Hole[] = []
  let leastBytes = 1n
  let at = 0n
  while (at < end) {
    const start = seek(calls, fd, at, SEEK_HOLE, end)
    if (start >= end) break
    at = seek(calls, fd, start, SEEK_DATA, end)
    if (at - start >= leastBytes) holes.push([start, at - start])
    while (holes.length > maxHoles) {
      leastBytes *= 2n
      holes = holes.filter(([, length]) => length >= leastBytes)
    }
  }
  calls.seek(fd, 0n, SEEK_SET)
  return holes
}

/** The next hole or data at or after `offset`, at most `end`, which is also the answer when there is none. */
function seek(calls: NativeCalls, fd: number, offset: bigint, whence: number, end: bigint): bigint {
  const found = calls.seek(fd, offset, whence)
  if (found >= 0n) return found < end ? found : end
  // ENXIO: nothing after the offset. EINVAL: a file system that knows no holes.
  if (failedWith(Number(found), 'ENXIO', 'EINVAL')) return end
  throw systemError(Number(found), 'lseek', `/proc/self/fd/${fd}`)
}
