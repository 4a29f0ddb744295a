import { describe, expect, test } from 'vitest'
import type { Backend } from '../../../src/backend/index.ts'
import type { SessionId } from '../../../src/encoding/index.ts'
import { HoldfastError } from '../../../src/errors/index.ts'
import {
  configValue,
  declareOver,
  fileName,
  indexFileValue,
  listSessions,
  openRepository,
  overName,
  type Repository,
  type RunWriter,
  sealValue,
  startSession,
} from '../../../src/repository/index.ts'
import { commitSnapshot, isTreeWhole, listSnapshots } from '../../../src/snapshot/index.ts'
import { createStore, type MemoryStore, ownId, secret } from '../repository/scene.ts'
import { commitFiles, draftOf, saveFiles } from './scene.ts'

const options = { operation: 'backup', nowMs: 1_700_000_000_000 }

/** Every snapshot is readable and every chunk of it is there. */
async function expectWhole(store: MemoryStore, least: number): Promise<void> {
  const client = await store.open()
  await client.loadIndex()
  const { snapshots, damaged } = await listSnapshots(client)
  expect(damaged).toEqual([])
  expect(snapshots.length).toBeGreaterThanOrEqual(least)
  for (const { tree } of snapshots) expect(await isTreeWhole(client, tree)).toBe(true)
  for (const row of client.index.packs()) {
    if (row.state !== 'condemned') expect(store.files.has(fileName(row.kind, row.id))).toBe(true)
  }
}

describe('commitSnapshot()', () => {
  test('a run that cannot begin takes its session back', async () => {
    const store = createStore()
    const repository = await store.create()
    const run = commitSnapshot(repository, { ...options, tableSlots: -1 }, async () => undefined)
    await expect(run).rejects.toThrow(RangeError)
    expect(store.names('sessions')).toEqual([])
  })

  test('makes things durable in the one safe order', async () => {
    const store = createStore()
    const repository = await store.create()
    store.calls.length = 0
    await commitFiles(repository, { a: 'x', b: 'y' })
    const order = store.calls
      .filter(({ operation }) => !['stage', 'append', 'get', 'getRange'].includes(operation))
      .map(({ operation, name }) => `${operation} ${name.split('/')[0]}`)
    expect(order).toEqual([
      'put sessions',
      'list index',
      'list data',
      'list trees',
      'commit data',
      'commit trees',
      'put index',
      'put snapshots',
      'list sessions',
      'remove sessions',
    ])
    expect(store.names('sessions')).toEqual([])
    expect(store.names('tmp')).toEqual([])
  })

  test('a draft of nothing commits nothing, but what was stored stays for the next run', async () => {
    const store = createStore()
    const repository = await store.create()
    const id = await commitSnapshot(repository, options, async (writer) => {
      saveFiles(repository, writer, { a: 'x' })
      return undefined
    })
    expect(id).toBeUndefined()
    expect([store.names('snapshots'), store.names('sessions')]).toEqual([[], []])
    expect(repository.index.has(ownId(repository, 'data', Buffer.from('x')))).toBe(true)
  })

  test('refuses to write where only reading is understood, before anything is written', async () => {
    const store = createStore()
    const repository = await store.create()
    const before = [...store.files.keys()]
    store.files.set(
      'config',
      sealValue(repository, 'config', configValue({ ...repository.config, writeVersion: 2 })),
    )
    await expect(commitFiles(await store.open(), { a: 'x' })).rejects.toMatchObject({ code: 'NEWER_FORMAT' })
    expect([...store.files.keys()]).toEqual(before)
  })

  test('refuses a snapshot that nobody could read back', async () => {
    const store = createStore()
    const repository = await store.create()
    const commit = commitSnapshot(repository, options, async (writer) => ({
      ...draftOf(saveFiles(repository, writer, { a: 'x' })),
      description: 'x'.repeat(100_000),
    }))
    await expect(commit).rejects.toMatchObject({ code: 'USAGE' })
    expect([store.names('snapshots'), store.names('sessions')]).toEqual([[], []])
  })

  test('a build that fails ends the session, leaves no temporary file, and its own error is the one told', async () => {
    const store = createStore()
    const repository = await store.create()
    const build = async (writer: RunWriter): Promise<never> => {
      saveFiles(repository, writer, { a: 'x' })
      throw new Error('the build failed')
    }
    await expect(commitSnapshot(repository, options, build)).rejects.toThrow('the build failed')
    expect([store.names('sessions'), store.names('tmp'), store.names('snapshots')]).toEqual([[], [], []])
    store.before = (operation) => {
      if (operation === 'remove') throw new Error('removing failed')
    }
    await expect(commitSnapshot(repository, options, build)).rejects.toThrow('the build failed')
  })

  test('keeps its session when it is not known whether the snapshot became durable', async () => {
    const store = createStore()
    const repository = await store.create()
    store.before = (operation, name) => {
      if (operation === 'put' && name.startsWith('snapshots/')) throw new Error('no answer')
    }
    await expect(commitFiles(repository, { a: 'x' })).rejects.toThrow('no answer')
    expect(store.names('sessions')).toHaveLength(1)
  })
})

