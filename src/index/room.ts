import { randomBytes } from 'node:crypto'
import { constants, copyFileSync, existsSync, linkSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../errors/index.ts'
import { DATA_NAME, LOCK_NAME } from './sidecar.ts'

/** LMDB ends the process where it finds no room for its first pages, or for a page of its lock file. */
const LEAST_BYTES = 1024 * 1024
/** More than LMDB's table of readers takes. */
const LOCK_BYTES = 64 * 1024
/** What a file system without hard links says. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/**
 * See that there is room for an index that is begun in this directory, and take that for the lock file: LMDB writes it
 * through a mapping, and the system ends a process that writes to a hole for which the disk has no room (SIGBUS). The lock
 * file appears whole: another process may open it as soon as it has its name.
 *
 * @throws the system's errors, ENOSPC where there is less than a mebibyte
 */
export function reserveRoom(directory: string): void {
  const path = join(directory, LOCK_NAME)
  if (existsSync(path) && existsSync(join(directory, DATA_NAME))) return
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < LEAST_BYTES) {
    const message = `ENOSPC: no space left on device, '${directory}'`
    throw Object.assign(new Error(message), { code: 'ENOSPC', errno: -28, syscall: 'write', path: directory })
  }
  if (existsSync(path)) return
  const temporary = `${path}-${randomBytes(8).toString('hex')}`
  try {
    writeFileSync(temporary, Buffer.alloc(LOCK_BYTES), { mode: 0o600, flag: 'wx' })
    putInPlace(temporary, path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

function putInPlace(temporary: string, path: string): void {
  try {
    linkSync(temporary, path)
  } catch (error) {
    if (!NO_LINKS.includes(systemCode(error) ?? '')) throw error
    copyFileSync(temporary, path, constants.COPYFILE_EXCL)
  }
}
