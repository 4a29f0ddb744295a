import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  cacheDirectoryMarker,
  createSpecialFile,
  hasMarker,
  parseMarker,
} from '../../../src/filesystem/index.ts'
import { needsNativeCalls, tempDirectory } from './scene.ts'

const TAG = 'Signature: 8a477f597d28d172789f06886806bc55'

function directoryWith(name: string, content: string): string {
  const directory = tempDirectory()
  writeFileSync(join(directory, name), content)
  return directory
}

test('a cache directory is one whose tag begins with the signature', () => {
  expect(hasMarker(directoryWith('CACHEDIR.TAG', TAG), cacheDirectoryMarker)).toBe(true)
  expect(hasMarker(directoryWith('CACHEDIR.TAG', `${TAG}\n# more`), cacheDirectoryMarker)).toBe(true)
  expect(hasMarker(directoryWith('CACHEDIR.TAG', TAG.slice(0, -1)), cacheDirectoryMarker)).toBe(false)
  expect(hasMarker(directoryWith('CACHEDIR.TAG', ` ${TAG}`), cacheDirectoryMarker)).toBe(false)
  expect(hasMarker(directoryWith('cachedir.tag', TAG), cacheDirectoryMarker)).toBe(false)
  expect(hasMarker(tempDirectory(), cacheDirectoryMarker)).toBe(false)
})

test('a tag that is no regular file does not count', (context) => {
  needsNativeCalls(context)
  const [link, directory, fifo] = [tempDirectory(), tempDirectory(), tempDirectory()]
  symlinkSync(join(directoryWith('CACHEDIR.TAG', TAG), 'CACHEDIR.TAG'), join(link, 'CACHEDIR.TAG'))
  mkdirSync(join(directory, 'CACHEDIR.TAG'))
  createSpecialFile(join(fifo, 'CACHEDIR.TAG'), 'fifo')
  for (const each of [link, directory, fifo]) expect(hasMarker(each, cacheDirectoryMarker)).toBe(false)
})

test('a marker without a header counts by its name alone', () => {
  const marker = parseMarker('.nobackup')
  expect(hasMarker(directoryWith('.nobackup', ''), marker)).toBe(true)
  expect(hasMarker(directoryWith('.nobackup2', ''), marker)).toBe(false)
  const dangling = tempDirectory()
  symlinkSync('/no/such/path', join(dangling, '.nobackup'))
  expect(hasMarker(dangling, marker)).toBe(true)
})

test('parseMarker() splits at the first colon', () => {
  expect(parseMarker('.skip:a:b')).toEqual({ name: '.skip', header: 'a:b' })
  expect(hasMarker(directoryWith('.skip', 'a:b and more'), parseMarker('.skip:a:b'))).toBe(true)
})

test.each(['', ':header', 'a/b', '..', '.'])('"%s" names no marker', (text) => {
  expect(() => parseMarker(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
})
