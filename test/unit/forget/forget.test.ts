import { describe, expect, test } from 'vitest'
import { planForget, removeSnapshots } from '../../../src/forget/index.ts'
import { configValue, declareOver, sealValue, startSession } from '../../../src/repository/index.ts'
import { commitSnapshot, listSnapshots } from '../../../src/snapshot/index.ts'
import { createStore } from '../repository/scene.ts'
import { draftOf, saveFiles } from '../snapshot/scene.ts'

const DAY_MS = 86_400_000
const nowMs = 1_700_000_000_000

async function scene() {
  const store = createStore()
  const repository = await store.create()
  const commit = async (day: number, change = {}) => {
    const id = await commitSnapshot(repository, { operation: 'backup', nowMs }, async (writer) => ({
      ...draftOf(saveFiles(repository, writer, { a: `day ${day}` }), nowMs - day * DAY_MS),
      ...change,
    }))
    return id!
  }
  return { store, repository, commit }
}

describe('planForget()', () => {
  test('applies the rules to each host and set of paths by itself, and changes nothing', async () => {
    const { store, repository, commit } = await scene()
    const alpha = [await commit(3), await commit(2), await commit(1)]
    const beta = [await commit(3, { host: 'beta' }), await commit(2, { host: 'beta' })]
    const before = [...store.files.keys()]
    const groups = await planForget(repository, { policy: { counts: { last: 1 } }, nowMs })
    expect(groups.map((group) => [group.host, group.paths])).toEqual([
      ['alpha', ['/home']],
      ['beta', ['/home']],
    ])
    expect(groups.map((group) => group.keep.map((kept) => kept.snapshot.id))).toEqual([[alpha[2]], [beta[1]]])
    expect(groups.map((group) => group.remove.map((one) => one.id))).toEqual([
      [alpha[1], alpha[0]],
      [beta[0]],
    ])
    expect([...store.files.keys()]).toEqual(before)
  })

  test('looks at nothing but what the filter lets through', async () => {
    const { repository, commit } = await scene()
    await commit(3, { tags: ['keep'] })
    const old = await commit(2, { tags: ['daily'] })
    const young = await commit(1, { tags: ['daily'] })
    const groups = await planForget(repository, {
      policy: { counts: { last: 1 } },
      tags: [['daily']],
      groupBy: [],
      nowMs,
    })
    expect(groups).toHaveLength(1)
    expect(groups[0]!.keep.map((kept) => kept.snapshot.id)).toEqual([young])
    expect(groups[0]!.remove.map((one) => one.id)).toEqual([old])
  })

  test('lets no unconfirmed snapshot push out a good one', async () => {
    const { repository, commit } = await scene()
    const good = await commit(2)
    const doubtful = await commit(1)
    const { snapshots } = await listSnapshots(repository)
    const { session } = snapshots.find((one) => one.id === doubtful)!
    const by = await startSession(repository.backend, repository, 'prune', 0)
    await declareOver(repository.backend, repository, session, by)
    const [group] = await planForget(repository, { policy: { counts: { last: 1 } }, nowMs })
    expect(group!.keep.map((kept) => kept.snapshot.id)).toContain(good)
    expect(group!.remove.map((one) => one.id)).not.toContain(good)
  })

  test('of an empty policy keeps everything', async () => {
    const { repository, commit } = await scene()
    await commit(2)
    await commit(1)
    const [group] = await planForget(repository, { policy: {}, nowMs })
    expect([group!.keep.length, group!.remove.length]).toEqual([2, 0])
  })
})

describe('removeSnapshots()', () => {
  test('removes snapshot files and nothing else', async () => {
    const { store, repository, commit } = await scene()
    const ids = [await commit(2), await commit(1)]
    const before = new Set(store.files.keys())
    expect(await removeSnapshots(repository, [ids[0]!])).toEqual({ removed: [ids[0]], failed: [] })
    before.delete(`snapshots/${ids[0]}`)
    expect(new Set(store.files.keys())).toEqual(before)
    expect((await listSnapshots(repository)).snapshots.map((one) => one.id)).toEqual([ids[1]])
  })

  test('of one that is gone already is no failure', async () => {
    const { repository, commit } = await scene()
    const id = await commit(1)
    await removeSnapshots(repository, [id])
    expect(await removeSnapshots(repository, [id])).toEqual({ removed: [id], failed: [] })
  })

  test('goes on after one that cannot be removed', async () => {
    const { HoldfastError } = await import('../../../src/errors/index.ts')
    const { store, repository, commit } = await scene()
    const ids = [await commit(3), await commit(2), await commit(1)]
    store.before = (operation, name) => {
      if (operation === 'remove' && name.endsWith(ids[1]!)) throw new HoldfastError('IO', 'refused')
    }
    const result = await removeSnapshots(repository, ids)
    expect(result.removed).toEqual([ids[0], ids[2]])
    expect(result.failed).toMatchObject([{ id: ids[1], error: { code: 'IO' } }])
  })

  test('ends when it is aborted, and does nothing where it may only read', async () => {
    const { store, repository, commit } = await scene()
    const id = await commit(1)
    const controller = new AbortController()
    controller.abort()
    await expect(removeSnapshots(repository, [id], controller.signal)).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
    const config = configValue({ ...repository.config, writeVersion: 2 })
    store.files.set('config', sealValue(repository, 'config', config))
    await expect(removeSnapshots(await store.open(), [id])).rejects.toMatchObject({ code: 'NEWER_FORMAT' })
    expect(store.names('snapshots')).toEqual([`snapshots/${id}`])
  })
})
