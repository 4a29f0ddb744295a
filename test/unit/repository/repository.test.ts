import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ChunkId } from '../../../src/encoding/index.ts'
import {
  directories,
  fileName,
  indexFileValue,
  listPacks,
  markLostPacks,
  type Repository,
  type StoredPack,
  startSession,
} from '../../../src/repository/index.ts'
import {
  createStore,
  flipBit,
  type MemoryStore,
  ownId,
  randomChunks,
  storeBlocks,
  storeChunks,
  write,
} from './scene.ts'

/** Stop a test that would go round for ever. */
function limitCalls(store: MemoryStore, most: number): void {
  let calls = 0
  store.before = () => {
    if (++calls > most) throw new Error('too many calls')
  }
}

/** The same chunk in two packs, stored by two clients of which neither knew of the other. */
async function twoCopies() {
  const store = createStore()
  const first = await store.create()
  const second = await store.open()
  const [bytes] = randomChunks(1, 5000)
  const packs = [(await storeBlocks(first, [[bytes!]])).pack, (await storeBlocks(second, [[bytes!]])).pack]
  const reader = await store.open()
  await reader.loadIndex()
  return {
    store,
    reader,
    bytes: bytes!,
    id: ownId(reader, 'data', bytes!),
    files: packs.map((pack) => fileName('data', pack)),
  }
}

describe('readChunk()', () => {
  test.each([0, 1])('with copy %i damaged reads the other', async (which) => {
    const { store, reader, bytes, id, files } = await twoCopies()
    flipBit(store.files, files[which]!, 500)
    expect(await reader.readChunk('data', id)).toEqual(bytes)
  })

  test('finds what was moved to another pack also when somebody else has loaded the news meanwhile', async () => {
    const store = createStore()
    const repository = await store.create()
    const chunks = randomChunks(2, 5000)
    const blocks = chunks.map((bytes) => [bytes])
    const { pack } = await storeBlocks(repository, blocks)
    const reader = await store.open()
    await reader.loadIndex()
    // A prune has copied them out, and has deleted the pack.
    const session = await startSession(repository.backend, repository, 'test', 1)
    await repository.putFacts({ packs: [], condemned: [pack], replaces: [] }, session)
    await storeBlocks(repository, blocks)
    store.files.delete(fileName('data', pack))
    const [one, other] = chunks.map((bytes) => ownId(reader, 'data', bytes))

    let goOn = (): void => {}
    const stopped = new Promise<void>((resolve) => {
      goOn = resolve
    })
    store.before = async (operation, name) => {
      if (operation === 'getRange' && name.endsWith(pack)) await stopped
    }
    const slow = reader.readChunk('data', one!)
    store.before = () => {}
    expect(await reader.readChunk('data', other!)).toEqual(chunks[1])
    goOn()
    expect(await slow).toEqual(chunks[0])
  })

  test.each([0, 1])('with copy %i gone reads the other', async (which) => {
    const { store, reader, bytes, id, files } = await twoCopies()
    store.files.delete(files[which]!)
    expect(await reader.readChunk('data', id)).toEqual(bytes)
  })

  test('with one copy damaged and the other gone says which file is damaged', async () => {
    const { store, reader, id, files } = await twoCopies()
    flipBit(store.files, files[0]!, 500)
    store.files.delete(files[1]!)
    limitCalls(store, 1000)
    await expect(reader.readChunk('data', id)).rejects.toMatchObject({ code: 'DAMAGED', file: files[0] })
  })

  test('with every copy gone is damage, not a missing file', async () => {
    const { store, reader, id, files } = await twoCopies()
    for (const file of files) store.files.delete(file)
    limitCalls(store, 1000)
    await expect(reader.readChunk('data', id)).rejects.toMatchObject({
      code: 'DAMAGED',
      message: expect.stringContaining('missing'),
    })
  })

  test('with storage that fails passes its error on', async () => {
    const { store, reader, id } = await twoCopies()
    store.before = (operation) => {
      if (operation === 'getRange') throw Object.assign(new Error('a bug'), { code: 42 })
    }
    await expect(reader.readChunk('data', id)).rejects.toThrow('a bug')
  })

  test('finds a chunk that came since the index was loaded', async () => {
    const store = createStore()
    const writer = await store.create()
    const reader = await store.open()
    await reader.loadIndex()
    const [id] = await storeChunks(writer, 'data', [Buffer.from('new')])
    expect((await reader.readChunk('data', id!)).toString()).toBe('new')
  })

  test('reads from a condemned pack where there is no good copy, and follows a rescue to another pack', async () => {
    const store = createStore()
    const repository = await store.create()
    const [bytes] = randomChunks(1, 1000)
    const { pack } = await storeBlocks(repository, [[bytes!]])
    const id = ownId(repository, 'data', bytes!)
    const reader = await store.open()
    const prune = await store.open()
    await prune.loadIndex()
    const session = await startSession(prune.backend, prune, 'prune', 0)
    const facts = { packs: [], condemned: [pack], replaces: [] }
    await prune.putValue('index', indexFileValue(facts), session)
    await reader.loadIndex()
    expect(await reader.readChunk('data', id)).toEqual(bytes)
    // Copied out and deleted behind the back of a reader that has read nothing of it yet.
    const late = await store.open()
    await late.loadIndex()
    await prune.loadIndex()
    await storeBlocks(prune, [[bytes!]])
    store.files.delete(fileName('data', pack))
    expect(await late.readChunk('data', id)).toEqual(bytes)
  })

  test('of a chunk that nobody knows ends, also with an index file that cannot be read', async () => {
    const store = createStore()
    const repository = await store.create()
    const id = ownId(repository, 'data', Buffer.from('unknown'))
    await storeChunks(repository, 'data', [Buffer.from('x')])
    flipBit(store.files, store.names('index')[0]!, 60)
    const notices: string[] = []
    const reader = await store.open({ onNotice: (message) => notices.push(message) })
    limitCalls(store, 1000)
    await expect(reader.readChunk('data', id)).rejects.toMatchObject({
      code: 'DAMAGED',
      hint: expect.stringContaining('repair index'),
    })
    expect(notices).toHaveLength(1)
  })
})

