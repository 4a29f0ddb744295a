import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryBackend } from '../../../src/backend/index.ts'
import { backup, chunkerConfig } from '../../../src/backup/index.ts'
import type { Secret } from '../../../src/crypto/index.ts'
import type { ChunkId, FileId } from '../../../src/encoding/index.ts'
import {
  createRepository,
  declareOver,
  indexFileValue,
  openRepository,
  type PackKind,
  type Repository,
  startSession,
} from '../../../src/repository/index.ts'
import { commitSnapshot, listSnapshots } from '../../../src/snapshot/index.ts'
import { type VerifyProgress, verify } from '../../../src/verify/index.ts'
import { flipped, noise } from '../../damage/shelf.ts'

const secret: Secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 7) }

let base: string
let source: string
let files: Map<string, Buffer>
let repository: Repository

/** Awaited before every call of the backend: lets tests step in between. */
let onCall: (operation: string, name: string) => void | Promise<void>

const backend = () =>
  createMemoryBackend({
    files,
    onCall: async (operation, name) => onCall(operation, name),
  })

async function open(cacheDirectory: string | null = null): Promise<Repository> {
  return await openRepository(backend(), { secret, cacheDirectory })
}

/** Back up the source, and give the names of what that added. */
async function addRun(): Promise<{ snapshot: FileId; added: string[] }> {
  const before = new Set(files.keys())
  const { snapshotId } = await backup(repository, [source], { threads: 0 })
  return { snapshot: snapshotId!, added: [...files.keys()].filter((name) => !before.has(name)) }
}

/** Every chunk that lies in one of these packs. */
async function chunksOf(
  from: Repository,
  packs: readonly FileId[],
): Promise<{ kind: PackKind; id: ChunkId; bytes: Buffer }[]> {
  const chunks: { kind: PackKind; id: ChunkId; bytes: Buffer }[] = []
  for (const { id } of [...from.index.chunks()]) {
    const { kind, pack } = from.index.find(id)!.block
    if (packs.includes(pack)) chunks.push({ kind, id, bytes: Buffer.from(await from.readChunk(kind, id)) })
  }
  return chunks
}

const inRoom = (names: Iterable<string>, room: string): string[] =>
  [...names].filter((name) => name.startsWith(`${room}/`))
const idOf = (name: string): FileId => name.split('/').at(-1) as FileId

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'holdfast-verify-'))
  source = join(base, 'source')
  mkdirSync(source)
  files = new Map()
  onCall = () => {}
  repository = await createRepository(backend(), {
    secret,
    cacheDirectory: null,
    chunker: chunkerConfig(),
    nowMs: 1_700_000_000_000,
  })
  writeFileSync(join(source, 'first'), noise(1, 100_000))
})

afterEach(async () => {
  await repository.close()
  rmSync(base, { recursive: true })
})

describe('marks in the client index', () => {
  test('a damaged pack is marked as lost, and the next backup stores its chunks again', async () => {
    const [pack] = inRoom((await addRun()).added, 'data')
    const sound = files.get(pack!)!
    files.set(pack!, flipped(sound, 5000))
    expect((await verify(repository)).problems).toEqual([])
    const report = await verify(repository, { readData: true })
    expect(report.problems.map(({ file }) => file)).toEqual([pack])
    expect(repository.index.pack(idOf(pack!))?.state).toBe('lost')

    writeFileSync(join(source, 'second'), noise(2, 10_000))
    const { added } = await addRun()
    const healed = await verify(repository, { readData: true })
    expect(inRoom(added, 'data')).toHaveLength(1)
    expect(healed.problems).toMatchObject([{ file: pack, isNeeded: false, snapshots: [] }])
  })

  test('a pack that is doubted is read also without read data, until it is found sound', async () => {
    const [pack] = inRoom((await addRun()).added, 'data')
    const sound = files.get(pack!)!
    files.set(pack!, flipped(sound, 5000))
    await verify(repository, { readData: true })
    const again = await verify(repository)
    expect(again.problems.map(({ file, isNeeded }) => [file, isNeeded])).toEqual([[pack, true]])
    expect(again.counts.packsRead).toBe(1)

    files.set(pack!, sound)
    const found = await verify(repository)
    expect(found.problems).toEqual([])
    expect(found.counts.packsRead).toBe(1)
    expect(repository.index.pack(idOf(pack!))?.state).toBe('good')
    expect((await verify(repository)).counts.packsRead).toBe(0)
  })
})

