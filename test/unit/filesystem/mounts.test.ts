import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFileSystemNumbers, fileSystemType, readStatus } from '../../../src/filesystem/index.ts'
import { tempDirectory } from './scene.ts'

function mountInfo(...lines: readonly string[]): string {
  const path = join(tempDirectory(), 'mountinfo')
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
  return path
}

test('a number stays when the device changes and the mount point does not', () => {
  const before = createFileSystemNumbers(mountInfo('1 0 8:1 / /data rw shared:1 - ext4 /dev/sda1 rw'))
  const after = createFileSystemNumbers(mountInfo('1 0 253:7 / /data rw - ext4 /dev/dm-7 rw'))
  const number = before(0x801n, '/data/x')
  expect(after(0xfd07n, '/data/y')).toBe(number)
  expect(number).toBeGreaterThan(0n)
  expect(number).toBeLessThan(2n ** 48n)
})

test('the shortest mount point of a device counts, in whatever order they are mounted', () => {
  const lines = [
    '1 0 8:1 / / rw - ext4 a rw',
    '2 0 8:1 /hosts /etc/hosts rw - ext4 a rw',
    '3 0 8:2 / /home rw - xfs b rw',
  ]
  const one = createFileSystemNumbers(mountInfo(...lines))
  const other = createFileSystemNumbers(mountInfo(...lines.reverse()))
  expect(one(0x801n, '/x')).toBe(other(0x801n, '/x'))
  expect(one(0x801n, '/x')).not.toBe(one(0x802n, '/home/x'))
})

test('a mount point with a space in it is the one with the space', () => {
  const escaped = createFileSystemNumbers(mountInfo('1 0 8:1 / /my\\040disk rw - ext4 a rw'))
  const directory = createFileSystemNumbers(mountInfo())
  // An unknown device whose topmost folder is the path itself: nothing above is on it.
  expect(escaped(0x801n, '/my disk/x')).toBe(directory(2n ** 60n, '/my disk'))
})

test('a device that is not listed counts by the topmost folder that is on it', () => {
  const deep = join(tempDirectory(), 'a/b')
  mkdirSync(deep, { recursive: true })
  const top = topmost(deep)
  const unlisted = createFileSystemNumbers(mountInfo())
  expect(unlisted(readStatus(deep).device, join(deep, 'x'))).toBe(
    createFileSystemNumbers(mountInfo())(2n ** 60n, top),
  )
})

function topmost(path: string): string {
  const parent = join(path, '..')
  return path === '/' || readStatus(parent).device !== readStatus(path).device ? path : topmost(parent)
}

test('each file system of this machine has its own number, and always the same', (context) => {
  context.skip(process.platform !== 'linux', 'needs /proc')
  const numbers = [createFileSystemNumbers(), createFileSystemNumbers()]
  const [root, proc] = [readStatus('/').device, readStatus('/proc').device]
  for (const numberOf of numbers) expect(numberOf(root, '/etc')).not.toBe(numberOf(proc, '/proc/self'))
  expect(numbers[0]!(root, '/etc')).toBe(numbers[1]!(root, '/usr/bin'))
})

test('fileSystemType() names the file system that holds a path', (context) => {
  context.skip(process.platform !== 'linux', 'needs /proc')
  const link = join(tempDirectory(), 'link')
  symlinkSync('/proc/self', link)
  expect(fileSystemType('/proc')).toBe('proc')
  expect(fileSystemType(link)).toBe('proc')
  expect(fileSystemType('/sys')).toBe('sysfs')
  expect(() => fileSystemType('/no/such/path')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})
