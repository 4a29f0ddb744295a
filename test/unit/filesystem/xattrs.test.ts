import { chownSync, closeSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Xattr } from '../../../src/filesystem/index.ts'
import { readXattrs } from '../../../src/filesystem/index.ts'
import { withNode } from '../../../src/filesystem/node.ts'
import type { Problem } from '../../../src/filesystem/problem.ts'
import { writeXattrs } from '../../../src/filesystem/xattrs.ts'
import { asNobody, needsNativeCalls, needsRoot, tempDirectory } from './scene.ts'

function xattr(name: string, value: string | Buffer): Xattr {
  return [Buffer.from(name), Buffer.from(value)]
}

function write(path: string, xattrs: readonly Xattr[]): Problem[] {
  return withNode(path, (node) => writeXattrs(node, xattrs))
}

function newFile(): string {
  const path = join(tempDirectory(), 'file')
  writeFileSync(path, '')
  return path
}

test('any attributes come back, in order of the bytes of their names', (context) => {
  needsNativeCalls(context)
  const path = newFile()
  const name = fc.uint8Array({ minLength: 1, maxLength: 30, min: 1 }).map((bytes) => {
    return Buffer.concat([Buffer.from('user.'), bytes])
  })
  const value = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes))
  const lists = fc.uniqueArray(fc.tuple(name, value), {
    selector: ([bytes]) => bytes.toString('hex'),
    maxLength: 8,
  })
  fc.assert(
    fc.property(lists, (xattrs) => {
      expect(write(path, xattrs)).toEqual([])
      const sorted = [...xattrs].sort(([left], [right]) => Buffer.compare(left, right))
      expect(readXattrs(path)).toEqual({ xattrs: sorted, problems: [] })
    }),
  )
})

test('an open file is read by its descriptor', (context) => {
  needsNativeCalls(context)
  const path = newFile()
  write(path, [xattr('user.note', 'kept')])
  const fd = openSync(path, 'r')
  expect(readXattrs('/not/this/path', fd).xattrs).toEqual([xattr('user.note', 'kept')])
  closeSync(fd)
})

test('a symbolic link has its own attributes, not those of its target', (context) => {
  needsRoot(context)
  needsNativeCalls(context)
  const path = newFile()
  write(path, [xattr('user.note', 'of the file')])
  symlinkSync('file', `${path}.link`)
  expect(readXattrs(`${path}.link`).xattrs).toEqual([])
  expect(write(`${path}.link`, [xattr('trusted.note', 'of the link')])).toEqual([])
  expect(readXattrs(`${path}.link`).xattrs).toEqual([xattr('trusted.note', 'of the link')])
  expect(readXattrs(path).xattrs).toEqual([xattr('user.note', 'of the file')])
})

test('an attribute that cannot be set is reported and the others are set', (context) => {
  needsNativeCalls(context)
  const path = newFile()
  const tooBig = xattr('user.big', Buffer.alloc(70_000))
  const noName = xattr('user.nul\0byte', '')
  const problems = write(path, [xattr('user.a', '1'), tooBig, noName, xattr('user.c', '3')])
  expect(problems.map(({ message }) => message)).toEqual([
    'its extended attribute user.big cannot be set (E2BIG)',
    'its extended attribute user.nul\\x00byte cannot be set (EINVAL)',
  ])
  expect(readXattrs(path).xattrs).toEqual([xattr('user.a', '1'), xattr('user.c', '3')])
})

test('a file system without attributes has none', (context) => {
  needsNativeCalls(context)
  expect(readXattrs('/proc/self/status')).toEqual({ xattrs: [], problems: [] })
})

test('what only root may set is no problem to others', (context) => {
  needsRoot(context)
  needsNativeCalls(context)
  const path = newFile()
  for (const each of [path, dirname(path)]) chownSync(each, 65_534, 65_534)
  const problems = asNobody(() => write(path, [xattr('user.note', 'kept'), xattr('trusted.note', 'refused')]))
  expect(problems).toEqual([])
  expect(readXattrs(path).xattrs).toEqual([xattr('user.note', 'kept')])
})

test('a path that is not there is reported', (context) => {
  needsNativeCalls(context)
  const { xattrs, problems } = readXattrs('/no/such/path')
  expect(xattrs).toEqual([])
  expect(problems).toMatchObject([{ what: 'xattr', cause: { code: 'ENOENT' } }])
})
