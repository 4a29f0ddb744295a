import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSpecialFile, readStatus, statusOf } from '../../../src/filesystem/index.ts'
import { fromStats } from '../../../src/filesystem/status.ts'
import { needsNativeCalls, needsRoot, tempDirectory } from './scene.ts'

test('readStatus() tells every type apart and follows no symbolic link', (context) => {
  needsNativeCalls(context)
  const directory = tempDirectory()
  const at = (name: string): string => join(directory, name)
  writeFileSync(at('file'), 'four')
  mkdirSync(at('directory'))
  symlinkSync('file', at('symlink'))
  for (const type of ['fifo', 'socket'] as const) createSpecialFile(at(type), type)
  for (const type of ['file', 'directory', 'symlink', 'fifo', 'socket']) {
    expect(readStatus(at(type)).type).toBe(type)
  }
  expect(readStatus(at('file'))).toMatchObject({ sizeBytes: 4n, links: 1, major: 0, minor: 0 })
})

test('the mode has setuid, setgid and sticky, and nothing of the type', () => {
  const path = join(tempDirectory(), 'file')
  writeFileSync(path, '')
  chmodSync(path, 0o7753)
  expect(readStatus(path).mode).toBe(0o7753)
})

test('an inode of 64 bits is no negative number, as Node gives it', () => {
  const path = join(tempDirectory(), 'file')
  writeFileSync(path, '')
  const stats = Object.assign(lstatSync(path, { bigint: true }), { ino: -5n, dev: -1n })
  expect(fromStats(stats)).toMatchObject({ inode: 2n ** 64n - 5n, device: 2n ** 64n - 1n })
})

test('the native call says what Node says', (context) => {
  needsNativeCalls(context)
  const directory = tempDirectory()
  const name = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0x66, 0xff, 0x80])])
  const early = join(directory, 'é')
  writeFileSync(name, 'x'.repeat(5000))
  writeFileSync(early, '')
  utimesSync(early, '-1.5', '-12345678.25')
  for (const path of ['/', '/dev/null', '/proc/self/stat', directory, `${directory}/../`, name, early]) {
    expect(readStatus(path)).toEqual(fromStats(lstatSync(path, { bigint: true })))
  }
  for (const [path, code] of [
    [`${directory}/none`, 'ENOENT'],
    [`${early}/below`, 'ENOTDIR'],
    ['/'.repeat(5000), 'ENAMETOOLONG'],
    [`${early}\0`, 'ERR_INVALID_ARG_VALUE'],
    ['', 'ENOENT'],
  ] as const) {
    const said = (read: () => unknown): unknown => {
      try {
        read()
        return undefined
      } catch (error) {
        return (error as NodeJS.ErrnoException).code
      }
    }
    expect(said(() => readStatus(path))).toBe(code)
    expect(said(() => lstatSync(path))).toBe(code)
  }
})

test('hard links share an inode and are counted', () => {
  const directory = tempDirectory()
  writeFileSync(join(directory, 'one'), '')
  linkSync(join(directory, 'one'), join(directory, 'two'))
  const [one, two] = [readStatus(join(directory, 'one')), readStatus(join(directory, 'two'))]
  expect(one.links).toBe(2)
  expect(two).toEqual(one)
})

test('statusOf() an open file is its status by path', () => {
  const path = join(tempDirectory(), 'file')
  writeFileSync(path, 'x'.repeat(10_000))
  const fd = openSync(path, 'r')
  expect(statusOf(fd)).toEqual(readStatus(path))
  closeSync(fd)
})

test('every device number comes back as it was made', (context) => {
  needsRoot(context)
  needsNativeCalls(context)
  const path = join(tempDirectory(), 'device')
  const numbers = fc.record({
    major: fc.integer({ min: 0, max: 0xfff }),
    minor: fc.integer({ min: 0, max: 0xfffff }),
  })
  fc.assert(
    fc.property(fc.constantFrom('character' as const, 'block' as const), numbers, (type, device) => {
      createSpecialFile(path, type, device)
      try {
        expect(readStatus(path)).toMatchObject({ type, ...device })
      } finally {
        unlinkSync(path)
      }
    }),
  )
})

test('a path that is not there is the system error ENOENT', () => {
  expect(() => readStatus(join(tempDirectory(), 'nothing'))).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  )
})
