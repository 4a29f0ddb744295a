import { describe, expect, test } from 'vitest'
import { type BlockResult, fileName, packPlaces, type Repository } from '../../../src/repository/index.ts'
import { createBlockOpener } from '../../../src/repository/worker.ts'
import {
  createStore,
  flipBit,
  type MemoryStore,
  ownId,
  randomChunks,
  storeBlocks,
  storeChunks,
} from './scene.ts'

async function collect(results: AsyncIterable<BlockResult>): Promise<BlockResult[]> {
  const found: BlockResult[] = []
  for await (const result of results) found.push(result)
  return found
}

function ranges(store: MemoryStore): number {
  return store.calls.filter((call) => call.operation === 'getRange').length
}

async function scene(
  blockCount: number,
  lengthBytes: number,
): Promise<{
  store: MemoryStore
  reader: Repository
  file: string
  chunks: Buffer[]
  places: Awaited<ReturnType<typeof storeBlocks>>['places']
}> {
  const store = createStore()
  const repository = await store.create()
  const chunks = randomChunks(blockCount, lengthBytes)
  const { pack, places } = await storeBlocks(
    repository,
    chunks.map((bytes) => [bytes]),
  )
  const reader = await store.open()
  await reader.loadIndex()
  store.calls.length = 0
  return { store, reader, file: fileName('data', pack), chunks, places }
}

describe('readBlocks()', () => {
  test('reads neighbours in one request, over small gaps, and gives them in order', async () => {
    const { store, reader, chunks, places } = await scene(20, 10_000)
    const all = await collect(reader.readBlocks(places))
    expect(
      all.map((result) => 'plain' in result && result.plain.equals(chunks[result.place.number]!)),
    ).toEqual(chunks.map(() => true))
    expect(ranges(store)).toBe(1)
    const some = await collect(reader.readBlocks(places.filter((place) => place.number % 5 === 0)))
    expect(some.map((result) => result.place.number)).toEqual([0, 5, 10, 15])
    expect(ranges(store)).toBe(2)
  })

  test('does not read a large gap, nor more than 8 MiB at once', async () => {
    const far = await scene(20, 60_000)
    await collect(far.reader.readBlocks([far.places[0]!, far.places[1]!, far.places[10]!]))
    expect(ranges(far.store)).toBe(2)
    const long = await scene(20, 1 << 20)
    await collect(long.reader.readBlocks(long.places))
    expect(ranges(long.store)).toBe(Math.ceil(20 / 7))
  })

  test('one damaged block is reported alone', async () => {
    const { store, reader, file, chunks, places } = await scene(6, 10_000)
    flipBit(store.files, file, places[3]!.offsetBytes + 77)
    const results = await collect(reader.readBlocks(places))
    expect(results.map((result) => result.place.number)).toEqual([0, 1, 2, 3, 4, 5])
    for (const result of results) {
      if (result.place.number !== 3)
        expect('plain' in result && result.plain).toEqual(chunks[result.place.number])
      else expect('error' in result && result.error).toMatchObject({ code: 'DAMAGED', file })
    }
  })

  test('of a pack that was cut, what is left is read', async () => {
    const { store, reader, file, places } = await scene(6, 10_000)
    store.files.set(file, store.files.get(file)!.subarray(0, places[4]!.offsetBytes + 10))
    const results = await collect(reader.readBlocks(places))
    expect(results.map((result) => 'error' in result)).toEqual([false, false, false, false, true, true])
  })

  test('of a pack that is gone every block is an error, none is thrown', async () => {
    const { store, reader, file, places } = await scene(3, 1000)
    store.files.delete(file)
    const results = await collect(reader.readBlocks(places))
    expect(results).toHaveLength(3)
    for (const result of results)
      expect('error' in result && result.error).toMatchObject({ code: 'NO_SUCH_FILE' })
  })

  test('a damaged header costs no block: its salt is in the index', async () => {
    const { store, reader, file, places } = await scene(3, 1000)
    flipBit(store.files, file, 20)
    const results = await collect(reader.readBlocks(places))
    expect(results.map((result) => 'error' in result)).toEqual([false, false, false])
  })

  test('ends when it is aborted', async () => {
    const { reader, places } = await scene(3, 1000)
    const controller = new AbortController()
    controller.abort()
    await expect(collect(reader.readBlocks(places, controller.signal))).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
  })
})

