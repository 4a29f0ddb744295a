import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { createHasher, createMasterKey, KEY_BYTES, type Secret } from '../crypto/index.ts'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { makeDirectories, readSmallFile } from '../filesystem/index.ts'

/** First line of the text form, which a recovery sheet carries. */
const TITLE = 'HOLDFAST KEY'
/** A recovery sheet has less than a tenth of it. */
const MAXIMUM_BYTES = 64 * 1024
const GROUP_DIGITS = 4
const LINE_GROUPS = 8
const CHECK_DIGITS = 8

/**
 * Read a key file: 32 bytes as they are, or the text form of a recovery sheet.
 *
 * @throws HoldfastError WRONG_KEY when it holds neither, IO when it cannot be read
 */
export function readKeyFile(path: string): Secret {
  let bytes: Buffer
  try {
    bytes = readSmallFile(path, MAXIMUM_BYTES)
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause
    throw new HoldfastError('IO', `the key file ${path} cannot be read (${systemCode(cause)})`, { cause })
  }
  if (bytes.length > MAXIMUM_BYTES)
    throw new HoldfastError('WRONG_KEY', `${path} is no key file: it is too long`)
  if (bytes.length === KEY_BYTES) return { kind: 'keyFile', bytes }
  return { kind: 'keyFile', bytes: parseKeyText(bytes.toString('latin1'), path) }
}

/**
 * Make a key file of 32 random bytes, mode 0600. Durable when it returns; never overwrites.
 *
 * @throws HoldfastError ALREADY_EXISTS, IO
 */
export function createKeyFile(path: string): Secret {
  const bytes = createMasterKey()
  try {
    makeDirectories(dirname(path), 0o700)
    const fd = openSync(path, 'wx', 0o600)
    try {
      writeSync(fd, bytes)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    syncDirectory(dirname(path))
  } catch (cause) {
    const code = systemCode(cause)
    if (code === undefined) throw cause
    // Of the folder the same code says that something else is in its way.
    if (code === 'EEXIST' && cause instanceof Error && 'syscall' in cause && cause.syscall === 'open')
      throw new HoldfastError('ALREADY_EXISTS', `there is a key file at ${path} already`, { cause })
    throw new HoldfastError('IO', `the key file ${path} cannot be written (${code})`, { cause })
  }
  return { kind: 'keyFile', bytes }
}

/** The text form of a key: groups of hex digits with a check at the end, to be printed and typed in again. */
export function formatKeyText(key: Uint8Array): string {
  const digits = Buffer.from(key).toString('hex') + checkDigits(key)
  const groups = digits.match(new RegExp(`.{${GROUP_DIGITS}}`, 'g')) ?? []
  const lines: string[] = [TITLE]
  for (let at = 0; at < groups.length; at += LINE_GROUPS)
    lines.push(groups.slice(at, at + LINE_GROUPS).join(' '))
  return `${lines.join('\n')}\n`
}

function parseKeyText(text: string, path: string): Buffer {
  const digits = text.replace(TITLE, '').replace(/\s/g, '').toLowerCase()
  const key = Buffer.from(digits.slice(0, KEY_BYTES * 2), 'hex')
  const isKey = /^[0-9a-f]+$/.test(digits) && digits.length === KEY_BYTES * 2 + CHECK_DIGITS
  if (!isKey || key.length !== KEY_BYTES || digits.slice(KEY_BYTES * 2) !== checkDigits(key)) {
    throw new HoldfastError('WRONG_KEY', `${path} holds no key`, {
      hint: `a key file has ${KEY_BYTES} bytes, or the lines of a recovery sheet below "${TITLE}"; check for typing errors`,
    })
  }
  return key
}

function checkDigits(key: Uint8Array): string {
  const hasher = createHasher()
  hasher.update(key)
  return hasher.digest().toString('hex').slice(0, CHECK_DIGITS)
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
