import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeDirectories } from '../../../src/filesystem/index.ts'
import { tempDirectory } from './scene.ts'

test('makeDirectories() makes what is missing, with the mode, and says whether it did', () => {
  const place = tempDirectory()
  const path = join(place, 'a', 'b', 'c')
  expect(makeDirectories(path, 0o700)).toBe(true)
  expect(statSync(join(place, 'a')).mode & 0o777).toBe(0o700)
  expect(makeDirectories(path, 0o700)).toBe(false)
  expect(makeDirectories(`${path}/d/`, 0o700)).toBe(true)
})

test('makeDirectories() takes names that are not UTF-8', () => {
  const place = tempDirectory()
  const path = Buffer.concat([Buffer.from(`${place}/`), Buffer.from([0xff]), Buffer.from('/below')])
  expect(makeDirectories(path, 0o700)).toBe(true)
  expect(existsSync(path)).toBe(true)
})

test('makeDirectories() ends where something is in the way, or nothing can be made', () => {
  const place = tempDirectory()
  writeFileSync(join(place, 'file'), '')
  mkdirSync(join(place, 'folder'))
  expect(() => makeDirectories(join(place, 'file'), 0o700)).toThrow('EEXIST')
  expect(() => makeDirectories(join(place, 'file', 'below'), 0o700)).toThrow('ENOTDIR')
  if (existsSync('/proc/self')) expect(() => makeDirectories('/proc/nope/below', 0o700)).toThrow('ENOENT')
})