describe('what is read', () => {
  beforeEach(async () => {
    for (const name of ['second', 'third']) {
      await addRun()
      writeFileSync(join(source, name), noise(name.length, 50_000))
    }
    await addRun()
  })

  test('all parts together read every pack once', async () => {
    const counts: number[] = []
    for (const number of [1, 2, 3, 4]) {
      const subset = { kind: 'part', number, total: 4 } as const
      counts.push((await verify(repository, { readData: true, subset })).counts.packsRead)
    }
    expect(counts.reduce((sum, count) => sum + count)).toBe(6)
  })

  test('a size reads packs until it is reached', async () => {
    const report = await verify(repository, { readData: true, subset: { kind: 'bytes', bytes: 1 } })
    expect(report.counts.packsRead).toBe(1)
  })

  test('a subset that cannot be is refused before anything is read', async () => {
    onCall = (operation) => {
      throw new Error(`${operation} was called`)
    }
    const attempt = verify(repository, { readData: true, subset: { kind: 'percent', percent: 0 } })
    await expect(attempt).rejects.toMatchObject({ code: 'USAGE' })
    onCall = () => {}
  })

  test('progress goes up to its total in every phase', async () => {
    const last = new Map<VerifyProgress['phase'], VerifyProgress>()
    const onProgress = (progress: VerifyProgress): void => {
      const before = last.get(progress.phase)
      if (before !== undefined) expect(progress.done).toBeGreaterThanOrEqual(before.done)
      expect(progress.done).toBeLessThanOrEqual(progress.total)
      last.set(progress.phase, progress)
    }
    const report = await verify(repository, { readData: true, onProgress })
    expect([...last.keys()].sort()).toEqual(['files', 'packs', 'snapshots'])
    for (const { done, total } of last.values()) expect(done).toBe(total)
    expect(last.get('packs')!.done).toBe(report.counts.packBytes)
    expect(last.get('files')!.done).toBe(report.counts.smallFiles)
  })

  test('an abort ends it at once', async () => {
    const abort = new AbortController()
    onCall = (operation) => {
      if (operation === 'getRange') abort.abort()
    }
    const attempt = verify(repository, { readData: true, signal: abort.signal })
    await expect(attempt).rejects.toMatchObject({ code: 'INTERRUPTED' })
    onCall = () => {}
  })
})

describe('chosen snapshots', () => {
  test('only their trees are walked, and what others need is not known', async () => {
    const first = await addRun()
    writeFileSync(join(source, 'second'), noise(2, 10_000))
    const second = await addRun()
    const [pack] = inRoom(second.added, 'data')
    files.delete(pack!)
    const report = await verify(repository, { snapshots: [first.snapshot] })
    expect(report.counts.snapshots).toBe(1)
    expect(report.problems).toMatchObject([{ file: pack, isNeeded: undefined, snapshots: [] }])
    const both = await verify(repository, { snapshots: [first.snapshot, second.snapshot] })
    expect(both.problems).toMatchObject([
      { isNeeded: true, snapshots: [{ id: second.snapshot, pathCount: 1 }] },
    ])
  })

  test('one that is not there is an error', async () => {
    const attempt = verify(repository, { snapshots: ['ab'.repeat(32) as FileId] })
    await expect(attempt).rejects.toMatchObject({ code: 'NO_SNAPSHOT' })
  })
})

test('every path is counted, the first hundred are kept, and content pages count as their file', async () => {
  mkdirSync(join(source, 'many'))
  for (let at = 0; at < 130; at++) writeFileSync(join(source, 'many', `f${at}`), noise(at, 100))
  const { snapshot, added } = await addRun()
  files.delete(inRoom(added, 'data')[0]!)
  const [problem] = (await verify(repository)).problems
  const [touched] = problem!.snapshots
  expect(touched).toMatchObject({ id: snapshot, pathCount: 131 })
  expect(touched!.paths).toHaveLength(100)
})

