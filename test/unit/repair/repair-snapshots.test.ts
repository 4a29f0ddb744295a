import { describe, expect, test } from 'vitest'
import type { FileId, SessionId } from '../../../src/encoding/index.ts'
import { HoldfastError } from '../../../src/errors/index.ts'
import { prune } from '../../../src/prune/index.ts'
import { repairIndex, repairSnapshots } from '../../../src/repair/index.ts'
import { declareOver, overName } from '../../../src/repository/index.ts'
import { listSnapshots } from '../../../src/snapshot/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { filesOf } from '../backup/scene.ts'
import { createStore, flipBit, type MemoryStore, write } from '../repository/scene.ts'
import { commitFiles, saveFiles } from '../snapshot/scene.ts'

const before = { one: 'first', two: 'second' }
const after = { ...before, three: 'third' }

/** Two snapshots, and the names of the data and tree packs that the second one added. */
async function createTwo(): Promise<{
  readonly store: MemoryStore
  readonly ids: readonly string[]
  readonly added: { readonly data: string; readonly trees: string }
}> {
  const store = createStore()
  const repository = await store.create()
  const first = await commitFiles(repository, before)
  const known = new Set(store.files.keys())
  const second = await commitFiles(repository, after, { timeMs: 1_700_000_001_000 })
  const added = (directory: string): string => store.names(directory).find((name) => !known.has(name))!
  return { store, ids: [first, second], added: { data: added('data'), trees: added('trees') } }
}

async function contentsOf(store: MemoryStore): Promise<Record<string, unknown>[]> {
  const repository = await store.open()
  await repository.loadIndex()
  const { snapshots } = await listSnapshots(repository)
  const contents: Record<string, unknown>[] = []
  for (const { id, tree, tags, original, incomplete, isConfirmed } of snapshots) {
    const files = await filesOf(repository, tree).then(
      (found) => Object.fromEntries([...found].map(([path, bytes]) => [path, bytes.toString()])),
      () => 'damaged',
    )
    contents.push({ id, files, tags, original, incomplete, isConfirmed })
  }
  return contents
}

describe('repairSnapshots()', () => {
  test('finds nothing to do in whole snapshots, and writes nothing', async () => {
    const { store, ids } = await createTwo()
    const names = [...store.files.keys()].sort()
    const results = await repairSnapshots(await store.open())
    expect(results.map(({ id, outcome, lostCount }) => [id, outcome, lostCount])).toEqual(
      ids.map((id) => [id, 'whole', 0]),
    )
    expect([...store.files.keys()].sort()).toEqual(names)
  })

  test('makes another snapshot of what is left, and keeps the damaged one', async () => {
    const { store, ids, added } = await createTwo()
    store.files.delete(added.data)
    const results = await repairSnapshots(await store.open())
    expect(results).toMatchObject([
      { id: ids[0], outcome: 'whole' },
      { id: ids[1], outcome: 'repaired', lostPaths: ['/three'], lostCount: 1, isForgotten: false },
    ])
    const contents = await contentsOf(store)
    expect(contents).toHaveLength(3)
    expect(contents.find(({ id }) => id === results[1]!.repaired)).toEqual({
      id: results[1]!.repaired,
      files: { '/one': 'first', '/two': 'second' },
      tags: ['repaired'],
      original: ids[1],
      incomplete: true,
      isConfirmed: true,
    })
    // Of the repaired one nothing is missing.
    const again = await repairSnapshots(await store.open(), { snapshots: [results[1]!.repaired!] })
    expect(again).toMatchObject([{ outcome: 'whole' }])
  })

  test('forgets the damaged one when it is told to, once the other is there', async () => {
    const { store, ids, added } = await createTwo()
    store.files.delete(added.data)
    const calls: string[] = []
    store.before = (operation, name) => {
      if (name.startsWith('snapshots/') && (operation === 'put' || operation === 'remove'))
        calls.push(operation)
    }
    const [, second] = await repairSnapshots(await store.open(), { forget: true })
    expect(second).toMatchObject({ id: ids[1], outcome: 'repaired', isForgotten: true })
    expect(calls).toEqual(['put', 'remove'])
    expect((await contentsOf(store)).map(({ id }) => id)).toEqual([ids[0], second!.repaired])
    expect((await verify(await store.open())).problems.flatMap(({ snapshots }) => snapshots)).toEqual([])
  })

  test('a folder that cannot be read is left empty, not left out', async () => {
    const { store, ids, added } = await createTwo()
    store.files.delete(added.trees)
    const [, second] = await repairSnapshots(await store.open())
    expect(second).toMatchObject({ id: ids[1], outcome: 'repaired', lostPaths: ['/'], lostCount: 1 })
    const made = (await contentsOf(store)).find(({ id }) => id === second!.repaired)
    expect(made).toMatchObject({ files: {}, original: ids[1] })
  })

  test('what can be read from a pack that is damaged elsewhere is stored anew, and the snapshot is whole', async () => {
    const { store, added } = await createTwo()
    // Longer than it should be: no good copy, and every block can be read.
    store.files.set(added.data, Buffer.concat([store.files.get(added.data)!, Buffer.alloc(1)]))
    const results = await repairSnapshots(await store.open())
    expect(results.map(({ outcome }) => outcome)).toEqual(['whole', 'whole'])
    store.files.delete(added.data)
    const contents = await contentsOf(store)
    expect(contents.map(({ files }) => files)).toEqual([
      { '/one': 'first', '/two': 'second' },
      { '/one': 'first', '/two': 'second', '/three': 'third' },
    ])
  })

  test('a dry run says the same and changes nothing', async () => {
    const { store, ids, added } = await createTwo()
    flipBit(store.files, added.data, 4000)
    store.files.delete(added.data)
    const names = [...store.files.keys()].sort()
    const results = await repairSnapshots(await store.open(), { isDryRun: true })
    expect(results).toMatchObject([
      { id: ids[0], outcome: 'whole' },
      { id: ids[1], outcome: 'repaired', repaired: undefined, lostPaths: ['/three'] },
    ])
    expect([...store.files.keys()].sort()).toEqual(names)
  })

  test('confirms an unconfirmed snapshot that is whole', async () => {
    const { store, ids } = await createTwo()
    const repository = await store.open()
    const { snapshots } = await listSnapshots(repository)
    const { session } = snapshots[1]!
    await declareOver(repository.backend, repository, session, 'f'.repeat(32) as SessionId)
    const results = await repairSnapshots(await store.open())
    expect(results.map(({ id, outcome }) => [id, outcome])).toEqual([
      [ids[0], 'whole'],
      [ids[1], 'confirmed'],
    ])
    expect(store.files.has(overName(session))).toBe(false)
    expect(store.names('sessions')).toEqual([])
  })
})

