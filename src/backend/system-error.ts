import { getSystemErrorMap } from 'node:util'
import { HoldfastError, systemCode } from '../errors/index.ts'

const full = 'free some space there, then run the command again'
const denied = 'check who owns the directory and its permissions, and which user runs holdfast'
const away = 'check the network and the server of this file system'
const hints: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', full],
  ['EDQUOT', full],
  ['EACCES', denied],
  ['EPERM', denied],
  ['EROFS', 'mount this file system for writing'],
  ['EIO', 'the disk or its connection is failing: look into the system log, and copy what is still readable'],
  [
    'ENXIO',
    'the disk or its connection is failing: look into the system log, and copy what is still readable',
  ],
  ['EXDEV', 'keep all directories of the repository on one file system'],
  ['ENOENT', 'the directory went away while it was used: check that its disk is still mounted'],
  ['EMFILE', 'raise the limit of open files (ulimit -n)'],
  ['ENFILE', 'raise the limit of open files (ulimit -n)'],
  ['ESTALE', away],
  ['ETIMEDOUT', away],
  ['ENOTCONN', away],
  ['EHOSTDOWN', away],
])

/**
 * What a failed system call on storage becomes: IO with the path and, where there is one, a hint. `action` is
 * what was tried (`write`, `list`). Anything but a system error is given back as it is.
 */
export function storageError(error: unknown, action: string, path: string): unknown {
  const code = systemCode(error)
  if (code === undefined || !(error instanceof Error) || !('errno' in error)) return error
  const text = getSystemErrorMap().get(Number(error.errno))?.[1] ?? code
  const hint = hints.get(code)
  return new HoldfastError('IO', `cannot ${action} ${path}: ${text}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** True where the system says that there is nothing at a path. */
export function isAbsent(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}
