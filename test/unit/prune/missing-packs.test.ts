import { expect, test } from 'vitest'
import { prune } from '../../../src/prune/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { createStore, randomChunks, storeChunks } from '../repository/scene.ts'
import { commitFiles } from '../snapshot/scene.ts'

test('a pack that is gone, and that nothing needs, is damage only until the next prune', async () => {
  const store = createStore()
  const repository = await store.create()
  await commitFiles(repository, { kept: 'needed' })
  const kept = new Set(store.names('data'))
  await storeChunks(repository, 'data', randomChunks(3, 1000))
  for (const name of store.names('data')) if (!kept.has(name)) store.files.delete(name)
  expect((await verify(await store.open())).problems).toHaveLength(1)

  await prune(await store.open())

  expect((await verify(await store.open(), { readData: true })).problems).toEqual([])
})

test('a pack that is gone, and that a snapshot needs, stays damage', async () => {
  const store = createStore()
  const repository = await store.create()
  await commitFiles(repository, { lost: 'needed' })
  for (const name of store.names('data')) store.files.delete(name)

  await prune(await store.open()).catch(() => {})

  expect((await verify(await store.open())).problems).not.toEqual([])
})
