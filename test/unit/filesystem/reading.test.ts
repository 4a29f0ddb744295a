import { chmodSync, closeSync, openSync, readSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  capabilities,
  createSpecialFile,
  openForReading,
  readLink,
  readStatus,
  statusOf,
} from '../../../src/filesystem/index.ts'
import { asNobody, needsNativeCalls, needsRoot, tempDirectory } from './scene.ts'

function readByte(fd: number): string {
  const byte = Buffer.alloc(1)
  readSync(fd, byte)
  closeSync(fd)
  return byte.toString()
}

test('reading a file leaves its atime alone', (context) => {
  context.skip(process.platform !== 'linux', 'O_NOATIME is of Linux')
  const path = join(tempDirectory(), 'file')
  writeFileSync(path, 'x')
  utimesSync(path, 1000, 2000)
  expect(readByte(openForReading(path))).toBe('x')
  expect(readStatus(path).atimeNs).toBe(1_000_000_000_000n)
  readByte(openSync(path, 'r'))
  context.skip(readStatus(path).atimeNs === 1_000_000_000_000n, 'atime is never kept here')
})

test('a file of another owner is read all the same', (context) => {
  needsRoot(context)
  const directory = tempDirectory()
  const path = join(directory, 'file')
  writeFileSync(path, 'x')
  for (const each of [directory, path]) chmodSync(each, 0o755)
  expect(asNobody(() => readByte(openForReading(path)))).toBe('x')
})

test('a symbolic link is not followed', () => {
  const directory = tempDirectory()
  writeFileSync(join(directory, 'file'), 'x')
  symlinkSync('file', join(directory, 'link'))
  expect(() => openForReading(join(directory, 'link'))).toThrow(expect.objectContaining({ code: 'ELOOP' }))
})

test('a fifo that has taken the place of a file does not make the reader wait', (context) => {
  needsNativeCalls(context)
  const path = join(tempDirectory(), 'fifo')
  createSpecialFile(path, 'fifo')
  const fd = openForReading(path)
  expect(statusOf(fd).type).toBe('fifo')
  closeSync(fd)
})

test('readLink() returns what the link says, byte for byte', () => {
  const directory = tempDirectory()
  const targets = ['../none/at all', Buffer.from([0x2f, 0xff, 0xfe]), `${'d/'.repeat(1000)}x`]
  for (const [index, target] of targets.entries()) {
    symlinkSync(target, join(directory, String(index)))
    expect(readLink(join(directory, String(index)))).toEqual(target)
  }
})

test('capabilities() gives a reason for each thing this machine cannot do', () => {
  const found = Object.values(capabilities())
  expect(found.length).toBe(5)
  for (const each of found) expect(each.available || each.reason !== '').toBe(true)
  if (process.platform === 'linux') expect(capabilities().heldDirectories).toEqual({ available: true })
})
