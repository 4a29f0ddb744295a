import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../errors/index.ts'
import { LOCK_NAME } from './sidecar.ts'

/** LMDB ends the process where it finds no room for its first pages, or for a page of its lock file. */
const LEAST_BYTES = 1024 * 1024
/** More than LMDB's table of readers takes. */
const LOCK_BYTES = 64 * 1024

/**
 * See that there is room for an index in this directory, and take that for the lock file: LMDB writes it through a mapping, and
 * the system ends a process that writes to a hole for which the disk has no room (SIGBUS).
 *
 * @throws the system's errors, ENOSPC where there is less than a mebibyte
 */
export function reserveRoom(directory: string): void {
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < LEAST_BYTES) {
    const message = `ENOSPC: no space left on device, '${directory}'`
    throw Object.assign(new Error(message), { code: 'ENOSPC', errno: -28, syscall: 'write', path: directory })
  }
  const path = join(directory, LOCK_NAME)
  let fd: number
  try {
    fd = openSync(path, 'wx', 0o600)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return
    throw error
  }
  try {
    writeSync(fd, Buffer.alloc(LOCK_BYTES), 0, LOCK_BYTES, 0)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}
