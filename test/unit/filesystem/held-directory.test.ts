import {
  closeSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RawName } from '../../../src/encoding/index.ts'
import type { HeldDirectory } from '../../../src/filesystem/index.ts'
import { createFile, holdDirectory, readNames, readStatus } from '../../../src/filesystem/index.ts'
import { holdByPath } from '../../../src/filesystem/path-directory.ts'
import { tempDirectory } from './scene.ts'

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected })
}

const ways: [string, (path: RawName) => HeldDirectory][] = [
  ['by descriptor', (path) => holdDirectory(path)],
  ['by descriptor, two open at a time', (path) => holdDirectory(path, { maxOpen: 2 })],
  ['by path', holdByPath],
]

describe.each(ways)('held %s', (_, hold) => {
  test('what is written through a folder is in it', () => {
    const path = tempDirectory()
    const top = hold(path)
    const odd = Buffer.from([0xff, 0x0a])
    const [a, b] = [top.makeDirectory('a'), top.makeDirectory('b')]
    const inner = a.makeDirectory(odd)
    writeFileSync(inner.pathOf('file'), '1')
    writeFileSync(b.pathOf('file'), '2')
    writeFileSync(top.pathOf(odd), '3')
    expect(
      readFileSync(Buffer.concat([Buffer.from(join(path, 'a/')), odd, Buffer.from('/file')]), 'utf8'),
    ).toBe('1')
    expect(readFileSync(join(path, 'b/file'), 'utf8')).toBe('2')
    expect(readNames(top.path())).toEqual(['a', 'b', odd])
    expect(readNames(top.enter('a').enter(odd).path())).toEqual(['file'])
    expect(readStatus(top.path())).toEqual(readStatus(path))
    expect(b.displayPath).toBe(join(path, 'b'))
    top.close()
  })

  test('a new folder is for its owner only, and one that is there is entered', () => {
    const path = tempDirectory()
    const top = hold(path)
    top.makeDirectory('a')
    expect(readStatus(join(path, 'a')).mode & 0o77).toBe(0)
    writeFileSync(top.makeDirectory('a').pathOf('file'), '')
    expect(readdirSync(join(path, 'a'))).toEqual(['file'])
    top.close()
  })

  test('a symbolic link to a folder, and any other node, is not entered', () => {
    const path = tempDirectory()
    symlinkSync(tempDirectory(), join(path, 'link'))
    symlinkSync('/no/such/path', join(path, 'dangling'))
    writeFileSync(join(path, 'file'), '')
    const top = hold(path)
    for (const name of ['link', 'dangling', 'file']) {
      expect(() => top.enter(name)).toThrow(code('ENOTDIR'))
      expect(() => top.makeDirectory(name)).toThrow(code('ENOTDIR'))
    }
    expect(() => top.enter('none')).toThrow(code('ENOENT'))
    top.close()
  })

  test('a name that leads elsewhere is refused', () => {
    const top = hold(tempDirectory())
    for (const name of ['..', '.', 'a/b', '/etc', '', Buffer.from('../x')]) {
      expect(() => top.pathOf(name)).toThrow(code('DAMAGED'))
      expect(() => top.enter(name)).toThrow(code('DAMAGED'))
      expect(() => top.makeDirectory(name)).toThrow(code('DAMAGED'))
    }
    top.close()
  })

  test('a top that is no folder is refused', () => {
    const path = join(tempDirectory(), 'file')
    writeFileSync(path, '')
    expect(() => hold(path)).toThrow(code('ENOTDIR'))
  })
})

describe.skipIf(process.platform !== 'linux')('held by descriptor (needs /proc)', () => {
  const openCount = (): number => readdirSync('/proc/self/fd').length

  test('a symbolic link swapped in leads nobody outside', () => {
    const [path, outside] = [tempDirectory(), tempDirectory()]
    const top = holdDirectory(path)
    const inner = top.makeDirectory('a').makeDirectory('b')
    renameSync(join(path, 'a'), join(path, 'moved'))
    symlinkSync(outside, join(path, 'a'))
    createFileIn(inner, 'file')
    expect(readdirSync(outside)).toEqual([])
    expect(readdirSync(join(path, 'moved/b'))).toEqual(['file'])
    top.close()
  })

  test('a folder opened again has to be the one that was entered', () => {
    const [path, outside] = [tempDirectory(), tempDirectory()]
    const top = holdDirectory(path)
    const inner = top.makeDirectory('a')
    inner.close()
    renameSync(join(path, 'a'), join(path, 'moved'))
    symlinkSync(outside, join(path, 'a'))
    expect(() => inner.pathOf('file')).toThrow(code('ENOTDIR'))
    renameSync(join(path, 'a'), join(path, 'link'))
    top.makeDirectory('a')
    expect(() => inner.pathOf('file')).toThrow('a has been replaced meanwhile')
    rmdirSync(join(path, 'a'))
    renameSync(join(path, 'moved'), join(path, 'a'))
    createFileIn(inner, 'file')
    expect(readdirSync(join(path, 'a'))).toEqual(['file'])
    top.close()
  })

  test('paths longer than PATH_MAX are made, used and read', () => {
    const top = holdDirectory(tempDirectory())
    let directory = top
    for (let level = 0; level < 30; level++) directory = directory.makeDirectory('x'.repeat(200))
    createFileIn(directory, 'file')
    expect(directory.displayPath.length).toBeGreaterThan(4096 + 200)
    expect(readNames(directory.path())).toEqual(['file'])
    expect(readStatus(directory.pathOf('file')).type).toBe('file')
    top.close()
  })

  test('any number of folders takes at most so many descriptors, and all stay usable', () => {
    const before = openCount()
    const top = holdDirectory(tempDirectory(), { maxOpen: 16 })
    const chain = [top]
    for (let level = 0; level < 100; level++) chain.push(chain.at(-1)!.makeDirectory('d'))
    const wide = Array.from({ length: 100 }, (_, index) => top.makeDirectory(`w${index}`))
    for (const each of [...chain, ...wide, ...[...chain].reverse()]) {
      writeFileSync(each.pathOf('file'), String(each.displayPath))
      expect(openCount() - before).toBeLessThanOrEqual(16)
    }
    for (const each of [...wide, ...chain]) {
      expect(readFileSync(each.pathOf('file'), 'utf8')).toBe(each.displayPath)
    }
    top.close()
    expect(openCount()).toBe(before)
    expect(() => chain[50]!.pathOf('x')).toThrow('is closed')
    expect(() => top.path()).toThrow('is closed')
  })

  function createFileIn(directory: HeldDirectory, name: string): void {
    closeSync(createFile(directory.pathOf(name)))
  }
})
