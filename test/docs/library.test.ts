import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = new URL('../..', import.meta.url).pathname
let place = ''

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'holdfast-library-'))
})
afterEach(() => rmSync(place, { recursive: true, force: true }))

test("docs/library.md's example backs up, lists, restores, verifies, forgets and prunes", () => {
  const page = readFileSync(join(root, 'docs/library.md'), 'utf8')
  const example = /```js\n([\s\S]*?)```/.exec(page)![1]!
  const program = join(place, 'example.mjs')
  writeFileSync(program, example.replace("'holdfast'", JSON.stringify(join(root, 'dist/index.js'))))
  mkdirSync(join(place, 'source', 'folder'), { recursive: true })
  writeFileSync(join(place, 'source', 'folder', 'letter.txt'), 'Dear reader')

  const args = [program, join(place, 'source'), join(place, 'repository'), join(place, 'target')]
  const printed = execFileSync(process.execPath, args, { encoding: 'utf8' })

  expect(printed).toMatch(/^saved 1 files as [0-9a-f]{8}$/m)
  expect(printed).toContain(`file ${place}/source/folder/letter.txt`)
  expect(printed).toContain('0 problems')
  const restored = join(place, 'target', place, 'source/folder/letter.txt')
  expect(readFileSync(restored, 'utf8')).toBe('Dear reader')
})
