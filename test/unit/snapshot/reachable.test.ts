import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ChunkId, toHex } from '../../../src/encoding/index.ts'
import { fileName, markLostPacks } from '../../../src/repository/index.ts'
import { createChunkSet, isTreeWhole, listSnapshots } from '../../../src/snapshot/index.ts'
import { createStore, randomChunks, storeChunks } from '../repository/scene.ts'
import { commitFiles } from './scene.ts'

describe('createChunkSet()', () => {
  test('is a set, of chunks the index knows, comes to know, and never knows', async () => {
    const repository = await createStore().create()
    const early = await storeChunks(repository, 'data', randomChunks(40, 20))
    const lateBytes = randomChunks(40, 20)
    const ids = [
      ...early,
      ...lateBytes.map((bytes) => Uint8Array.from(repository.chunkIdOf('data', bytes)) as ChunkId),
      ...randomChunks(20, 32).map((bytes) => bytes as Uint8Array as ChunkId),
    ]
    const half = fc.array(fc.nat(ids.length - 1), { maxLength: 60 })
    const model = new Set<string>()
    const set = createChunkSet(repository)
    const use = ([numbers]: [number[]]): void => {
      for (const number of numbers) {
        const id = ids[number]!
        expect(set.has(id)).toBe(model.has(toHex(id)))
        expect(set.add(id)).toBe(!model.has(toHex(id)))
        model.add(toHex(id))
        expect(set.has(id)).toBe(true)
      }
    }
    fc.assert(fc.property(fc.tuple(half), use), { numRuns: 3 })
    // Now the index learns of chunks that the set may hold by name.
    await storeChunks(repository, 'data', lateBytes)
    for (const id of ids) expect(set.has(id)).toBe(model.has(toHex(id)))
    fc.assert(fc.property(fc.tuple(half), use), { numRuns: 10 })
    expect(set.isValid()).toBe(true)
  })

  test('holds the largest chunk numbers there can be', () => {
    const number = 2 ** 31 + 5
    const index = { chunkNumbers: 8, chunkNumber: () => number }
    const set = createChunkSet({ index } as unknown as Parameters<typeof createChunkSet>[0])
    const id = randomChunks(1, 32)[0] as Uint8Array as ChunkId
    expect([set.has(id), set.add(id), set.has(id), set.add(id)]).toEqual([false, true, true, false])
    expect(set.hasNumber(number - 1)).toBe(false)
  })

  test('says that it is void once the index was built anew', async () => {
    const repository = await createStore().create()
    const [id] = await storeChunks(repository, 'data', randomChunks(3, 20))
    const set = createChunkSet(repository)
    set.add(id!)
    await repository.index.reset()
    await repository.loadIndex()
    expect(set.isValid()).toBe(false)
  })
})

describe('isTreeWhole()', () => {
  test('is true exactly while every chunk has a good copy', async () => {
    const store = createStore()
    const repository = await store.create()
    await commitFiles(repository, { one: 'first' })
    const before = new Set([...store.names('data'), ...store.names('trees')])
    await commitFiles(repository, { one: 'first', two: 'second' })
    const added = [...store.names('data'), ...store.names('trees')].filter((name) => !before.has(name))
    expect(added).toHaveLength(2)
    for (const lost of [undefined, ...before, ...added]) {
      const client = await createStore(new Map(store.files)).open()
      const names = (await listSnapshots(client)).snapshots
      if (lost !== undefined) await client.backend.remove(lost)
      await client.loadIndex()
      await markLostPacks(client)
      const isWhole = await Promise.all(names.map(({ tree }) => isTreeWhole(client, tree)))
      const [older, newer] = [isWhole[0]!, isWhole[1]!]
      if (lost === undefined) expect([older, newer]).toEqual([true, true])
      else if (added.includes(lost)) expect([older, newer].filter(Boolean)).toHaveLength(1)
      else expect([older, newer]).toContain(false)
    }
  })

  test('counts a tree that cannot be read as not whole', async () => {
    const store = createStore()
    const repository = await store.create()
    await commitFiles(repository, { one: 'first' })
    const reader = await store.open()
    await reader.loadIndex()
    const { snapshots } = await listSnapshots(reader)
    const [row] = [...reader.index.packs()].filter((pack) => pack.kind === 'tree')
    const name = fileName('tree', row!.id)
    const bytes = Buffer.from(store.files.get(name)!)
    bytes[100]! ^= 1
    store.files.set(name, bytes)
    expect(await isTreeWhole(reader, snapshots[0]!.tree)).toBe(false)
  })
})