describe('beside a prune', () => {
  /** Condemn packs as a prune does, and let them go. */
  async function condemn(packs: readonly string[], remove: boolean): Promise<void> {
    const session = await startSession(repository.backend, repository, 'prune', 0)
    const condemned = packs.map(idOf)
    await repository.putValue('index', indexFileValue({ packs: [], condemned, replaces: [] }), session)
    await repository.backend.remove(`sessions/${session}`)
    if (remove) for (const pack of packs) files.delete(pack)
  }

  test('chunks whose only copy is condemned are readable: a note, no problem', async () => {
    const { added } = await addRun()
    await condemn(inRoom(added, 'data'), false)
    const report = await verify(repository, { readData: true })
    expect(report.problems).toEqual([])
    expect(report.notes.map(({ kind }) => kind)).toEqual(['no-good-copy'])
  })

  test('a condemned pack that is gone with chunks that are needed is a problem', async () => {
    const { snapshot, added } = await addRun()
    const packs = inRoom(added, 'data')
    await condemn(packs, true)
    const report = await verify(repository)
    expect(report.problems).toMatchObject([
      { file: packs[0], kind: 'missing', isNeeded: true, snapshots: [{ id: snapshot, pathCount: 1 }] },
    ])
  })

  test('for a snapshot whose session was given up on it is a note: it is incomplete', async () => {
    const { added } = await addRun()
    const { snapshots } = await listSnapshots(repository)
    await declareOver(repository.backend, repository, snapshots[0]!.session, snapshots[0]!.session)
    await condemn(inRoom(added, 'data'), true)
    const report = await verify(repository)
    expect(report.problems).toEqual([])
    expect(report.notes.map(({ kind }) => kind)).toEqual(['incomplete-snapshot'])
  })

  test.each([false, true])(
    'a pack that goes while it runs, read data %s, is no damage once copied',
    async (readData) => {
      const { added } = await addRun()
      const packs = [...inRoom(added, 'data'), ...inRoom(added, 'trees')]
      const other = await open()
      await other.loadIndex()
      const chunks = await chunksOf(other, packs.map(idOf))
      other.index.markLost(packs.map(idOf))
      let isGone = false
      onCall = async (operation, name) => {
        if (isGone || operation !== 'getRange' || !packs.includes(name)) return
        isGone = true
        // What a sweep does: the same chunks in new packs, the word that the old ones are to go, then they go.
        await commitSnapshot(other, { operation: 'prune', nowMs: Date.now() }, async (writer) => {
          for (const { kind, id, bytes } of chunks) writer.saveChunk(kind, id, bytes)
          await writer.finish()
          return undefined
        })
        await condemn(packs, true)
      }
      const report = await verify(repository, { readData })
      expect(isGone).toBe(true)
      expect(report.problems).toEqual([])
      await other.close()
    },
  )

  test('a snapshot that is forgotten while it runs is not reported', async () => {
    const { snapshot, added } = await addRun()
    files.delete(inRoom(added, 'data')[0]!)
    await condemn(inRoom(added, 'data'), true)
    let lists = 0
    onCall = (operation, name) => {
      if (operation === 'list' && name === 'snapshots' && ++lists === 2) files.delete(`snapshots/${snapshot}`)
    }
    expect((await verify(repository)).problems).toEqual([])
    onCall = () => {}
  })
})

describe('the local index', () => {
  test('when it lacks chunks that index files list, it is rebuilt before anything is called lost', async () => {
    const cache = join(base, 'cache')
    await addRun()
    const cached = await open(cache)
    await cached.loadIndex()
    // As if every page of it had rotted away: it knows its files and none of their facts.
    const names = inRoom(files.keys(), 'index').map(idOf)
    await cached.index.reset()
    const nothing = { packs: [], condemned: [], replaces: [] }
    await cached.index.update(
      (async function* () {
        for (const file of names) yield { file, facts: nothing }
      })(),
    )
    const report = await verify(cached)
    expect(report.problems).toEqual([])
    expect(report.counts.dataChunks).toBeGreaterThan(0)
    await cached.close()
  })
})

test('what is no damage is thrown: storage that fails as a whole', async () => {
  await addRun()
  const failure = new Error('a programmer was wrong')
  onCall = (operation) => {
    if (operation === 'getRange') throw failure
  }
  await expect(verify(repository, { readData: true })).rejects.toBe(failure)
  onCall = () => {}
})
