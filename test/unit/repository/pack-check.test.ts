import { expect, test } from 'vitest'
import { HoldfastError } from '../../../src/errors/index.ts'
import { repairPacks } from '../../../src/repair/index.ts'
import { checkPack } from '../../../src/repository/index.ts'
import { createStore, randomChunks, storeBlocks } from './scene.ts'

async function scene() {
  const store = createStore()
  const repository = await store.create()
  const { pack: id } = await storeBlocks(
    repository,
    randomChunks(4, 10_000).map((bytes) => [bytes]),
  )
  const [file] = store.names('data')
  const pack = { kind: 'data' as const, id, sizeBytes: store.files.get(file!)!.length }
  /** Let the n-th read of the pack fail, counted from 0; the times it was read. */
  const fail = (at: number, error: () => Error | undefined) => {
    let reads = 0
    store.before = (operation, name) => {
      if (name !== file || !operation.startsWith('get')) return
      const failure = reads++ === at ? error() : undefined
      if (failure !== undefined) throw failure
    }
    return () => reads
  }
  return { store, repository, file: file!, pack, fail }
}

test('whichever read fails, the pack was not read whole, and repair packs condemns nothing', async () => {
  for (let at = 0, reads = 1; at < reads; at++) {
    const { store, repository, pack, fail } = await scene()
    const failing = () => new HoldfastError('IO', 'the disk is failing')
    const count = fail(at, failing)
    const finding = await checkPack(repository, pack, undefined)
    expect(finding).toMatchObject({ isReadWhole: false })
    expect(finding!.problems).toContainEqual(expect.stringContaining('the disk is failing'))
    reads = count()
    fail(at, failing)
    await expect(repairPacks(repository, { packs: [pack.id] })).rejects.toMatchObject({ code: 'IO' })
    store.before = () => {}
    const other = await store.open()
    await other.loadIndex()
    expect([...other.index.condemned()]).toEqual([])
  }
})

test('whenever a pack goes while it is read, it is gone and not damaged', async () => {
  for (let at = 0, reads = 1; at < reads; at++) {
    const { store, repository, file, pack, fail } = await scene()
    const count = fail(at, () => {
      store.files.delete(file)
      return undefined
    })
    expect(await checkPack(repository, pack, undefined)).toBeUndefined()
    reads = count()
  }
})
