import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { joinName, nameFromBytes } from '../../../src/encoding/index.ts'
import { readNameBatches, readNameKeys, readNames } from '../../../src/filesystem/index.ts'
import { tempDirectory } from './scene.ts'

/** Node's own failure where the file system gives no types: it asks for each entry by the text it made of its name. */
const listing: { error: Error | undefined } = vi.hoisted(() => ({ error: undefined }))
vi.mock('node:fs', async (load) => {
  const real = await load<typeof import('node:fs')>()
  const opendirSync = (...parameters: Parameters<typeof real.opendirSync>) => {
    if (listing.error !== undefined) throw listing.error
    return real.opendirSync(...parameters)
  }
  return { ...real, opendirSync }
})

function fill(names: readonly (string | Buffer)[]): string {
  const directory = tempDirectory()
  for (const name of names) writeFileSync(joinName(directory, name), '')
  return directory
}

test('names are strings where they are UTF-8 and bytes where they are not, in order of bytes', () => {
  const names = ['line\nfeed', 'ä', Buffer.from([0xff, 0x41]), 'a', 'b'.repeat(255), Buffer.from([0xe4])]
  const expected = ['a', 'b'.repeat(255), 'line\nfeed', 'ä', Buffer.from([0xe4]), Buffer.from([0xff, 0x41])]
  expect(readNames(fill(names))).toEqual(expected)
})

test('a name that truly holds U+FFFD stays a string', () => {
  expect(readNames(fill(['\ufffd', 'x']))).toEqual(['x', '\ufffd'])
})

test('surrogates sort as their bytes do, above U+FFFF', () => {
  expect(readNames(fill(['\u{10000}', '\ue000', 'z']))).toEqual(['z', '\ue000', '\u{10000}'])
})

test('any set of names comes back whole and in order', () => {
  const byte = fc.integer({ min: 1, max: 255 }).filter((value) => value !== 0x2f)
  const name = fc
    .oneof(
      fc.array(byte, { minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((text) => Buffer.from(text)),
    )
    .filter((bytes) => !/^\.{1,2}$|[/\0]/.test(bytes.toString('latin1')))
  const top = tempDirectory()
  let run = 0
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { selector: (bytes) => bytes.toString('hex'), maxLength: 20 }),
      (names) => {
        const directory = join(top, String(run++))
        mkdirSync(directory)
        for (const each of names) writeFileSync(joinName(directory, each), '')
        expect(readNames(directory)).toEqual([...names].sort(Buffer.compare).map(nameFromBytes))
        expect(inBatches(directory).flat()).toEqual(readNameKeys(directory))
      },
    ),
  )
})

test('names of a large directory come in batches, whole and in order', () => {
  const names = Array.from({ length: 20_000 }, (_, at) => `${(at * 7919) % 20_000}-${'x'.repeat(at % 90)}`)
  const directory = fill(names)
  const batches = inBatches(directory)
  expect(batches.map((batch) => batch.length)).toEqual([8192, 8192, 3616])
  expect(batches.flat()).toEqual(names.sort())
})

test('a directory whose entries cannot be told apart as they are listed is read whole', () => {
  const directory = fill(['b', 'ä', Buffer.from([0xe4])])
  listing.error = Object.assign(new Error("ENOENT: no such file or directory, lstat 'Ã¤'"), {
    code: 'ENOENT',
  })
  try {
    expect(inBatches(directory)).toEqual([readNameKeys(directory)])
  } finally {
    listing.error = undefined
  }
})

function inBatches(directory: string): string[][] {
  const batches = readNameBatches(directory)
  const all: string[][] = []
  for (let next = batches.next(); !next.done; next = batches.next()) all.push(next.value)
  return all
}

test('a path that is no directory is the system error ENOTDIR', () => {
  const path = join(fill(['file']), 'file')
  expect(() => readNames(path)).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
  expect(() => readNameBatches(path)).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
})