describe('stopped at any call', () => {
  const crash = new Error('stopped')

  /** The files after one good snapshot, and the number of calls that a second one makes. */
  async function prepare(): Promise<{ files: Map<string, Buffer>; calls: number }> {
    const store = createStore()
    await commitFiles(await store.create(), { a: 'first', b: 'second' })
    const { files } = createStore(new Map(store.files))
    const trial = createStore(new Map(store.files))
    const client = await trial.open()
    trial.calls.length = 0
    await commitFiles(client, { a: 'first', c: 'third' }, { timeMs: 1_700_000_001_000 })
    return { files, calls: trial.calls.length }
  }

  async function expectRecovery(store: MemoryStore): Promise<void> {
    store.before = () => {}
    await expectWhole(store, 1)
    const id = await commitFiles(
      await store.open(),
      { a: 'first', c: 'third' },
      { timeMs: 1_700_000_002_000 },
    )
    await expectWhole(store, 2)
    expect(store.names('snapshots')).toContain(`snapshots/${id}`)
  }

  test('earlier snapshots are whole and the next backup succeeds', async () => {
    const { files, calls } = await prepare()
    expect(calls).toBeGreaterThan(15)
    for (let last = 0; last < calls; last++) {
      const store = createStore(new Map(files))
      const client = await store.open()
      let count = 0
      store.before = () => {
        if (count++ >= last) throw crash
      }
      await expect(commitFiles(client, { a: 'first', c: 'third' })).rejects.toThrow('stopped')
      await expectRecovery(store)
    }
  })

  test('so they are when the call took effect and only its answer was lost', async () => {
    const { files, calls } = await prepare()
    let finished = false
    for (let last = 0; !finished && last < calls + 5; last++) {
      const store = createStore(new Map(files))
      let count = Number.NEGATIVE_INFINITY
      const backend = failAfter(store.backend(), () => {
        if (count++ >= last) throw crash
      })
      const client = await openRepository(backend, { secret, cacheDirectory: null })
      count = 0
      finished = await commitFiles(client, { a: 'first', c: 'third' }).then(
        () => true,
        (error: unknown) => {
          expect(error).toBe(crash)
          return false
        },
      )
      await expectRecovery(store)
    }
    expect(finished).toBe(true)
  })

  /** A backend whose calls take effect before they fail. */
  function failAfter(backend: Backend, check: () => void): Backend {
    const failing =
      <Arguments extends unknown[], Result>(call: (...args: Arguments) => Promise<Result>) =>
      async (...args: Arguments): Promise<Result> => {
        const result = await call(...args)
        check()
        return result
      }
    return {
      location: backend.location,
      get: failing(backend.get.bind(backend)),
      getRange: failing(backend.getRange.bind(backend)),
      fillRange: failing(backend.fillRange.bind(backend)),
      put: failing(backend.put.bind(backend)),
      putNew: failing(backend.putNew.bind(backend)),
      remove: failing(backend.remove.bind(backend)),
      async *list(directory, signal) {
        yield* backend.list(directory, signal)
        check()
      },
      stage: async (owner) => {
        const file = await backend.stage(owner)
        check()
        return {
          append: failing(file.append.bind(file)),
          commit: failing(file.commit.bind(file)),
          discard: failing(file.discard.bind(file)),
        }
      },
      close: () => backend.close(),
    }
  }
})

