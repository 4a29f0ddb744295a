import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { prune } from '../../../src/prune/index.ts'
import { repairPacks } from '../../../src/repair/index.ts'
import { endSession, fileName, type Repository, startSession } from '../../../src/repository/index.ts'
import { commitSnapshot } from '../../../src/snapshot/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { createStore, flipBit, type MemoryStore, storeBlocks } from '../repository/scene.ts'
import { draftOf, saveFiles } from '../snapshot/scene.ts'

interface Damaged {
  readonly store: MemoryStore
  readonly pack: string
  readonly id: Awaited<ReturnType<typeof storeBlocks>>['pack']
  readonly files: Readonly<Record<string, Buffer>>
}

/** A pack of three blocks that a snapshot needs, the second of which is damaged. */
async function createDamaged(): Promise<Damaged> {
  const store = createStore()
  const repository = await store.create()
  const files = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, randomBytes(50_000)]))
  const { pack: id, places } = await storeBlocks(
    repository,
    Object.values(files).map((bytes) => [bytes]),
  )
  await commit(repository, files)
  const pack = fileName('data', id)
  flipBit(store.files, pack, places[1]!.offsetBytes + 1000)
  return { store, pack, id, files }
}

async function commit(repository: Repository, files: Readonly<Record<string, Buffer>>): Promise<void> {
  await commitSnapshot(repository, { operation: 'backup', nowMs: 1 }, async (writer) =>
    draftOf(saveFiles(repository, writer, files)),
  )
}

/** Paths that lack something, as a client finds it that knows nothing. */
async function lostPathsOf(store: MemoryStore): Promise<string[]> {
  const { problems } = await verify(await store.open(), { readData: true })
  return problems.flatMap(({ snapshots }) => snapshots.flatMap(({ paths }) => paths.map(String)))
}

describe('repairPacks()', () => {
  test('saves what can be read, and lets no client rely on the rest', async () => {
    const { store, pack, id } = await createDamaged()
    expect(await repairPacks(await store.open(), { packs: [id] })).toEqual([
      {
        id,
        file: pack,
        outcome: 'condemned',
        problems: expect.arrayContaining([expect.stringMatching(/^block 1: /)]),
        savedChunks: 2,
        lostChunks: 1,
      },
    ])
    expect(await lostPathsOf(store)).toEqual(['/b'])
    const other = await store.open()
    await other.loadIndex()
    expect(other.index.pack(id)?.state).toBe('condemned')
  })

  test('a backup that still has the file stores it anew, also on another machine, and a prune tidies up', async () => {
    const { store, id, pack, files } = await createDamaged()
    await repairPacks(await store.open(), { packs: [id] })
    await commit(await store.open(), files)
    expect(await lostPathsOf(store)).toEqual([])
    await prune(await store.open(), { threads: 0 })
    expect(store.files.has(pack)).toBe(false)
    expect(await lostPathsOf(store)).toEqual([])
  })

  test('without ids looks at packs that this client has found damaged, and only at those', async () => {
    const { store, id } = await createDamaged()
    const repository = await store.open()
    expect(await repairPacks(repository)).toEqual([])
    await verify(repository, { readData: true })
    expect(await repairPacks(repository)).toMatchObject([{ id, savedChunks: 2, lostChunks: 1 }])
    expect(await repairPacks(repository)).toEqual([])
  })

  test('of a pack that is gone nothing can be saved', async () => {
    const { store, id, pack } = await createDamaged()
    store.files.delete(pack)
    const repository = await store.open()
    expect(await repairPacks(repository)).toMatchObject([
      { id, outcome: 'condemned', problems: ['it is not there'], savedChunks: 0, lostChunks: 3 },
    ])
  })

  test('saves everything of a pack that is merely longer than it should be', async () => {
    const { store, id, pack } = await createDamaged()
    flipBit(store.files, pack, (await placesOf(store, id))[1]! + 1000)
    store.files.set(pack, Buffer.concat([store.files.get(pack)!, Buffer.alloc(1)]))
    expect(await repairPacks(await store.open())).toMatchObject([{ savedChunks: 3, lostChunks: 0 }])
    expect(await lostPathsOf(store)).toEqual([])
  })

  test('leaves a sound pack as it is', async () => {
    const { store, id, pack } = await createDamaged()
    flipBit(store.files, pack, (await placesOf(store, id))[1]! + 1000)
    const repository = await store.open()
    await repository.loadIndex()
    repository.index.markLost([id])
    expect(await repairPacks(repository)).toMatchObject([{ outcome: 'sound', savedChunks: 0 }])
    expect(repository.index.pack(id)?.state).toBe('good')
  })

  test('takes a chunk from whichever of two damaged packs still has it', async () => {
    const store = createStore()
    const repository = await store.create()
    const [a, b] = [randomBytes(50_000), randomBytes(50_000)]
    const packs = [await storeBlocks(repository, [[a], [b]]), await storeBlocks(repository, [[a], [b]])]
    await commit(repository, { a, b })
    for (const [at, { pack, places }] of packs.entries())
      flipBit(store.files, fileName('data', pack), places[at]!.offsetBytes + 100)
    const result = await repairPacks(await store.open(), { packs: packs.map(({ pack }) => pack) })
    expect(result.map(({ savedChunks, lostChunks }) => [savedChunks, lostChunks])).toEqual([
      [1, 0],
      [1, 0],
    ])
    expect(await lostPathsOf(store)).toEqual([])
  })

  test('refuses a pack that nobody knows', async () => {
    const { store } = await createDamaged()
    const repository = await store.open()
    await expect(repairPacks(repository, { packs: ['0'.repeat(64) as Damaged['id']] })).rejects.toMatchObject(
      {
        code: 'USAGE',
      },
    )
    expect(store.names('sessions')).toEqual([])
  })

  test('is seen through a session while it works', async () => {
    const { store, id } = await createDamaged()
    const repository = await store.open()
    const own = await startSession(repository.backend, repository, 'test', 1)
    await endSession(repository.backend, own)
    const seen: number[] = []
    store.before = (operation, name) => {
      if (operation === 'commit' && name.startsWith('data/')) seen.push(store.names('sessions').length)
    }
    await repairPacks(repository, { packs: [id] })
    expect(seen).toEqual([1])
    expect(store.names('sessions')).toEqual([])
  })
})

/** Where the blocks of a pack begin. */
async function placesOf(store: MemoryStore, id: Damaged['id']): Promise<number[]> {
  const repository = await store.open()
  await repository.loadIndex()
  return repository.index.blocks(repository.index.pack(id)!.number).map(({ offsetBytes }) => offsetBytes)
}
