import { closeSync, mkdirSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  createFile,
  createHardLink,
  createSpecialFile,
  createSymlink,
  readLink,
  readStatus,
} from '../../../src/filesystem/index.ts'
import { needsNativeCalls, tempDirectory } from './scene.ts'

test('a new file is open for writing and for its owner only', () => {
  const path = join(tempDirectory(), 'file')
  const fd = createFile(path)
  writeSync(fd, 'content')
  closeSync(fd)
  expect(readFileSync(path, 'utf8')).toBe('content')
  expect(readStatus(path).mode & 0o177).toBe(0)
})

test('nothing is made where something is, nor through a symbolic link', (context) => {
  needsNativeCalls(context)
  const directory = tempDirectory()
  const outside = join(tempDirectory(), 'outside')
  writeFileSync(join(directory, 'source'), '')
  symlinkSync(outside, join(directory, 'dangling'))
  mkdirSync(join(directory, 'directory'))
  for (const name of ['dangling', 'directory', 'source']) {
    const path = join(directory, name)
    const attempts = [
      () => createFile(path),
      () => createSymlink(path, 'x'),
      () => createHardLink(path, join(directory, 'source')),
      () => createSpecialFile(path, 'fifo'),
    ]
    for (const attempt of attempts) expect(attempt).toThrow(expect.objectContaining({ code: 'EEXIST' }))
  }
  expect(() => readStatus(outside)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})

test('a symbolic link says what it is told to, and a hard link to it is the link itself', () => {
  const directory = tempDirectory()
  const target = Buffer.from([0x2e, 0x2f, 0xff])
  createSymlink(join(directory, 'link'), target)
  createHardLink(join(directory, 'second'), join(directory, 'link'))
  expect(readLink(join(directory, 'second'))).toEqual(target)
  expect(readStatus(join(directory, 'second'))).toMatchObject({ type: 'symlink', links: 2 })
})

test('fifos and sockets are made for their owner only', (context) => {
  needsNativeCalls(context)
  const directory = tempDirectory()
  for (const type of ['fifo', 'socket'] as const) {
    createSpecialFile(join(directory, type), type)
    const status = readStatus(join(directory, type))
    expect(status.type).toBe(type)
    expect(status.mode & 0o177).toBe(0)
  }
})
