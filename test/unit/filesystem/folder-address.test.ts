import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RawName } from '../../../src/encoding/index.ts'
import {
  applyToNewFile,
  closeIn,
  createFileIn,
  type FolderAddress,
  holdDirectory,
  openFileIn,
  readStatus,
  removeIn,
  renameIn,
} from '../../../src/filesystem/index.ts'
import { tempDirectory } from './scene.ts'

/** By descriptor where there is one, and by path. */
function addresses(path: string): FolderAddress[] {
  const held = holdDirectory(path)
  return [held.pin(), { fd: undefined, path }]
}

describe('folder addresses', () => {
  test('files are made, opened, renamed and removed, under any name', () => {
    const directory = tempDirectory()
    const names: RawName[] = ['a', 'é \u{1f512}', Buffer.of(0xff, 0x41), 'x'.repeat(255)]
    for (const address of addresses(directory)) {
      for (const name of names) {
        const fd = createFileIn(address, 'temporary')
        writeSync(fd, 'one')
        closeIn(address, fd)
        expect(statSync(join(directory, 'temporary')).mode & 0o777).toBe(0o600)
        expect(() => createFileIn(address, 'temporary')).toThrow(/EEXIST/)
        renameIn(address, 'temporary', name)
        const again = openFileIn(address, name)
        writeSync(again, 'two')
        closeIn(address, again)
        removeIn(address, name)
      }
      expect(readdirSync(directory)).toEqual([])
    }
  })

  test('errors have the codes of the system, and links are not followed', () => {
    const directory = tempDirectory()
    writeFileSync(join(directory, 'elsewhere'), 'kept')
    symlinkSync('elsewhere', join(directory, 'link'))
    for (const address of addresses(directory)) {
      expect(() => openFileIn(address, 'nothing')).toThrow(/ENOENT/)
      expect(() => openFileIn(address, 'link')).toThrow(/ELOOP/)
      expect(() => createFileIn(address, 'link')).toThrow(/EEXIST/)
      expect(() => renameIn(address, 'nothing', 'other')).toThrow(/ENOENT/)
    }
    expect(readFileSync(join(directory, 'elsewhere'), 'utf8')).toBe('kept')
  })

  test('a pinned folder stays open however many others are used, and wherever it is moved', () => {
    const directory = tempDirectory()
    mkdirSync(join(directory, 'pinned'))
    const top = holdDirectory(directory, { maxOpen: 2 })
    const pinned = top.enter('pinned')
    const address = pinned.pin()
    pinned.pin()
    pinned.unpin()
    for (let at = 0; at < 10; at++) top.makeDirectory(`other-${at}`).pathOf('x')
    renameSync(join(directory, 'pinned'), join(directory, 'moved'))
    closeIn(address, createFileIn(address, 'file'))
    pinned.unpin()
    top.close()
    expect(readdirSync(join(directory, 'moved'))).toEqual(['file'])
  })

  test('a new file gets mode and times to the nanosecond, before 1970 too', () => {
    const directory = tempDirectory()
    const { uid, gid } = statSync(directory)
    const address: FolderAddress = { fd: undefined, path: directory }
    const fd = createFileIn(address, 'file')
    const times = {
      mtime: { seconds: -1_000_000_000, nanoseconds: 1 },
      atime: { seconds: 7, nanoseconds: 999_999_999 },
    }
    const wanted = { uid, gid, mode: 0o640, xattrs: [], ...times }
    expect(applyToNewFile(fd, { uid, gid, mode: 0o600, isBare: true }, wanted, {})).toEqual([])
    closeIn(address, fd)
    const { mode, mtimeNs, atimeNs } = readStatus(join(directory, 'file'))
    expect([mode, mtimeNs, atimeNs]).toEqual([0o640, -999_999_999_999_999_999n, 7_999_999_999n])
  })
})
