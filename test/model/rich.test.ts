import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, vi } from 'vitest'
import { testUniverses } from './run.ts'
import { richUniverses } from './universes.ts'
import { NOW_MS } from './world.ts'

const directory = mkdtempSync(join(tmpdir(), 'holdfast-model-'))
for (const name of ['a', 'b']) writeFileSync(join(directory, name), name.repeat(300))

// Files that were written just now would be read again by every backup.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW_MS }))
afterAll(() => {
  vi.useRealTimers()
  rmSync(directory, { recursive: true, force: true })
})

testUniverses(richUniverses(directory))
