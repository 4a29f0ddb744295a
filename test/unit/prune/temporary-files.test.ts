import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { SessionId } from '../../../src/encoding/index.ts'
import { HoldfastError } from '../../../src/errors/index.ts'
import { prune } from '../../../src/prune/index.ts'
import { declareOver, listSessions, RunWriter, startSession } from '../../../src/repository/index.ts'
import { commitSnapshot, listSnapshots } from '../../../src/snapshot/index.ts'
import { createStore, ownId, randomChunks } from '../repository/scene.ts'
import { draftOf, saveFiles } from '../snapshot/scene.ts'

const nobodyWaits = { sessionAgeMs: -1 }

test('prune leaves temporary files of a session at work, and removes them once it gives up on it', async () => {
  const store = createStore()
  const repository = await store.create()
  const session = await startSession(repository.backend, repository, 'backup', Date.now())
  await repository.backend.stage(session)
  const other = await store.open()

  await prune(other)
  expect(store.names('tmp')).toHaveLength(1)

  await prune(other, nobodyWaits)
  expect(store.names('tmp')).toEqual([])
  expect(store.names('sessions')).toContain(`sessions/${session}.over`)
})

test('a backup whose pack under way was removed with its session starts again and succeeds', async () => {
  const store = createStore()
  const repository = await store.create()
  const other = await store.open()
  const files = Object.fromEntries(
    randomChunks(20, 1_000_000).map((bytes, index) => [`file ${10 + index}`, bytes]),
  )
  let attempts = 0

  const id = await commitSnapshot(
    repository,
    { operation: 'backup', nowMs: Date.now() },
    async (writer: RunWriter) => {
      attempts++
      const tree = saveFiles(repository, writer, files)
      await writer.drained()
      while (attempts === 1 && store.names('tmp').length === 0)
        await new Promise((resolve) => setImmediate(resolve))
      if (attempts === 1) await prune(other, nobodyWaits)
      return draftOf(tree)
    },
  )

  expect(attempts).toBe(2)
  const { snapshots } = await listSnapshots(repository)
  expect(snapshots.map((one) => [one.id, one.isConfirmed])).toEqual([[id, true]])
  for (const bytes of Object.values(files)) {
    expect((await repository.readChunk('data', ownId(repository, 'data', bytes))).equals(bytes)).toBe(true)
  }
})

test('a pack whose own list is damaged is deleted when nothing in it is needed', async () => {
  const store = createStore()
  const repository = await store.create()
  const session = await startSession(repository.backend, repository, 'test', Date.now())
  const writer = new RunWriter(repository, session)
  const bytes = randomBytes(5000)
  writer.saveChunk('data', ownId(repository, 'data', bytes), bytes)
  await writer.finish()
  await repository.backend.remove(`sessions/${session}`)
  const [pack] = store.names('data')
  const damaged = Buffer.from(store.files.get(pack!)!)
  damaged.fill(0xff, damaged.length - 100, damaged.length - 4)
  store.files.set(pack!, damaged)

  await prune(await store.open())

  expect(store.names('data')).toEqual([])
})

test('temporary files of no session go once they were seen for as long as sessions are waited for', async () => {
  const store = createStore()
  const repository = await store.create()
  await repository.backend.stage('session')
  const dayMs = 86_400_000
  const at = (day: number) => ({ nowMs: 1_800_000_000_000 + day * dayMs })
  await prune(repository, at(0))
  await prune(repository, at(13))
  expect(store.names('tmp')).toHaveLength(1)
  // Another client sees it for the first time.
  await prune(await store.open(), at(20))
  expect(store.names('tmp')).toHaveLength(1)
  await prune(repository, at(14))
  expect(store.names('tmp')).toEqual([])
})

test('a prune whose index file under way was removed with its session starts again and succeeds', async () => {
  const store = createStore()
  const repository = await store.create()
  await commitSnapshot(repository, { operation: 'backup', nowMs: 1 }, async (writer) =>
    draftOf(saveFiles(repository, writer, { gone: 'x' })),
  )
  for (const { id } of (await listSnapshots(repository)).snapshots)
    await repository.removeFile('snapshot', id)
  let failures = 0
  store.before = async (operation, name) => {
    if (operation !== 'put' || !name.startsWith('index/') || failures > 0) return
    failures++
    const [session] = (await listSessions(repository.backend)).alive
    await declareOver(repository.backend, repository, session!, 'f'.repeat(32) as SessionId)
    throw new HoldfastError('IO', `cannot write ${name}: no such file or directory`)
  }
  const result = await prune(await store.open(), { threads: 0 })
  expect([failures, result.deletedPacks]).toEqual([1, 2])
  expect(store.names('data')).toEqual([])
})
