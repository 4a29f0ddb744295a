import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { HoldfastError, systemCode } from '../../errors/index.ts'
import {
  addKey,
  defaultKeyFile,
  displayName,
  type FileId,
  formatKeyText,
  listKeys,
  type Repository,
  readKeyFile,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { shortId } from '../format.ts'
import { findPlace } from '../location.ts'
import { readGivenSecret } from '../secret.ts'

const KEY_BYTES = 32

/**
 * Give a key of the repository as text: that of the key file in use, or, where a password is in use, a new key of
 * its own that can be removed again. What goes to stdout or the file can be used as a key file as it is.
 */
export async function exportKey(
  context: Context,
  repository: Repository,
  target: string | undefined,
): Promise<void> {
  const { output } = context
  const key = await keyInUse(context, repository)
  const bytes = key ?? randomBytes(KEY_BYTES)
  if (target !== undefined) writeNewFile(target, formatKeyText(bytes))
  if (key === undefined) {
    const id = await addSheetKey(repository, bytes, target)
    output.note(
      `made key ${shortId(id)} for this sheet; holdfast key remove ${shortId(id)} makes it worthless`,
    )
  }
  if (target === undefined) await output.bytes(formatKeyText(bytes))
  output.note(
    `This opens the repository ${displayName(repository.backend.location)}: keep it safe, in another place.`,
  )
  output.note('To use it, type or save the lines in a file and give that with --key-file.')
}

/** A sheet that was written for nothing goes again. */
async function addSheetKey(
  repository: Repository,
  bytes: Uint8Array,
  target: string | undefined,
): Promise<FileId> {
  try {
    return await addKey(
      repository,
      { kind: 'keyFile', bytes },
      { nowMs: Date.now(), label: 'recovery sheet' },
    )
  } catch (error) {
    if (target !== undefined) rmSync(target, { force: true })
    throw error
  }
}

/** The bytes of the key file that opened the repository; undefined where a password did. */
async function keyInUse(context: Context, repository: Repository): Promise<Uint8Array | undefined> {
  const current = (await listKeys(repository)).find((key) => key.isCurrent)
  if (current?.method === 'password') return undefined
  const given = readGivenSecret(context)
  const isDefault = findPlace(context).isDefault && existsSync(defaultKeyFile())
  const secret = given ?? (isDefault ? readKeyFile(defaultKeyFile()) : undefined)
  return secret?.kind === 'keyFile' ? secret.bytes : undefined
}

/** Durable when it returns; only its owner can read it. @throws HoldfastError ALREADY_EXISTS, IO */
function writeNewFile(path: string, text: string): void {
  try {
    const fd = openSync(path, 'wx', 0o600)
    try {
      writeSync(fd, text)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    const code = systemCode(cause)
    if (code === undefined) throw cause
    if (code === 'EEXIST')
      throw new HoldfastError('ALREADY_EXISTS', `there is a file ${path} already`, { cause })
    throw new HoldfastError('IO', `${path} cannot be written (${code})`, { cause })
  }
}
