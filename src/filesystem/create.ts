import { constants, linkSync, mkdirSync, openSync, symlinkSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { cString, native, systemError } from './native.ts'
import type { FileType } from './status.ts'
import { deviceNumber } from './status.ts'

// What is made here nobody but its owner may use until `applyMetadata` says otherwise. Each function throws the
// system's errors: EEXIST where there is a node of any type already, unless it says otherwise.

const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0)

/** The types that `createSpecialFile` makes. */
export type SpecialType = Extract<FileType, 'fifo' | 'character' | 'block' | 'socket'>

const TYPE_BITS: Readonly<Record<SpecialType, number>> = {
  fifo: constants.S_IFIFO,
  character: constants.S_IFCHR,
  block: constants.S_IFBLK,
  socket: constants.S_IFSOCK,
}

/** Make an empty regular file; returns its descriptor, open for writing, which the caller closes. */
export function createFile(path: RawName): number {
  return openSync(path, NEW_FILE, 0o600)
}

/** Make a folder. What is there already, whatever its type, is left as it is and no error. */
export function makePrivateDirectory(path: RawName): void {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

/** Make a symbolic link that says `target`, whether that exists or not. */
export function createSymlink(path: RawName, target: RawName): void {
  symlinkSync(target, path)
}

/** Make `path` one more name of the node at `existing`, which may be a symbolic link and is not followed. */
export function createHardLink(path: RawName, existing: RawName): void {
  linkSync(existing, path)
}

/**
 * Make a fifo, device or socket; `device` counts for the two types of device, which take root to make.
 * Throws UNSUPPORTED where the platform cannot.
 */
export function createSpecialFile(
  path: RawName,
  type: SpecialType,
  device: { readonly major: number; readonly minor: number } = { major: 0, minor: 0 },
): void {
  const loaded = native()
  if (loaded.calls === undefined) {
    throw new HoldfastError('UNSUPPORTED', `a ${type} node cannot be made here: ${loaded.reason}`)
  }
  const number = type === 'character' || type === 'block' ? deviceNumber(device.major, device.minor) : 0n
  const result = loaded.calls.makeNode(cString(path), TYPE_BITS[type] | 0o600, number)
  if (result < 0) throw systemError(result, 'mknod', path)
}
