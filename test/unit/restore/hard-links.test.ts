import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { createLinkRegister, linkKey } from '../../../src/restore/hard-links.ts'
import type { DirectoryNode, FileNode, PipeNode } from '../../../src/tree/index.ts'

const common = {
  name: 'a',
  mode: 0o644,
  uid: 0,
  gid: 0,
  user: '',
  group: '',
  mtimeNs: 0n,
  ctimeNs: 0n,
  atimeNs: null,
  xattrs: [],
}
const file: FileNode = {
  ...common,
  type: 'file',
  inode: 7n,
  links: 2,
  fileSystem: 5n,
  sizeBytes: 0n,
  racy: false,
  holes: [],
  content: { depth: 0, ids: new Uint8Array(0) },
}

const spills = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('holdfast-links-'))

describe('linkKey()', () => {
  test('is the same for names of one file only', () => {
    expect(linkKey({ ...file, name: 'b' })).toBe(linkKey(file))
    expect(linkKey({ ...file, inode: 8n })).not.toBe(linkKey(file))
    expect(linkKey({ ...file, fileSystem: 6n })).not.toBe(linkKey(file))
    const pipe: PipeNode = { ...common, type: 'fifo', inode: 7n, links: 2, fileSystem: 5n }
    expect(linkKey(pipe)).not.toBe(linkKey(file))
    // Another file that got the inode while the backup ran.
    expect(linkKey({ ...file, mtimeNs: 1n })).not.toBe(linkKey(file))
    expect(linkKey({ ...file, sizeBytes: 1n })).not.toBe(linkKey(file))
  })

  test('there is none for what has one name, or an unknown file system, or is a folder', () => {
    expect(linkKey({ ...file, links: 1 })).toBeUndefined()
    expect(linkKey({ ...file, fileSystem: null })).toBeUndefined()
    const folder: DirectoryNode = { ...common, type: 'directory', tree: new Uint8Array(32) as never }
    expect(linkKey(folder)).toBeUndefined()
  })
})

describe('createLinkRegister()', () => {
  test('finds every path, in memory and on disk, byte for byte, and leaves nothing on disk', async () => {
    const before = spills()
    const register = createLinkRegister(10)
    const odd = Buffer.from([0x2f, 0xff, 0xfe, 0x2f, 0x80])
    register.add('odd', odd)
    for (let number = 0; number < 95; number++) register.add(`key${number}`, `/folder/${number}`)
    expect(spills().length).toBe(before.length + 1)
    for (let number = 0; number < 95; number++) {
      expect(register.find(`key${number}`)).toBe(`/folder/${number}`)
    }
    expect(register.find('odd')).toEqual(odd)
    expect(register.find('unknown')).toBeUndefined()
    await register.close()
    expect(spills()).toEqual(before)
  })

  test('the newest path of a key counts, also over one on disk', async () => {
    const register = createLinkRegister(2)
    register.add('a', '/old')
    register.add('b', '/b')
    register.add('a', '/new')
    expect(register.find('a')).toBe('/new')
    register.add('c', '/c')
    expect(register.find('a')).toBe('/new')
    await register.close()
  })

  test('few entries never touch the disk', async () => {
    const before = spills()
    const register = createLinkRegister(10)
    register.add('a', '/a')
    expect(register.find('a')).toBe('/a')
    expect(spills()).toEqual(before)
    await register.close()
  })
})
