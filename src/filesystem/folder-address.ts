import { closeSync, constants, openSync, renameSync, unlinkSync } from 'node:fs'
import { joinName, type RawName } from '../encoding/index.ts'
import { type FolderCalls, failedWith, native, systemError } from './native.ts'

/** How any thread of this process reaches what is in a folder that is held meanwhile. Plain data. */
export interface FolderAddress {
  /** Undefined where folders are not held by descriptor. */
  readonly fd: number | undefined
  readonly path: RawName
}

/** Of a name and its NUL. */
const NAME_BYTES = 1024
const CLOSE_ON_EXEC = 0x80000
const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0)
const OLD_FILE = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0)

// Scratch space of this thread.
const first = Buffer.allocUnsafeSlow(NAME_BYTES)
const second = Buffer.allocUnsafeSlow(NAME_BYTES)

// Names are those of nodes in the folder (`checkName`). Each function throws the system's errors. Calls on the
// descriptor cost half of what calls by path do, since /proc is not walked.

/** Make an empty file that only its owner may use; returns its descriptor, open for writing, for `closeIn`. */
export function createFileIn(folder: FolderAddress, name: RawName): number {
  return openIn(folder, name, NEW_FILE, 0o600)
}

/** Open a file for writing; a symbolic link is not followed. Its descriptor is for `closeIn`. */
export function openFileIn(folder: FolderAddress, name: RawName): number {
  return openIn(folder, name, OLD_FILE, 0)
}

export function closeIn(folder: FolderAddress, fd: number): void {
  const calls = callsFor(folder)
  if (calls === undefined) {
    closeSync(fd)
    return
  }
  const result = calls.close(fd)
  if (result < 0) throw systemError(result, 'close', folder.path)
}

/** Give a node another name in its folder, in place of what has it. */
export function renameIn(folder: FolderAddress, from: RawName, to: RawName): void {
  const calls = callsFor(folder)
  if (calls === undefined) {
    renameSync(joinName(folder.path, from), joinName(folder.path, to))
    return
  }
  const result = calls.rename(folder.fd!, fill(first, from), fill(second, to))
  if (result < 0) throw systemError(result, 'rename', joinName(folder.path, to))
}

export function removeIn(folder: FolderAddress, name: RawName): void {
  unlinkSync(joinName(folder.path, name))
}

function openIn(folder: FolderAddress, name: RawName, flags: number, mode: number): number {
  const calls = callsFor(folder)
  if (calls === undefined) return openSync(joinName(folder.path, name), flags, mode)
  fill(first, name)
  for (;;) {
    const result = calls.open(folder.fd!, first, flags | CLOSE_ON_EXEC, mode)
    if (result >= 0) return result
    if (!failedWith(result, 'EINTR')) throw systemError(result, 'open', joinName(folder.path, name))
  }
}

function callsFor(folder: FolderAddress): FolderCalls | undefined {
  return folder.fd === undefined ? undefined : native().calls?.inFolder
}

function fill(scratch: Buffer, name: RawName): Buffer {
  if (name.length * 3 >= NAME_BYTES) throw new Error('a name is longer than names can be')
  const length = typeof name === 'string' ? scratch.write(name, 0) : name.copy(scratch)
  scratch[length] = 0
  return scratch
}