describe('readPack()', () => {
  test('gives the places that the index gives', async () => {
    const { store, reader, places, file } = await scene(5, 10_000)
    const pack = places[0]!.pack
    const sizeBytes = store.files.get(file)!.length
    const content = await reader.readPack({ kind: 'data', id: pack, sizeBytes })
    expect(packPlaces('data', pack, content)).toEqual(places)
  })

  test('of a pack with a damaged header is the same, with the salt of the index', async () => {
    const { store, reader, places, file } = await scene(5, 10_000)
    const pack = { kind: 'data' as const, id: places[0]!.pack, sizeBytes: store.files.get(file)!.length }
    for (const at of [0, 8, 9, 20]) {
      flipBit(store.files, file, at)
      expect(packPlaces('data', pack.id, await reader.readPack(pack))).toEqual(places)
    }
    await reader.index.reset()
    await expect(reader.readPack(pack)).rejects.toMatchObject({ code: 'DAMAGED', file })
  })

  test('of a damaged footer, or with another size, is damage of that pack', async () => {
    const { store, reader, places, file } = await scene(5, 10_000)
    const pack = places[0]!.pack
    const size = store.files.get(file)!.length
    for (const wrong of [size - 512, 60, 1]) {
      await expect(reader.readPack({ kind: 'data', id: pack, sizeBytes: wrong })).rejects.toMatchObject({
        code: 'DAMAGED',
        file,
      })
    }
    flipBit(store.files, file, size - 30)
    await expect(reader.readPack({ kind: 'data', id: pack, sizeBytes: size })).rejects.toMatchObject({
      code: 'DAMAGED',
      file,
    })
  })
})

describe('reading single chunks', () => {
  test('opens a block once for all of its chunks', async () => {
    const store = createStore()
    const repository = await store.create()
    const chunks = randomChunks(50, 1000)
    const ids = await storeChunks(repository, 'data', chunks)
    store.calls.length = 0
    for (const [place, id] of ids.entries())
      expect(await repository.readChunk('data', id)).toEqual(chunks[place])
    expect(ranges(store)).toBe(1)
  })

  test('keeps the recent blocks and no more than about 32 MiB of them', async () => {
    const store = createStore()
    const repository = await store.create()
    // One block each; they compress well.
    const chunks = Array.from({ length: 40 }, (_, number) => Buffer.alloc(1 << 20, number + 1))
    const ids = await storeChunks(repository, 'data', chunks)
    for (const id of ids) await repository.readChunk('data', id)
    const before = ranges(store)
    await repository.readChunk('data', ids[39]!)
    await repository.readChunk('data', ids[20]!)
    expect(ranges(store)).toBe(before)
    await repository.readChunk('data', ids[0]!)
    expect(ranges(store)).toBe(before + 1)
  })

  test('a chunk that is not what its id says is damage, though its block is authentic', async () => {
    const store = createStore()
    const repository = await store.create()
    const lie = Buffer.from('something else')
    const id = ownId(repository, 'data', Buffer.from('the truth'))
    const { write } = await import('./scene.ts')
    await write(repository, (writer) => writer.saveChunk('data', id, lie))
    await expect(repository.readChunk('data', id)).rejects.toMatchObject({ code: 'DAMAGED' })
  })
})

describe('fetchBlocks()', () => {
  test('gives blocks as they are stored, which a thread opens', async () => {
    const { reader, chunks, places } = await scene(12, 300_000)
    const wanted = [places[1]!, places[2]!, places[9]!]
    const sealed = structuredClone(await reader.fetchBlocks(wanted))
    expect(sealed.stretches.length).toBe(2)
    const opener = createBlockOpener({ files: reader.subkeys.files.data, ids: reader.subkeys.dataIds })
    const scratch = Buffer.alloc(300_000)
    sealed.blocks.forEach((block, at) => {
      const plain = opener.open(sealed, block, scratch)
      const content = chunks[wanted[at]!.number]!
      expect(plain.equals(content)).toBe(true)
      const id = reader.chunkIdOf('data', content)
      expect(opener.isChunk(plain, Buffer.concat([Buffer.alloc(32), id]), 32)).toBe(true)
      expect(opener.isChunk(plain.subarray(1), id, 0)).toBe(false)
    })
  })

  test('a block that cannot be read or opened costs no other', async () => {
    const { store, reader, file, places } = await scene(4, 10_000)
    const { files, dataIds: ids } = reader.subkeys
    const opener = createBlockOpener({ files: files.data, ids })
    flipBit(store.files, file, places[1]!.offsetBytes + 77)
    const bytes = store.files.get(file)!
    store.files.set(file, bytes.subarray(0, places[3]!.offsetBytes + 5))
    const sealed = await reader.fetchBlocks(places)
    const opened = sealed.blocks.map((block) => {
      try {
        return opener.open(sealed, block, Buffer.alloc(10_000)).length
      } catch (error) {
        return (error as { code: string }).code
      }
    })
    expect(opened).toEqual([10_000, 'DAMAGED', 10_000, 'DAMAGED'])
    store.files.delete(file)
    const gone = await (await store.open()).fetchBlocks(places)
    expect(gone.blocks.map(({ stretch }) => stretch)).toEqual([-1, -1, -1, -1])
  })
})
