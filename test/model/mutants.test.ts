import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createMutants, type Mutant } from './mutants.ts'
import { loadBuilt, type Product } from './product.ts'
import { createStart, runSchedule, showTrace, type Universe } from './schedule.ts'
import { NOW_MS } from './world.ts'

/** Schedules after which a rule that is off has to have shown. */
const MAXIMUM_SCHEDULES = 600

const built = fileURLToPath(new URL('../../dist', import.meta.url))
const copies = fileURLToPath(new URL('../../node_modules/.cache/holdfast-mutants', import.meta.url))
const sources = mkdtempSync(join(tmpdir(), 'holdfast-model-'))
for (const name of ['a', 'b']) writeFileSync(join(sources, name), name.repeat(300))
let whole: Product

beforeAll(async () => {
  // Files that were written just now would be read again by every backup.
  vi.useFakeTimers({ toFake: ['Date'], now: NOW_MS })
  rmSync(copies, { recursive: true, force: true })
  whole = await loadBuilt(copyBuilt('whole'))
})

afterAll(() => {
  vi.useRealTimers()
  for (const directory of [copies, sources]) rmSync(directory, { recursive: true, force: true })
})

/** Copies lie where the packages the product depends on are found. */
function copyBuilt(name: string): string {
  const copy = join(copies, name)
  mkdirSync(copy, { recursive: true })
  cpSync(built, copy, {
    recursive: true,
    filter: (path) => !path.endsWith('.d.ts') && !path.endsWith('/cli'),
  })
  writeFileSync(join(copy, 'package.json'), '{ "type": "module" }')
  return copy
}

/** @throws when a text is not there exactly once: then the mutant no longer says what it should */
function applyChanges(copy: string, { changes }: Mutant): void {
  for (const { file, find, replace } of changes) {
    const path = join(copy, file)
    const parts = readFileSync(path, 'utf8').split(find)
    expect(parts, `${file} has once: ${find}`).toHaveLength(2)
    writeFileSync(path, parts.join(replace))
  }
}

test.each(createMutants(sources).map((mutant, number) => [mutant.rule, mutant, number] as const))(
  'without "%s" the model finds the loss, with it none',
  async (rule, mutant, number) => {
    const copy = copyBuilt(`mutant-${number}`)
    applyChanges(copy, mutant)
    const product = await loadBuilt(copy)
    const universe: Universe = { ...mutant.universe, name: rule }
    const start = await createStart(product, universe)
    const wholeStart = await createStart(whole, universe)
    for (let seed = 0; seed < MAXIMUM_SCHEDULES; seed++) {
      const sound = await runSchedule(universe, wholeStart, seed)
      expect(sound.violation, showTrace(sound)).toBeUndefined()
      const { violation } = await runSchedule(universe, start, seed)
      if (violation !== undefined && mutant.violates.test(violation)) return
    }
    expect.fail(`${MAXIMUM_SCHEDULES} schedules without a loss`)
  },
)
