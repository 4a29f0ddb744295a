import { expect, test } from 'vitest'
import type { ChunkId } from '../../../src/encoding/index.ts'
import { fileName, openRepository, type Repository } from '../../../src/repository/index.ts'
import {
  createStore,
  flipBit,
  type MemoryStore,
  ownId,
  randomChunks,
  secret,
  storeChunks,
  write,
} from './scene.ts'

/** Opens the repository on storage that can read at once. */
async function openNow(store: MemoryStore): Promise<Repository> {
  const backend = store.backend()
  backend.fillNow = (name, offsetBytes, target) =>
    store.files.get(name)!.copy(target, 0, offsetBytes) === target.length
  const repository = await openRepository(backend, { secret, cacheDirectory: null })
  await repository.loadIndex()
  store.calls.length = 0
  return repository
}

function ranges(store: MemoryStore): number {
  return store.calls.filter((call) => call.operation === 'getRange').length
}

test('a tree chunk is read at once where storage can', async () => {
  const store = createStore()
  const [bytes] = randomChunks(1, 1000)
  const [id] = await storeChunks(await store.create(), 'tree', [bytes!])
  const repository = await openNow(store)
  expect(repository.readTreeNow(id!)?.equals(bytes!)).toBe(true)
  expect(repository.readTreeNow(id!)?.equals(bytes!)).toBe(true)
  expect(ranges(store)).toBe(0)
})

test('elsewhere only after its block was read', async () => {
  const store = createStore()
  const [bytes] = randomChunks(1, 1000)
  const [id] = await storeChunks(await store.create(), 'tree', [bytes!])
  const repository = await store.open()
  await repository.loadIndex()
  expect(repository.readTreeNow(id!)).toBeUndefined()
  await repository.readTree(id!)
  expect(repository.readTreeNow(id!)?.equals(bytes!)).toBe(true)
})

test('a pack that is damaged in its block is left to readTree', async () => {
  const store = createStore()
  const [id] = await storeChunks(await store.create(), 'tree', randomChunks(1, 1000))
  const repository = await openNow(store)
  const file = fileName('tree', repository.index.find(id!)!.block.pack)
  flipBit(store.files, file, 60)
  expect(repository.readTreeNow(id!)).toBeUndefined()
  await expect(repository.readTree(id!)).rejects.toMatchObject({ code: 'DAMAGED', file })
})

test('a chunk that is not what its id says is left to readTree', async () => {
  const store = createStore()
  const repository = await store.create()
  const [bytes, other] = randomChunks(2, 1000)
  const wrong = ownId(repository, 'tree', other!)
  await write(repository, (writer) => void writer.saveChunk('tree', wrong, bytes!))
  const reader = await openNow(store)
  expect(reader.readTreeNow(wrong)).toBeUndefined()
  await expect(reader.readTree(wrong)).rejects.toMatchObject({ code: 'DAMAGED' })
})

test('the thread turns to its event loop however much is read at once', async () => {
  const store = createStore()
  const [id] = await storeChunks(await store.create(), 'tree', randomChunks(1, 1000))
  const repository = await openNow(store)
  const readUntilRefused = (wanted: ChunkId): number => {
    for (let count = 0; count < 100_000; count++) if (!repository.readTreeNow(wanted)) return count
    return Number.POSITIVE_INFINITY
  }
  expect(readUntilRefused(id!)).toBeLessThan(2000)
  let hasTurned = false
  setImmediate(() => {
    hasTurned = true
  })
  await repository.readTree(id!)
  expect(hasTurned).toBe(true)
  expect(readUntilRefused(id!)).toBeGreaterThan(500)
})
