import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ChunkId, chunkId } from '../../../src/encoding/index.ts'
import { createRunTableMemory, openRunTable, type RunTableMemory } from '../../../src/repository/run-table.ts'

function idOf(number: number): ChunkId {
  return chunkId(createHash('sha256').update(String(number)).digest())
}

const actions = fc.array(
  fc.record({ what: fc.constantFrom('reserve' as const, 'has' as const), id: fc.nat(300) }),
  { maxLength: 600 },
)

describe('a run table in one thread', () => {
  test('with room for all says exactly what a set says', () => {
    fc.assert(
      fc.property(actions, (list) => {
        const table = openRunTable(createRunTableMemory(1024))
        const model = new Set<number>()
        for (const { what, id } of list) {
          if (what === 'has') expect(table.has(idOf(id))).toBe(model.has(id))
          else {
            expect(table.reserve(idOf(id))).toBe(!model.has(id))
            model.add(id)
          }
        }
      }),
      { numRuns: 30 },
    )
  })

  test('that is too small forgets, but knows nothing that was not reserved', () => {
    fc.assert(
      fc.property(actions, fc.constantFrom(1, 2, 8, 32), (list, slots) => {
        const table = openRunTable(createRunTableMemory(slots))
        const model = new Set<number>()
        for (const { what, id } of list) {
          if (what === 'has') {
            if (table.has(idOf(id))) expect(model.has(id)).toBe(true)
          } else {
            if (!table.reserve(idOf(id))) expect(model.has(id)).toBe(true)
            model.add(id)
          }
        }
      }),
      { numRuns: 30 },
    )
  })

  test('tells ids apart that differ in any one byte', () => {
    const table = openRunTable(createRunTableMemory(256))
    const id = idOf(1)
    expect(table.reserve(id)).toBe(true)
    for (let at = 0; at < 32; at++) {
      const other = Uint8Array.from(id)
      other[at]! ^= 1
      expect(table.has(chunkId(other))).toBe(false)
      expect(table.reserve(chunkId(other))).toBe(true)
    }
    expect(table.reserve(id)).toBe(false)
  })

  test('remembers the most recent half of what it holds', () => {
    const table = openRunTable(createRunTableMemory(4096))
    for (let number = 0; number < 20_000; number++) {
      table.reserve(idOf(number))
      if (number >= 1000 && number % 101 === 0) expect(table.has(idOf(number - 1000))).toBe(true)
    }
  })

  test('is the same table wherever its memory is opened', () => {
    const memory = createRunTableMemory(256)
    expect(openRunTable(memory).reserve(idOf(1))).toBe(true)
    expect(openRunTable(memory).reserve(idOf(1))).toBe(false)
  })
})

const built = new URL('../../../dist/repository/run-table.js', import.meta.url)

/** Threads that all reserve the same ids, each from another start; how often each id was won. */
async function hammer(memory: RunTableMemory, threads: number, count: number): Promise<number[]> {
  const code = `
    const { workerData, parentPort } = require('node:worker_threads')
    const { createHash } = require('node:crypto')
    import(workerData.module).then(({ openRunTable }) => {
      const { memory, thread, threads, count, gate } = workerData
      const ids = Array.from({ length: count }, (_, number) => createHash('sha256').update(String(number)).digest())
      const table = openRunTable(memory)
      const won = []
      const flags = new Int32Array(gate)
      Atomics.add(flags, 0, 1)
      while (Atomics.load(flags, 0) < threads);
      for (let step = 0; step < count; step++) {
        // Half of the threads in the same order, so that they meet; half from a start of their own.
        const number = (step + (thread % 2) * Math.floor((thread * count) / threads)) % count
        if (table.reserve(ids[number])) won.push(number)
      }
      parentPort.postMessage(won)
    })`
  const gate = new SharedArrayBuffer(4)
  const results = Array.from({ length: threads }, (_, thread) => {
    const workerData = { module: built.href, memory, thread, threads, count, gate }
    const worker = new Worker(code, { eval: true, workerData })
    return new Promise<number[]>((resolve, reject) => {
      worker.on('message', resolve)
      worker.on('error', reject)
    })
  })
  const wins = new Array<number>(count).fill(0)
  for (const won of await Promise.all(results)) for (const number of won) wins[number]!++
  return wins
}

describe.skipIf(!existsSync(built))('a run table between threads', () => {
  test('gives each id to exactly one of them while nothing is forgotten', async () => {
    const wins = await hammer(createRunTableMemory(1 << 16), 4, 20_000)
    expect(wins.filter((count) => count !== 1)).toEqual([])
  })

  test('that is too small gives each id to at least one of them', async () => {
    for (const slots of [4, 64, 1024]) {
      const wins = await hammer(createRunTableMemory(slots), 4, 20_000)
      expect(wins.filter((count) => count === 0)).toEqual([])
    }
  })
})
