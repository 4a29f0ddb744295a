import { expect, test } from 'vitest'
import { prune } from '../../../src/prune/index.ts'
import { startSession } from '../../../src/repository/index.ts'
import { createStore, flipBit, randomChunks, storeChunks } from '../repository/scene.ts'

test('prune takes up anew what a damaged pending file named, and removes the file', async () => {
  const store = createStore()
  const repository = await store.create()
  await storeChunks(repository, 'data', randomChunks(4, 1000))
  // A backup at work makes the first prune condemn only, and leave a pending file.
  const working = await startSession(repository.backend, repository, 'backup', Date.now())
  await prune(repository)
  const pending = [...store.files.keys()].filter((name) => name.startsWith('pending/'))
  expect(pending).toHaveLength(1)
  const packs = [...store.files.keys()].filter((name) => name.startsWith('data/'))
  expect(packs).not.toHaveLength(0)
  flipBit(store.files, pending[0]!, 60)
  await repository.backend.remove(`sessions/${working}`)

  const result = await prune(repository)

  expect(result.deletedPacks).toBeGreaterThan(0)
  const left = [...store.files.keys()].filter((name) => /^(data|trees|pending)\//.test(name))
  expect(left).toEqual([])
})