describe('loadIndex()', () => {
  test('brings what other clients stored, and says when there is nothing new', async () => {
    const store = createStore()
    const repository = await store.create()
    const other = await store.open()
    expect(await other.loadIndex()).toBe(false)
    const ids = await storeChunks(repository, 'data', randomChunks(5, 100))
    expect(await other.loadIndex()).toBe(true)
    expect(ids.every((id) => other.index.has(id))).toBe(true)
    expect(await other.loadIndex()).toBe(false)
  })

  test('lists again when a file goes between listing and reading', async () => {
    const store = createStore()
    const repository = await store.create()
    const [id] = await storeChunks(repository, 'data', [Buffer.from('one')])
    const [old] = store.names('index')
    const session = await startSession(repository.backend, repository, 'prune', 0)
    const { parseIndexFile } = await import('../../../src/repository/index.ts')
    const oldId = old!.slice('index/'.length) as Parameters<Repository['removeFile']>[1]
    const facts = await repository.getValue('index', oldId, parseIndexFile)
    const other = await store.open()
    let isMerged = false
    store.before = async (operation, name) => {
      if (operation !== 'get' || name !== old || isMerged) return
      isMerged = true
      await repository.putValue('index', indexFileValue({ ...facts, replaces: [oldId] }), session)
      store.files.delete(old)
    }
    await other.loadIndex()
    expect(isMerged).toBe(true)
    expect(other.index.has(id!)).toBe(true)
    // The client that knew the merged file goes on too, without starting anew.
    const notices: string[] = []
    Object.assign(repository, { onNotice: (message: string) => notices.push(message) })
    await repository.loadIndex()
    expect([repository.index.has(id!), notices]).toEqual([true, []])
  })

  test('of a repository that was rolled back builds the index anew, and says so', async () => {
    const store = createStore()
    const repository = await store.create()
    const [kept] = await storeChunks(repository, 'data', [Buffer.from('kept')])
    const rolledBack = new Map(store.files)
    const [lost] = await storeChunks(repository, 'data', [Buffer.from('lost')])
    for (const name of store.files.keys()) if (!rolledBack.has(name)) store.files.delete(name)
    const notices: string[] = []
    Object.assign(repository, { onNotice: (message: string) => notices.push(message) })
    await repository.loadIndex()
    expect(repository.index.has(kept!)).toBe(true)
    expect(repository.index.has(lost!)).toBe(false)
    expect(notices).toEqual([expect.stringContaining('rebuilding')])
  })

  test('of two clients that share an index one builds it anew, and both take in what is there', async () => {
    const cacheDirectory = mkdtempSync(join(tmpdir(), 'holdfast-shared-'))
    onTestFinished(() => rmSync(cacheDirectory, { recursive: true, force: true }))
    const store = createStore()
    const writer = await store.create({ cacheDirectory })
    await storeChunks(writer, 'data', [Buffer.from('rolled back')])
    await writer.close()
    store.files.delete(store.names('index')[0]!)
    const other = await store.open()
    const ids: ChunkId[] = []
    for (let n = 0; n < 6; n++) ids.push(...(await storeChunks(other, 'data', [Buffer.from(`new ${n}`)])))
    const notices: string[] = []
    const options = { cacheDirectory, onNotice: (message: string) => notices.push(message) }
    const [left, right] = [await store.open(options), await store.open(options)]
    // Each reads while the other does.
    let reads = 0
    let second: Promise<boolean> | undefined
    store.before = async (operation, name) => {
      if (operation !== 'get' || !name.startsWith('index/')) return
      if (++reads === 3) second = right.loadIndex()
      for (let turn = 0; turn < 20; turn++) await nextTurn()
    }
    await left.loadIndex()
    await second
    expect(notices).toHaveLength(1)
    for (const client of [left, right]) {
      client.index.renew()
      expect(ids.every((id) => client.index.has(id))).toBe(true)
      await client.close()
    }
  })

  test('refuses a damaged index file, unless damage is tolerated', async () => {
    const store = createStore()
    const repository = await store.create()
    const [whole] = await storeChunks(repository, 'data', [Buffer.from('one')])
    const before = new Set(store.names('index'))
    const [broken] = await storeChunks(repository, 'data', [Buffer.from('two')])
    const damaged = store.names('index').find((name) => !before.has(name))!
    flipBit(store.files, damaged, 60)
    const notices: string[] = []
    const other = await store.open({ onNotice: (message) => notices.push(message) })
    await expect(other.loadIndex()).rejects.toMatchObject({ code: 'DAMAGED', file: damaged })
    expect(other.index.has(whole!)).toBe(false)
    await other.loadIndex({ tolerateDamage: true })
    expect([other.index.has(whole!), other.index.has(broken!)]).toEqual([true, false])
    expect(notices).toEqual([expect.stringContaining(damaged)])
    await expect(other.loadIndex()).rejects.toMatchObject({ code: 'DAMAGED' })
  })

  test('ignores foreign files in index/', async () => {
    const store = createStore()
    const repository = await store.create()
    store.files.set('index/notes.txt', Buffer.from('x'))
    expect(await repository.loadIndex()).toBe(false)
  })

  test('ends when it is aborted', async () => {
    const store = createStore()
    const repository = await store.create()
    await storeChunks(repository, 'data', [Buffer.from('one')])
    const controller = new AbortController()
    controller.abort()
    const other = await store.open()
    await expect(other.loadIndex({ signal: controller.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
  })
})

describe('markLostPacks()', () => {
  test('takes missing, cut and grown packs out of what is relied on', async () => {
    const store = createStore()
    const repository = await store.create()
    const packs: Awaited<ReturnType<typeof storeBlocks>>[] = []
    const chunks = randomChunks(4, 3000)
    for (const bytes of chunks) packs.push(await storeBlocks(repository, [[bytes]]))
    const names = packs.map(({ pack }) => fileName('data', pack))
    expect(await markLostPacks(repository)).toEqual({ missing: [], wrongSize: [] })
    store.files.delete(names[0]!)
    store.files.set(names[1]!, store.files.get(names[1]!)!.subarray(1))
    store.files.set(names[2]!, Buffer.concat([store.files.get(names[2]!)!, Buffer.alloc(1)]))
    const found = await markLostPacks(repository)
    expect(found.missing).toEqual([packs[0]!.pack])
    expect([...found.wrongSize].sort()).toEqual([packs[1]!.pack, packs[2]!.pack].sort())
    const relied = chunks.map((bytes) => repository.index.has(ownId(repository, 'data', bytes)))
    expect(relied).toEqual([false, false, false, true])
    await write(repository, (writer) => {
      const bytes = chunks[0]!
      expect(writer.saveChunk('data', ownId(repository, 'data', bytes), bytes)).toBe(true)
    })
    expect(await repository.readChunk('data', ownId(repository, 'data', chunks[0]!))).toEqual(chunks[0])
  })

  test('says nothing of condemned packs that are gone', async () => {
    const store = createStore()
    const repository = await store.create()
    const { pack } = await storeBlocks(repository, [[Buffer.from('x')]])
    const session = await startSession(repository.backend, repository, 'prune', 0)
    const facts = { packs: [], condemned: [pack], replaces: [] }
    await repository.putValue('index', indexFileValue(facts), session)
    await repository.loadIndex()
    store.files.delete(fileName('data', pack))
    expect(await markLostPacks(repository)).toEqual({ missing: [], wrongSize: [] })
  })
})

describe('listPacks()', () => {
  test('gives packs of both kinds with their sizes, and no foreign file', async () => {
    const store = createStore()
    const repository = await store.create()
    await storeChunks(repository, 'data', [Buffer.from('data')])
    await storeChunks(repository, 'tree', [Buffer.from('tree')])
    store.files.set('data/ab/notes', Buffer.from('x'))
    store.files.set(`data/00/${'1'.repeat(64)}`, Buffer.from('in the wrong folder'))
    const found: StoredPack[] = []
    for await (const pack of listPacks(repository)) found.push(pack)
    expect(found.map((pack) => fileName(pack.kind, pack.id)).sort()).toEqual(
      [...store.names('data'), ...store.names('trees')].filter((name) => !/notes|1{64}/.test(name)).sort(),
    )
    for (const pack of found)
      expect(pack.sizeBytes).toBe(store.files.get(fileName(pack.kind, pack.id))!.length)
  })
})

describe('getValue()', () => {
  const parse = (value: unknown): unknown => value

  test('checks the hash that is the name, whatever the seal says', async () => {
    const store = createStore()
    const repository = await store.create()
    const session = await startSession(repository.backend, repository, 'test', 0)
    const first = await repository.putValue('snapshot', 'first', session)
    const second = await repository.putValue('snapshot', 'second', session)
    expect(await repository.getValue('snapshot', first, parse)).toBe('first')
    store.files.set(fileName('snapshot', first), store.files.get(fileName('snapshot', second))!)
    await expect(repository.getValue('snapshot', first, parse)).rejects.toMatchObject({
      code: 'DAMAGED',
      file: fileName('snapshot', first),
    })
  })

  test('takes from the cache what is whole there, and reads again what is not', async () => {
    const store = createStore()
    const repository = await store.create()
    const session = await startSession(repository.backend, repository, 'test', 0)
    const id = await repository.putValue('snapshot', 'text', session)
    const name = fileName('snapshot', id)
    const get = () => repository.getValue('snapshot', id, parse, { isCached: true })
    const reads = (): number =>
      store.calls.filter((call) => call.operation === 'get' && call.name === name).length
    expect([await get(), await get(), reads()]).toEqual(['text', 'text', 1])
    repository.index.putCached([[name, Buffer.from('rotten')]])
    expect([await get(), reads()]).toEqual(['text', 2])
    expect(directories.snapshot).toBe('snapshots')
  })
})
