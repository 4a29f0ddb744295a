import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import type { FileId } from '../../src/encoding/index.ts'
import { hasCode } from '../../src/errors/index.ts'
import { removeSnapshots } from '../../src/forget/index.ts'
import { prune } from '../../src/prune/index.ts'
import type { Repository } from '../../src/repository/index.ts'
import { rewriteSettings } from '../../src/repository/rewrite.ts'
import { listSnapshots } from '../../src/snapshot/index.ts'
import { verify } from '../../src/verify/index.ts'
import { type Hashes, hashesOf, NOW_MS } from '../crash/scene.ts'
import { createStore, type MemoryStore } from '../unit/repository/scene.ts'
import { noise } from './shelf.ts'

// A storage that gives back files which were removed, each of them once written by this program: all that are named by
// their hash, or sealed, look as good as those that belong there.

const DAY_MS = 86_400_000
const folder = mkdtempSync(join(tmpdir(), 'holdfast-replay-'))
const source = join(folder, 'source')
const cache = join(folder, 'cache')
/** What is stored at the end, and what was removed on the way. */
let stored: ReadonlyMap<string, Buffer>
const removed = new Map<string, Buffer>()
/** Contents of the snapshots that were never forgotten. */
const kept = new Map<FileId, Hashes>()

function write(name: string, bytes: Buffer): void {
  writeFileSync(join(source, name), bytes)
  utimesSync(join(source, name), 1_600_000_000, 1_600_000_000)
}

async function contentOf(repository: Repository, id: FileId): Promise<Hashes> {
  const { snapshots } = await listSnapshots(repository)
  return await hashesOf(repository, snapshots.find((one) => one.id === id)!.tree, source)
}

beforeAll(async () => {
  mkdirSync(source)
  const store = createStore()
  store.before = (operation, name) => {
    if (operation === 'remove' && store.files.has(name)) removed.set(name, store.files.get(name)!)
  }
  const repository = await store.create({ cacheDirectory: cache })
  const ids: FileId[] = []
  for (let run = 0; run < 6; run++) {
    write(`file-${run % 3}`, noise(run, 60_000))
    write('steady', noise(99, 40_000))
    write('only once', noise(100 + run, 50_000))
    const timeMs = NOW_MS + run * DAY_MS
    ids.push((await backup(repository, [source], { threads: 0, timeMs })).snapshotId!)
    if (run % 2 === 1) {
      await removeSnapshots(repository, [ids[run - 1]!])
      for (let round = 1; round <= 2; round++)
        await prune(repository, {
          maxUnused: 0,
          threads: 0,
          sessionAgeMs: 0,
          nowMs: timeMs + round * 3_600_000,
        })
    }
  }
  // The storage loses the settings; those that take their place are as good.
  for (const name of store.names('settings')) {
    removed.set(name, store.files.get(name)!)
    store.files.delete(name)
  }
  await rewriteSettings(repository)
  for (const id of ids.filter((_, run) => run % 2 === 1)) kept.set(id, await contentOf(repository, id))
  await repository.close()
  stored = new Map(store.files)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function expectKept(store: MemoryStore, further: ReadonlyMap<FileId, Hashes>): Promise<void> {
  const repository = await store.open()
  await repository.loadIndex()
  for (const [id, content] of [...kept, ...further]) expect(await contentOf(repository, id)).toEqual(content)
}

const kinds = ['sessions', 'settings', 'snapshots', 'index', 'pending', 'data', 'trees']
const cases: [string, readonly string[]][] = [
  ...kinds.map((kind): [string, string[]] => [kind, [kind]]),
  ['snapshots and their packs', ['snapshots', 'data', 'trees']],
  ['packs and the index files that list them', ['index', 'data', 'trees']],
  ['everything', kinds],
]

describe.each(cases)('old files put back: %s', (_, directories) => {
  test.each([
    ['a client that knows the repository', true],
    ['one that has never seen it', false],
  ])('%s loses nothing', async (_client, isKnown) => {
    const replayed = [...removed].filter(([name]) => directories.includes(name.split('/')[0]!))
    expect(replayed).not.toEqual([])
    const store = createStore(new Map([...stored, ...replayed]))
    const cacheDirectory = isKnown ? mkdtempSync(join(folder, 'cache-')) : null
    if (cacheDirectory !== null) cpSync(cache, cacheDirectory, { recursive: true })
    const repository = await store.open({ cacheDirectory })
    await repository.loadIndex()
    await expectKept(store, new Map())

    const report = await verify(repository, { readData: true, threads: 0 })
    const touched = report.problems.flatMap(({ snapshots }) => snapshots.map(({ id }) => id))
    expect(touched.filter((id) => kept.has(id))).toEqual([])

    const made = await backup(repository, [source], { threads: 0, timeMs: NOW_MS + 100 * DAY_MS })
    expect(made.isIncomplete).toBe(false)
    const content = kept.get([...kept.keys()].at(-1)!)!
    const further = new Map([[made.snapshotId!, content]])
    await expectKept(store, further)
    for (let round = 1; round <= 3; round++) {
      const nowMs = NOW_MS + (100 + round) * DAY_MS
      try {
        await prune(repository, { maxUnused: 0, threads: 0, sessionAgeMs: 0, nowMs })
      } catch (error) {
        // A snapshot that was forgotten is there again, and lacks what was deleted: a prune says so.
        if (!hasCode(error, 'DAMAGED')) throw error
        const { snapshots } = await listSnapshots(repository)
        const foreign = snapshots.filter(({ id }) => !kept.has(id) && id !== made.snapshotId)
        expect(foreign).not.toEqual([])
        await removeSnapshots(
          repository,
          foreign.map(({ id }) => id),
        )
      }
      await expectKept(store, further)
    }
    expect((await verify(await store.open(), { readData: true, threads: 0 })).problems).toEqual([])
    await repository.close()
  })
})

test('the removed files are of every kind', () => {
  const seen = new Set([...removed.keys()].map((name) => name.split('/')[0]))
  expect([...seen].sort()).toEqual([...kinds].sort())
  expect(kept.size).toBe(3)
})
