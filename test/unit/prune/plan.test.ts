import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { prune } from '../../../src/prune/index.ts'
import { createStore, type MemoryStore } from '../repository/scene.ts'
import { commitFiles } from '../snapshot/scene.ts'

const DEAD_BYTES = [0, 80_000, 160_000, 240_000, 320_000]

/** Five packs, each with 400 kB that a snapshot needs and some that none does. */
async function createPartlyUsed(): Promise<MemoryStore> {
  const store = createStore()
  const repository = await store.create()
  const needed: Record<string, string> = {}
  for (const [number, deadBytes] of DEAD_BYTES.entries()) {
    const live = randomBytes(200_000).toString('hex')
    const dead = randomBytes(deadBytes / 2 + 1).toString('hex')
    needed[`live${number}`] = live
    const snapshot = await commitFiles(repository, { live, dead })
    await repository.removeFile('snapshot', snapshot)
  }
  await commitFiles(repository, needed)
  return store
}

test.each([
  [1, 0],
  [0.2, 1],
  [0.1, 3],
  [0.0001, 4],
  [0, 5],
])('with %d of all that may stay unused, the worst %i packs are rewritten', async (maxUnused, count) => {
  const store = await createPartlyUsed()

  const { plan } = await prune(await store.open(), { maxUnused, isDryRun: true })

  expect(plan.rewrite.count).toBe(count)
  expect(plan.unusedBytesKept).toBeLessThanOrEqual(maxUnused * (plan.keep.bytes + plan.rewrite.bytes))
})

test('what may stay unused counts once: a second prune has nothing to do', async () => {
  const store = await createPartlyUsed()
  const { plan: first } = await prune(await store.open(), { maxUnused: 0.15 })
  expect(first.rewrite.count).toBeGreaterThan(0)

  const { plan: second } = await prune(await store.open(), { maxUnused: 0.2 })

  expect(second).toMatchObject({ rewrite: { count: 0 }, drop: { count: 0 } })
})

test('packs that are rewritten stay within what may be rewritten in one run', async () => {
  const store = await createPartlyUsed()
  const { plan } = await prune(await store.open(), { maxUnused: 0, maxRepackBytes: 800_000, isDryRun: true })
  expect(plan.rewrite.count).toBeGreaterThan(0)
  expect(plan.rewrite.bytes).toBeLessThanOrEqual(800_000)
})

test('what goes anyhow does not count for what may stay unused', async () => {
  const store = await createPartlyUsed()
  const repository = await store.open()
  for (let number = 0; number < 9; number++) {
    const gone = randomBytes(600_000).toString('hex')
    await repository.removeFile('snapshot', await commitFiles(repository, { gone }))
  }
  const { plan: first } = await prune(await store.open(), { maxUnused: 0.1 })
  expect(first.drop.count).toBeGreaterThanOrEqual(9)
  const { plan: second } = await prune(await store.open(), { maxUnused: 0.1 })
  expect(second).toMatchObject({ rewrite: { count: 0 }, drop: { count: 0 } })
})

test('what may stay unused can be bytes', async () => {
  const store = await createPartlyUsed()
  for (const [bytes, count] of [
    [10_000_000, 0],
    [250_000, 1],
    [0, 5],
  ] as const) {
    const { plan } = await prune(await store.open(), { maxUnused: { bytes }, isDryRun: true })
    expect(plan.rewrite.count).toBe(count)
    expect(plan.unusedBytesKept).toBeLessThanOrEqual(bytes)
  }
})