describe('beside others', () => {
  test('a snapshot that is forgotten and pruned while others are repaired is not made anew without its files', async () => {
    const { store, ids } = await createTwo()
    const repairing = await store.open()
    let sessions = 0
    store.before = async (operation, name) => {
      if (operation !== 'put' || !/^sessions\/[0-9a-f]{32}$/.test(name) || ++sessions < 2) return
      // Between the first snapshot and the second.
      store.before = () => {}
      await (await store.open()).removeFile('snapshot', ids[1] as FileId)
      const options = { nowMs: 1_700_000_002_000, sessionAgeMs: 1e15, threads: 0 }
      for (let round = 0; round < 2; round++) await prune(await store.open(), options)
    }
    const results = await repairSnapshots(repairing)
    expect(results.map(({ outcome }) => outcome)).toEqual(['whole', 'gone'])
    expect((await listSnapshots(await store.open())).snapshots.map(({ id }) => id)).toEqual([ids[0]])
  })

  test('a snapshot that a backup has made whole meanwhile is not removed', async () => {
    const { store, ids, added } = await createTwo()
    store.files.delete(added.data)
    const repairing = await store.open()
    store.before = async (operation, name) => {
      if (operation !== 'put' || !name.startsWith('snapshots/')) return
      store.before = () => {}
      await commitFiles(await store.open(), { ...after, four: 'fourth' }, { timeMs: 1_700_000_009_000 })
    }
    const results = await repairSnapshots(repairing, { forget: true })
    expect(results[1]).toMatchObject({ outcome: 'repaired', isForgotten: false })
    expect((await listSnapshots(await store.open())).snapshots.map(({ id }) => id)).toContain(ids[1])
  })

  test('a snapshot whose session was given up on is not removed while it may still be finished', async () => {
    const { store, ids, added } = await createTwo()
    const repository = await store.open()
    const { snapshots } = await listSnapshots(repository)
    const { session } = snapshots.find(({ id }) => id === ids[1])!
    await declareOver(repository.backend, repository, session, session)
    store.files.set(`sessions/${session}`, Buffer.from('its backup is at work'))
    store.files.delete(added.data)
    const results = await repairSnapshots(await store.open(), { forget: true })
    expect(results.find(({ id }) => id === ids[1])).toMatchObject({ outcome: 'repaired', isForgotten: false })
  })

  test('a tree whose other copy could not be read just now is not taken for lost', async () => {
    const store = createStore()
    const repository = await store.create()
    const other = await store.open()
    const id = await commitFiles(repository, before)
    const [first] = store.names('trees')
    // A client that knows nothing of the first copy stores another.
    await write(other, (writer) => void saveFiles(other, writer, before))
    const second = store.names('trees').find((name) => name !== first)!
    for (const [damaged, failing] of [
      [first!, second],
      [second, first!],
    ] as const) {
      const whole = store.files.get(damaged)!
      flipBit(store.files, damaged, 60)
      store.before = (operation, name) => {
        if (operation.startsWith('get') && name === failing)
          throw new HoldfastError('IO', 'the disk is failing')
      }
      await expect(repairSnapshots(await store.open(), { forget: true })).rejects.toMatchObject({
        code: 'IO',
      })
      store.before = () => {}
      store.files.set(damaged, whole)
      expect((await listSnapshots(await store.open())).snapshots.map((one) => one.id)).toEqual([id])
    }
  })
})

describe('where an index file is lost', () => {
  test('nothing is taken for lost that packs still have: repair index comes first', async () => {
    const { store, ids } = await createTwo()
    const before = new Map(store.files)
    for (const name of store.names('index')) store.files.delete(name)
    for (const isDryRun of [true, false]) {
      const repairing = repairSnapshots(await store.open(), { forget: true, isDryRun })
      await expect(repairing).rejects.toMatchObject({
        code: 'DAMAGED',
        hint: expect.stringContaining('repair index'),
      })
    }
    await expect(prune(await store.open(), { threads: 0 })).rejects.toMatchObject({
      code: 'DAMAGED',
      hint: expect.stringContaining('repair index'),
    })
    expect(store.names('snapshots')).toEqual(
      [...before.keys()].filter((name) => name.startsWith('snapshots/')).sort(),
    )
    await repairIndex(await store.open())
    expect((await verify(await store.open(), { readData: true })).problems).toEqual([])
    expect((await contentsOf(store)).map(({ id }) => id)).toEqual(ids)
  })
})
