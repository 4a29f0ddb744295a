import { describe, expect, test } from 'vitest'
import { loadZstd } from '../../../src/compression/index.ts'
import { createBlockBuilder } from '../../../src/pack/index.ts'
import { fileName, RunWriter } from '../../../src/repository/index.ts'
import { createStore, ownId, randomChunks, storeChunks, write } from './scene.ts'

describe('RunWriter', () => {
  test('stores each chunk once, whatever repeats in the run or is stored already', async () => {
    const store = createStore()
    const repository = await store.create()
    const [first, second] = randomChunks(2, 1000)
    const ids = await storeChunks(repository, 'data', [first!, second!, first!])
    expect(ids[0]).toEqual(ids[2])
    await write(repository, (writer) => {
      expect(writer.saveChunk('data', ids[0]!, first!)).toBe(false)
      expect(writer.reserveData(ids[1]!)).toBe(false)
      expect(writer.statistics.dataChunks).toBe(0)
    })
    expect([...repository.index.chunks()]).toHaveLength(2)
    expect(await repository.readChunk('data', ids[0]!)).toEqual(first)
  })

  test('isStored() is true from the moment a chunk is taken, and for every later run', async () => {
    const repository = await createStore().create()
    const bytes = Buffer.from('chunk')
    const id = ownId(repository, 'data', bytes)
    await write(repository, (writer) => {
      expect(writer.isStored(id)).toBe(false)
      writer.saveChunk('data', id, bytes)
      expect(writer.isStored(id)).toBe(true)
    })
    await write(repository, (writer) => expect(writer.isStored(id)).toBe(true))
  })

  test('tree chunks have ids of their own, also for the same bytes', async () => {
    const repository = await createStore().create()
    const bytes = Buffer.from('the same')
    const [data] = await storeChunks(repository, 'data', [bytes])
    const tree = await write(repository, (writer) => Uint8Array.from(writer.saveTree(bytes)))
    expect(tree).not.toEqual(Uint8Array.from(data!))
    expect(await repository.readTree(tree as typeof data & object)).toEqual(bytes)
    await expect(repository.readChunk('data', tree as typeof data & object)).rejects.toMatchObject({
      code: 'DAMAGED',
    })
  })

  test('counts what it adds', async () => {
    const repository = await createStore().create()
    await write(repository, async (writer) => {
      const chunks = randomChunks(3, 400_000)
      for (const bytes of chunks) writer.saveChunk('data', ownId(repository, 'data', bytes), bytes)
      writer.saveTree(Buffer.from('tree'))
      await writer.finish()
      expect(writer.statistics).toMatchObject({
        dataChunks: 3,
        dataBytes: 1_200_000,
        treeChunks: 1,
        treeBytes: 4,
      })
      expect(writer.packedBytes.data).toBeGreaterThan(1_200_000)
    })
  })

  test('a chunk of the largest size has a block of its own and reads back', async () => {
    const repository = await createStore().create()
    const [large] = randomChunks(1, 4 << 20)
    const ids = await storeChunks(repository, 'data', [Buffer.from('a'), large!, Buffer.from('b')])
    expect((await repository.readChunk('data', ids[1]!)).equals(large!)).toBe(true)
    expect((await repository.readChunk('data', ids[2]!)).toString()).toBe('b')
  })

  test('what it finished is known to a client that loads the index, and named by the session', async () => {
    const store = createStore()
    const repository = await store.create()
    const session = await write(repository, (writer) => {
      const bytes = Buffer.from('chunk')
      writer.saveChunk('data', ownId(repository, 'data', bytes), bytes)
      return writer.session
    })
    const other = await store.open()
    expect(await other.loadIndex()).toBe(true)
    expect(await other.loadIndex()).toBe(false)
    expect([...other.index.packs()]).toMatchObject([{ kind: 'data', session, state: 'good' }])
  })

  test('a dry run counts and writes nothing', async () => {
    const store = createStore()
    const repository = await store.create()
    const before = [...store.files.keys()]
    const writer = new RunWriter(repository, '0'.repeat(32) as RunWriter['session'], { isDryRun: true })
    const [bytes] = randomChunks(1, 3000)
    expect(writer.saveChunk('data', ownId(repository, 'data', bytes!), bytes!)).toBe(true)
    await writer.finish()
    expect(writer.statistics).toMatchObject({ dataChunks: 1, dataBytes: 3000 })
    expect([...store.files.keys()]).toEqual(before)
  })

  test('packs come before the index file that lists them', async () => {
    const store = createStore()
    const repository = await store.create()
    store.calls.length = 0
    await storeChunks(repository, 'data', randomChunks(3, 1000))
    const puts = store.calls.filter(({ operation }) => operation === 'commit' || operation === 'put')
    expect(puts.map(({ name }) => name.split('/')[0])).toEqual(['sessions', 'data', 'index'])
  })

  test('discard() leaves finished packs, no temporary files, and nothing that is listed but gone', async () => {
    const store = createStore()
    const repository = await store.create({ settings: { packTargetBytes: 4 << 20 } })
    const session = '1'.repeat(32) as RunWriter['session']
    const writer = new RunWriter(repository, session, { compressionLevel: 0 })
    for (const bytes of randomChunks(10, 1 << 20))
      writer.saveChunk('data', ownId(repository, 'data', bytes), bytes)
    await writer.drained()
    await new Promise(setImmediate)
    await writer.discard()
    expect(store.names('tmp')).toEqual([])
    for (const row of repository.index.packs()) expect(store.files.has(fileName(row.kind, row.id))).toBe(true)
  })

  test('a block with the same chunk twice reads back', async () => {
    const repository = await createStore().create()
    const bytes = Buffer.from('twice')
    const id = ownId(repository, 'data', bytes)
    await write(repository, (writer) => {
      const builder = createBlockBuilder(loadZstd(), 1 << 20, 0)
      builder.add(id, bytes)
      builder.add(id, bytes)
      writer.addBlock('data', builder.take()!)
    })
    expect((await repository.readChunk('data', id)).toString()).toBe('twice')
  })
})
