import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createExcluder, parseExcludeFile } from '../../../src/filesystem/index.ts'
import { tempDirectory } from './scene.ts'

describe('what each pattern leaves out', () => {
  const rows: [patterns: string[], excluded: string[], kept: string[]][] = [
    [['*.tmp'], ['/a.tmp', '/x/y/b.tmp', '/x.tmp/'], ['/a.tmpx', '/tmp']],
    [['node_modules/'], ['/p/node_modules/', '/p/node_modules/a/b'], ['/p/node_modules']],
    [
      ['/home/*/.cache'],
      ['/home/ann/.cache/', '/home/ann/.cache/x'],
      ['/mnt/home/ann/.cache/', '/home/a/b/.cache'],
    ],
    [['a/b'], ['/a/b', '/x/y/a/b/', '/a/b/c'], ['/a', '/b', '/a/x/b']],
    [['a/**/b'], ['/a/b', '/a/x/y/b', '/z/a/x/b'], ['/a/x']],
    [['**/a'], ['/a', '/x/a'], ['/xa']],
    [['/a'], ['/a', '/a/b'], ['/x/a']],
    [['file?.[0-9]'], ['/file1.2'], ['/file.2', '/file12.3', '/file/.2']],
    [['*.log', '!keep.log'], ['/a.log'], ['/keep.log', '/x/keep.log']],
    [['!keep.log', '*.log'], ['/keep.log'], []],
    [['logs/', '!logs/keep'], ['/logs/keep', '/logs/'], []],
    [
      ['x/logs/*', '!x/logs/keep'],
      ['/x/logs/a', '/y/x/logs/a'],
      ['/x/logs/keep', '/y/x/logs/keep', '/x/logs/'],
    ],
    [['#odd#', '\\!odd'], ['/#odd#', '/x/!odd'], ['/odd']],
    [['Case'], ['/Case'], ['/case']],
    [
      ['with space', 'ä?'],
      ['/with space', '/äö'],
      ['/with', '/ä'],
    ],
    [['*'], ['/a', '/a/b'], ['/']],
  ]
  test.each(rows)('%j', (patterns, excluded, kept) => {
    const isExcluded = createExcluder({ patterns })
    const ask = (path: string): boolean => {
      const isDirectory = path.endsWith('/')
      return isExcluded(isDirectory && path !== '/' ? path.slice(0, -1) : path, isDirectory)
    }
    expect(excluded.filter((path) => !ask(path))).toEqual([])
    expect(kept.filter(ask)).toEqual([])
  })
})

test('insensitive patterns stand beside the others', () => {
  const isExcluded = createExcluder({ patterns: ['*.o', '!B.JPG'], insensitivePatterns: ['*.jpg'] })
  expect(['/a.JPG', '/b.jpg', '/B.JPG', '/c.o', '/c.O'].map((path) => isExcluded(path, false))).toEqual([
    true,
    true,
    true,
    true,
    false,
  ])
})

test('a path that is not UTF-8 is matched, with one character for the odd byte', () => {
  const path = Buffer.concat([Buffer.from('/data/x'), Buffer.from([0xff]), Buffer.from('y.tmp')])
  expect(createExcluder({ patterns: ['*.tmp'] })(path, false)).toBe(true)
  expect(createExcluder({ patterns: ['x?y.tmp'] })(path, false)).toBe(true)
  expect(createExcluder({ patterns: ['xy.tmp'] })(path, false)).toBe(false)
})

test('without patterns nothing is left out', () => {
  expect(createExcluder({})('/anything', true)).toBe(false)
})

test('answers do not depend on what was asked before, however much that was', () => {
  const isExcluded = createExcluder({ patterns: ['drop*/', '*.tmp', '!keep.tmp'] })
  for (let index = 0; index < 25_000; index++) {
    expect(isExcluded(`/drop${index % 7}/sub/${index}`, false)).toBe(true)
    expect(isExcluded(`/data/${index}/keep.tmp`, false)).toBe(false)
  }
})

test.each(['', '!', '   ', 'ends with \\', '!x\\'])('the pattern "%s" is a mistake of usage', (pattern) => {
  expect(() => createExcluder({ patterns: [pattern] })).toThrow(expect.objectContaining({ code: 'USAGE' }))
})

test('patterns with a slash at the start mean what git makes of them at the root of a work tree', (context) => {
  const directory = tempDirectory()
  const git = (...words: string[]): ReturnType<typeof spawnSync> =>
    spawnSync('git', words, { cwd: directory })
  context.skip(git('init', '-q').status !== 0, 'needs git')
  const part = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '?', '**', '[ab]')
  const pattern = fc
    .tuple(fc.constantFrom('', '!'), fc.array(part, { minLength: 1, maxLength: 3 }))
    .map(([not, parts]) => {
      return `${not}/${parts.join('/')}`
    })
  const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba'), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), path, (patterns, names) => {
      writeFileSync(join(directory, '.git/info/exclude'), patterns.map((each) => `${each}\n`).join(''))
      const relative = names.join('/')
      const expected = git('check-ignore', '-q', '--no-index', '--', relative).status === 0
      expect(createExcluder({ patterns })(`/${relative}`, false)).toBe(expected)
    }),
    { numRuns: 200 },
  )
})

test('parseExcludeFile() drops comments and blank lines and keeps the rest as it is', () => {
  const text = '\ufeff# comment\n*.tmp\r\n\n   \n  indented\n\\#not a comment\n$HOME/x\n/last'
  expect(parseExcludeFile(text)).toEqual(['*.tmp', '  indented', '\\#not a comment', '$HOME/x', '/last'])
})

test('what leads to a source is not meant by a pattern that matches it; the source and what is below are', () => {
  const isExcluded = createExcluder({ patterns: ['tmp', 'a [b]'], insensitivePatterns: ['HOME'] }, [
    '/home/tmp/a [b]/work',
  ])
  const ask = (path: string): boolean => isExcluded(path, true)
  expect(ask('/home/tmp/a [b]/work/file')).toBe(false)
  expect(ask('/home/tmp/a [b]/work/tmp')).toBe(true)
  expect(ask('/home/tmp/a [b]/work/home/x')).toBe(true)
  expect(createExcluder({ patterns: ['work'] }, ['/home/work'])('/home/work/file', false)).toBe(true)
})
