import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { expandPattern } from '../../../src/cli/patterns.ts'
import { displayName } from '../../../src/encoding/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-patterns-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
for (const name of ['a.txt', 'b.txt', 'b.md', '.hidden', 'star*', 'sub/c.txt', 'sub2/c.txt', 'x]y', 'x^y']) {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), '')
}
writeFileSync(Buffer.concat([Buffer.from(`${folder}/raw`), Buffer.of(0xff), Buffer.from('.txt')]), '')

function expand(pattern: string): string[] {
  return expandPattern(join(folder, pattern)).map((path) => displayName(path).slice(folder.length + 1))
}

test.each([
  ['*.txt', ['a.txt', 'b.txt', 'raw\\xff.txt']],
  ['?.txt', ['a.txt', 'b.txt']],
  ['[ab].*', ['a.txt', 'b.md', 'b.txt']],
  ['[!a].txt', ['b.txt']],
  ['.h*', ['.hidden']],
  ['star\\*', ['star*']],
  ['sub*/c.txt', ['sub/c.txt', 'sub2/c.txt']],
  ['s*/[!b].???', ['sub/c.txt', 'sub2/c.txt']],
  ['x[\\]^]y', ['x]y', 'x^y']],
  ['nothing*', []],
  ['not-there', ['not-there']],
])('%s', (pattern, names) => expect(expand(pattern)).toEqual(names))

test('a relative pattern gives relative paths', () => {
  const paths = expandPattern('pack*.json')
  expect(paths).toContain('package.json')
})