describe('given up on meanwhile', () => {
  /** A client that gives up on the sessions it finds. */
  async function giveUp(
    repository: Repository,
    isMeant: (session: SessionId) => boolean = () => true,
  ): Promise<void> {
    const by = await startSession(repository.backend, repository, 'prune', 0)
    for (const session of (await listSessions(repository.backend)).alive) {
      if (session !== by && isMeant(session)) await declareOver(repository.backend, repository, session, by)
    }
    await repository.backend.remove(`sessions/${by}`)
  }

  test('a snapshot that is whole takes the mark away again', async () => {
    const store = createStore()
    const repository = await store.create()
    const prune = await store.open()
    let builds = 0
    const id = await commitSnapshot(repository, options, async (writer) => {
      builds++
      await giveUp(prune)
      return draftOf(saveFiles(repository, writer, { a: 'x' }))
    })
    expect(builds).toBe(1)
    expect(store.names('sessions')).toEqual([])
    expect((await listSnapshots(prune)).snapshots).toMatchObject([{ id, isConfirmed: true }])
    await expectWhole(store, 1)
  })

  /** Commit while somebody gives up at every look for a mark, three times, on sessions that `isMeant` picks. */
  async function commitAgainst(isMeant: (session: SessionId, own: SessionId) => boolean) {
    const store = createStore()
    const repository = await store.create()
    const prune = await store.open()
    const sessions: SessionId[] = []
    let times = 0
    let isGivingUp = false
    store.before = async (operation, name) => {
      const isLook = operation === 'list' && name === 'sessions' && store.names('snapshots').length > 0
      if (!isLook || times >= 3 || isGivingUp) return
      isGivingUp = true
      times++
      await giveUp(prune, (session) => isMeant(session, sessions.at(-1)!))
      isGivingUp = false
    }
    const id = await commitSnapshot(repository, options, async (writer) => {
      sessions.push(writer.session)
      return draftOf(saveFiles(repository, writer, { a: 'x' }))
    })
    expect(times).toBe(3)
    await expectWhole(store, 1)
    expect(store.names('snapshots')).toEqual([`snapshots/${id}`])
    expect((await listSnapshots(prune)).snapshots).toMatchObject([{ id, isConfirmed: true }])
    return { builds: sessions.length, left: store.names('sessions') }
  }

  test('when the temporary file of its snapshot was removed with the session', async () => {
    const store = createStore()
    const repository = await store.create()
    let failures = 0
    store.before = async (operation, name) => {
      if (operation !== 'put' || !name.startsWith('snapshots/') || failures > 0) return
      failures++
      const [session] = (await listSessions(repository.backend)).alive
      await declareOver(repository.backend, repository, session!, 'f'.repeat(32) as SessionId)
      throw new HoldfastError('IO', `cannot write ${name}: no such file or directory`)
    }
    const id = await commitFiles(repository, { a: 'x' })
    expect(failures).toBe(1)
    const { snapshots } = await listSnapshots(await store.open())
    expect(snapshots.map((one) => [one.id, one.isConfirmed])).toEqual([[id, true]])
    expect(store.names('sessions').filter((name) => !name.endsWith('.over'))).toEqual([])
  })

  test('also when it is given up on again and again', async () => {
    const { builds, left } = await commitAgainst((session, own) => session === own)
    expect([builds, left]).toEqual([1, []])
  })

  test('when all its sessions are given up on, it ends all the same, and only marks are left', async () => {
    const { builds, left } = await commitAgainst(() => true)
    expect(builds).toBeGreaterThan(1)
    expect(left.filter((name) => !name.endsWith('.over'))).toEqual([])
  })

  test('one that has lost a chunk is taken back, and built again under a new session', async () => {
    const store = createStore()
    const repository = await store.create()
    const old = await commitFiles(repository, { a: 'shared' })
    const prune = await store.open()
    await prune.loadIndex()
    const sessions: SessionId[] = []
    const notices: string[] = []
    Object.assign(repository, { onNotice: (message: string) => notices.push(message) })
    const id = await commitSnapshot(repository, options, async (writer) => {
      sessions.push(writer.session)
      const tree = saveFiles(repository, writer, { a: 'shared', b: 'new' })
      if (sessions.length > 1) return draftOf(tree)
      // The old snapshot goes, a prune condemns what it held, gives up on this backup and deletes it.
      await prune.removeFile('snapshot', old)
      const packs = [...prune.index.packs()]
      const by = await startSession(prune.backend, prune, 'prune', 0)
      const condemned = packs.map((pack) => pack.id)
      await prune.putValue('index', indexFileValue({ packs: [], condemned, replaces: [] }), by)
      await giveUp(prune)
      for (const pack of packs) await prune.backend.remove(fileName(pack.kind, pack.id))
      await prune.backend.remove(`sessions/${by}`)
      return draftOf(tree)
    })
    expect(sessions).toHaveLength(2)
    expect(sessions[0]).not.toBe(sessions[1])
    expect(notices).toEqual([expect.stringContaining('starting again')])
    expect(store.names('snapshots')).toEqual([`snapshots/${id}`])
    // The mark stays: the snapshot's put may still be on its way.
    expect(store.names('sessions').filter((name) => name === overName(sessions[0]!))).toHaveLength(1)
    expect(store.names('sessions')).not.toContain(`sessions/${sessions[0]}`)
    expect((await listSnapshots(await store.open())).snapshots).toMatchObject([{ isConfirmed: true }])
    const client = await store.open()
    await client.loadIndex()
    const bytes = await client.readChunk('data', ownId(client, 'data', Buffer.from('shared')))
    expect(bytes.toString()).toBe('shared')
    await expectWhole(store, 1)
  })
})

test('a snapshot whose chunks were looked up in an index that was rebuilt meanwhile is built again', async () => {
  const store = createStore()
  const repository = await store.create()
  const elsewhere = await store.open()
  await commitFiles(elsewhere, { one: 'first' })
  const notices: string[] = []
  Object.assign(repository, { onNotice: (message: string) => notices.push(message) })
  let builds = 0
  const id = await commitSnapshot(repository, options, async (writer) => {
    const tree = saveFiles(repository, writer, { one: 'first', two: 'second' })
    if (++builds === 1) await repository.index.reset()
    return draftOf(tree)
  })
  expect(builds).toBe(2)
  expect(notices).toEqual([expect.stringContaining('the local index was rebuilt while this ran')])
  const { snapshots } = await listSnapshots(await store.open())
  expect(snapshots.map((one) => one.id)).toContain(id)
  expect(store.names('sessions')).toEqual([])
})
