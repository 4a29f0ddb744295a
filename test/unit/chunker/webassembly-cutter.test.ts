import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const dist = fileURLToPath(new URL('../../../dist', import.meta.url))
let folder: string

// A copy of the built rooms, so that its WebAssembly can be damaged and removed.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-chunker-'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const room of ['chunker', 'errors'])
    cpSync(join(dist, room), join(folder, 'dist', room), { recursive: true })
})

afterAll(() => rmSync(folder, { recursive: true }))

interface Outcome {
  readonly engine: string
  readonly ends: readonly number[]
}

/** Cut the same bytes in a process of its own. */
function cutInChild(...flags: string[]): Outcome {
  const script = `
    import { createChunker, defaultParameters } from ${JSON.stringify(pathToFileURL(join(folder, 'dist/chunker/index.js')))}
    const chunker = createChunker(defaultParameters, Buffer.alloc(32, 7))
    for (let at = 0, state = 1; at < 300_000; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      chunker.window[at] = state >>> 24
    }
    const count = chunker.cut(300_000, true, 0)
    console.log(JSON.stringify({ engine: chunker.engine, ends: [...chunker.ends.subarray(0, count)] }))`
  const options = ['--no-warnings', ...flags, '--input-type=module', '--eval', script]
  return JSON.parse(execFileSync(process.execPath, options, { encoding: 'utf8' }))
}

test('the plain twin takes over where WebAssembly is switched off, damaged or not built, with the same cuts', () => {
  const expected = cutInChild()
  expect(expected.engine).toBe('webassembly')
  const plain = { engine: 'plain', ends: expected.ends }

  expect(cutInChild('--jitless')).toEqual(plain)
  truncateSync(join(folder, 'dist/chunker/gear.wasm'), 100)
  expect(cutInChild()).toEqual(plain)
  rmSync(join(folder, 'dist/chunker/gear.wasm'))
  expect(cutInChild()).toEqual(plain)
})
