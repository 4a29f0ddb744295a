import { describe, expect, test } from 'vitest'
import { declareOver, overName, startSession } from '../../../src/repository/index.ts'
import { listSnapshots } from '../../../src/snapshot/index.ts'
import { createStore, flipBit } from '../repository/scene.ts'
import { commitFiles } from './scene.ts'

describe('listSnapshots()', () => {
  test('gives all, oldest first, and lists sessions after snapshots', async () => {
    const store = createStore()
    const repository = await store.create()
    const ids: string[] = []
    for (const timeMs of [3000, 1000, 2000]) ids.push(await commitFiles(repository, { a: 'x' }, { timeMs }))
    store.calls.length = 0
    const { snapshots, damaged } = await listSnapshots(await store.open())
    expect(snapshots.map((one) => one.id)).toEqual([ids[1], ids[2], ids[0]])
    expect(snapshots.every((one) => one.isConfirmed)).toBe(true)
    expect(damaged).toEqual([])
    const lists = store.calls.filter((call) => call.operation === 'list').map((call) => call.name)
    expect(lists.slice(-2)).toEqual(['snapshots', 'sessions'])
  })

  test('shows a snapshot whose session was given up on as unconfirmed', async () => {
    const store = createStore()
    const repository = await store.create()
    const id = await commitFiles(repository, { a: 'x' })
    const { snapshots } = await listSnapshots(repository)
    const by = await startSession(repository.backend, repository, 'prune', 0)
    await declareOver(repository.backend, repository, snapshots[0]!.session, by)
    expect((await listSnapshots(repository)).snapshots).toMatchObject([{ id, isConfirmed: false }])
    await repository.backend.remove(overName(snapshots[0]!.session))
    expect((await listSnapshots(repository)).snapshots).toMatchObject([{ id, isConfirmed: true }])
  })

  test('lists damaged ones apart, and passes over foreign files and what goes meanwhile', async () => {
    const store = createStore()
    const repository = await store.create()
    const ids: string[] = []
    for (const timeMs of [1000, 2000, 3000, 4000])
      ids.push(await commitFiles(repository, { a: 'x' }, { timeMs }))
    flipBit(store.files, `snapshots/${ids[1]}`, 100)
    store.files.set(`snapshots/${ids[2]}`, Buffer.alloc(0))
    store.files.set('snapshots/README', Buffer.from('x'))
    store.files.set(`snapshots/${'0'.repeat(64)}.tmp`, Buffer.from('x'))
    store.before = (operation, name) => {
      if (operation === 'get' && name.endsWith(ids[3]!)) store.files.delete(name)
    }
    const { snapshots, damaged } = await listSnapshots(await store.open())
    expect(snapshots.map((one) => one.id)).toEqual([ids[0]])
    expect(damaged.map((one) => one.id).sort()).toEqual([ids[1], ids[2]].sort())
    for (const one of damaged)
      expect(one.error).toMatchObject({ code: 'DAMAGED', file: `snapshots/${one.id}` })
  })

  test('reads each snapshot once, and forgets those that are gone', async () => {
    const store = createStore()
    const repository = await store.create()
    const first = await commitFiles(repository, { a: 'x' }, { timeMs: 1000 })
    await commitFiles(repository, { a: 'y' }, { timeMs: 2000 })
    const client = await store.open()
    await listSnapshots(client)
    store.calls.length = 0
    expect((await listSnapshots(client)).snapshots).toHaveLength(2)
    expect(store.calls.some((call) => call.operation === 'get')).toBe(false)
    await repository.removeFile('snapshot', first)
    expect((await listSnapshots(client)).snapshots).toHaveLength(1)
    expect([...client.index.cachedNames()].filter((name) => name.startsWith('snapshots/'))).toHaveLength(1)
  })
})
