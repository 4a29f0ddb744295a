import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { prune } from '../../../src/prune/index.ts'
import { endSession, fileName, startSession } from '../../../src/repository/index.ts'
import { commitSnapshot } from '../../../src/snapshot/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { createStore, flipBit, storeBlocks } from '../repository/scene.ts'
import { draftOf, saveFiles } from '../snapshot/scene.ts'

test.each([0, 2])(
  'a needed chunk is copied from a sound condemned pack where the first that has it is damaged, with %i threads',
  async (threads) => {
    const store = createStore()
    const repository = await store.create()
    const content = randomBytes(50_000)
    const [one, two] = [
      await storeBlocks(repository, [[content]]),
      await storeBlocks(repository, [[content]]),
    ]
    await commitSnapshot(repository, { operation: 'backup', nowMs: 1 }, async (writer) =>
      draftOf(saveFiles(repository, writer, { content })),
    )
    const session = await startSession(repository.backend, repository, 'test', 2)
    await repository.putFacts({ packs: [], condemned: [one.pack, two.pack], replaces: [] }, session)
    await endSession(repository.backend, session)
    flipBit(store.files, fileName('data', one.pack), 20_000)

    const result = await prune(await store.open(), { threads })

    expect(result).toMatchObject({ deletedPacks: 2, copiedChunks: 1 })
    expect((await verify(await store.open(), { readData: true })).problems).toEqual([])
  },
)

test('where every copy is damaged nothing is deleted', async () => {
  const store = createStore()
  const repository = await store.create()
  const content = randomBytes(50_000)
  const packs = [await storeBlocks(repository, [[content]]), await storeBlocks(repository, [[content]])]
  await commitSnapshot(repository, { operation: 'backup', nowMs: 1 }, async (writer) =>
    draftOf(saveFiles(repository, writer, { content })),
  )
  const session = await startSession(repository.backend, repository, 'test', 2)
  await repository.putFacts({ packs: [], condemned: packs.map(({ pack }) => pack), replaces: [] }, session)
  await endSession(repository.backend, session)
  for (const { pack } of packs) flipBit(store.files, fileName('data', pack), 20_000)

  await expect(prune(await store.open(), { threads: 0 })).rejects.toMatchObject({ code: 'DAMAGED' })

  expect(store.names('data').toSorted()).toEqual(packs.map(({ pack }) => fileName('data', pack)).toSorted())
})
