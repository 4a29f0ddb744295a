import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { chunkId } from '../../../src/encoding/index.ts'
import { createPageMemory } from '../../../src/find/page-memory.ts'

const id = (name: number) => chunkId(createHash('sha256').update(String(name)).digest())

test('it has what it was told last, for the state it was told, and never what it was not told', () => {
  const memory = createPageMemory(64)
  for (let page = 0; page < 1000; page++) {
    const state = page % 5
    expect(memory.has(id(page), state)).toBe(false)
    memory.add(id(page), state)
    expect(memory.has(id(page), state)).toBe(true)
    expect(memory.has(id(page), state + 1)).toBe(false)
  }
  const kept = Array.from({ length: 1000 }, (_, page) => memory.has(id(page), page % 5))
  expect(kept.filter(Boolean).length).toBeLessThanOrEqual(64)
})

test('with room it forgets little', () => {
  const memory = createPageMemory()
  for (let page = 0; page < 1000; page++) memory.add(id(page), 0)
  const kept = Array.from({ length: 1000 }, (_, page) => memory.has(id(page), 0))
  expect(kept.filter(Boolean).length).toBeGreaterThan(950)
})
