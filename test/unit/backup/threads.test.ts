import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type BackupItem, backup } from '../../../src/backup/index.ts'
import { createScanPool } from '../../../src/backup/scan-pool.ts'
import type { ScanRules, ScanTask } from '../../../src/backup/scan-task.ts'
import { displayName, toHex } from '../../../src/encoding/index.ts'
import { prune } from '../../../src/prune/index.ts'
import { type Repository, RunWriter } from '../../../src/repository/index.ts'
import { isTreeWhole, listSnapshots } from '../../../src/snapshot/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { createStore, type MemoryStore } from '../repository/scene.ts'
import { filesOf, tempDirectory, treeIdOf } from './scene.ts'

const built = existsSync(new URL('../../../dist/backup/worker.js', import.meta.url))
/** Real files that are older than two seconds, so that no node is racy and trees can be compared. */
const sources = ['commander', 'ignore'].map((name) =>
  join(import.meta.dirname, '../../../node_modules', name),
)

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

async function waitTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

async function openWithCache(store: MemoryStore): Promise<Repository> {
  return await store.open({ cacheDirectory: tempDirectory() })
}

/** A copy of the same empty repository for each: ids depend on its keys. */
async function backUp(files: ReadonlyMap<string, Buffer>, threads: number) {
  const store = createStore(new Map(files))
  const repository = await openWithCache(store)
  const result = await backup(repository, sources, { threads })
  const { snapshots } = await listSnapshots(repository)
  const kinds = new Map([...repository.index.packs()].map((row) => [row.number, row.kind]))
  const data = [...repository.index.chunks()].filter(({ homes }) => kinds.get(homes[0]!.pack) === 'data')
  const chunks = data.map(({ id }) => toHex(id)).sort()
  return { store, repository, result, tree: snapshots[0]!.tree, chunks }
}

const rules: ScanRules = {
  excludes: {},
  sources: [],
  ownPlaces: [],
  oneFileSystem: false,
  withAtime: false,
  ignoreInode: false,
  ignoreCtime: false,
  isParentStored: false,
  wantsItems: false,
}

/** The scan of one file. */
function taskFor(path: string): ScanTask {
  const asked = { keys: basename(path), parentTree: undefined, device: 0n, areAsked: true }
  return { kind: 'names', path: dirname(path), ...asked }
}

describe.skipIf(!built)('reading threads', () => {
  test('look into the index that the run has loaded, also when another took its place', async () => {
    const [source, cacheDirectory] = [tempDirectory(), tempDirectory()]
    writeFileSync(join(source, 'file'), 'what only one pack has')
    const store = createStore()
    const elsewhere = await store.create()
    const first = await backup(elsewhere, [source], { threads: 0 })
    const repository = await store.open({ cacheDirectory })
    // Somebody deletes the cache, and another program makes it anew.
    rmSync(join(cacheDirectory, readdirSync(cacheDirectory)[0]!), { recursive: true })
    const other = await store.open({ cacheDirectory })
    await other.loadIndex()
    await other.close()
    await elsewhere.removeFile('snapshot', first.snapshotId!)
    expect((await prune(elsewhere, { threads: 0 })).deletedPacks).toBeGreaterThan(0)
    await backup(repository, [source], { threads: 2 })
    await repository.close()
    expect((await verify(await store.open())).problems).toEqual([])
  })

  test('give the same tree and the same chunks, however many they are', async () => {
    const empty = createStore()
    await empty.create()
    const expected = await backUp(empty.files, 0)
    expect(expected.result.summary.totalFiles).toBeGreaterThan(10)
    expect(await isTreeWhole(expected.repository, expected.tree)).toBe(true)
    for (const threads of [1, 2, 7]) {
      const found = await backUp(empty.files, threads)
      for (const source of sources) {
        const tree = await treeIdOf(found.repository, found.tree, source)
        expect(tree).toBe(await treeIdOf(expected.repository, expected.tree, source))
      }
      expect(found.chunks).toEqual(expected.chunks)
      expect(found.result.summary).toEqual({
        ...expected.result.summary,
        durationMs: found.result.summary.durationMs,
        addedPackedBytes: found.result.summary.addedPackedBytes,
      })
      // Nothing is stored twice, and a client without a cache reads every file.
      expect(found.result.summary.dataChunks).toBe(expected.result.summary.dataChunks)
      const reader = await found.store.open()
      await reader.loadIndex()
      const files = await filesOf(reader, found.tree, sources[1]!)
      expect(files.get('/package.json')!.toString()).toContain('"ignore"')
      await reader.close()
      await found.repository.close()
    }
    await expected.repository.close()
  })

  test('of a second backup find nothing to store', async () => {
    const empty = createStore()
    await empty.create()
    const { repository, tree } = await backUp(empty.files, 2)
    const again = await backup(repository, sources, { threads: 2, parent: null })
    expect(again.summary.dataChunks).toBe(0)
    const { snapshots } = await listSnapshots(repository)
    for (const source of sources) {
      const expected = await treeIdOf(repository, tree, source)
      for (const one of snapshots) expect(await treeIdOf(repository, one.tree, source)).toBe(expected)
    }
    await repository.close()
  })

  test('tell of names that are no text as they are told without threads', async () => {
    const source = tempDirectory()
    const folder = Buffer.concat([Buffer.from(`${source}/`), Buffer.of(0x61, 0xff)])
    mkdirSync(folder)
    // More than one task takes, so that the folder is put together from parts.
    for (let at = 0; at < 600; at++) writeFileSync(Buffer.concat([folder, Buffer.from(`/${at}`)]), `${at}`)
    const store = createStore()
    await store.create()
    const repository = await openWithCache(store)
    const told: string[][] = []
    for (const threads of [0, 2]) {
      const items: string[] = []
      const onItem = ({ path }: BackupItem): void => void items.push(displayName(path))
      await backup(repository, [source], { threads, parent: null, onItem })
      told.push(items.sort())
    }
    expect(told[1]).toEqual(told[0])
    await repository.close()
  })

  test('that find storage failing end with its error, the session taken back', async () => {
    const store = createStore()
    await store.create()
    const repository = await openWithCache(store)
    store.before = (operation) => {
      if (operation === 'commit') throw new Error('the disk is full')
    }
    await expect(backup(repository, sources, { threads: 2 })).rejects.toThrow('the disk is full')
    expect([store.names('sessions'), store.names('tmp'), store.names('snapshots')]).toEqual([[], [], []])
    await repository.close()
  })
})

describe.skipIf(!built)('reading threads and their end', () => {
  test('storage that fails ends the run before a large file is read to its end', async () => {
    const store = createStore()
    await store.create()
    const repository = await openWithCache(store)
    const path = join(tempDirectory(), 'large')
    writeFileSync(path, randomBytes(8 << 20))
    // No test would wait for these zeros to be read.
    truncateSync(path, 2 ** 42)
    store.before = (operation) => {
      if (operation === 'append') throw new Error('the disk is full')
    }
    await expect(backup(repository, [path], { threads: 1 })).rejects.toThrow('the disk is full')
    await repository.close()
  })

  test('answers of a task are not kept', async () => {
    const store = createStore()
    await store.create()
    const repository = await openWithCache(store)
    const path = join(tempDirectory(), 'file')
    writeFileSync(path, 'content')
    const writer = new RunWriter(repository, '1'.repeat(32) as RunWriter['session'])
    const readers = createScanPool({ repository, writer, rules, signal: undefined }, 1)
    const read = async (): Promise<WeakRef<object>> => new WeakRef(await readers.run(taskFor(path)))
    const first = await read()
    await read()
    await new Promise(setImmediate)
    collectGarbage()
    expect(first.deref()).toBeUndefined()
    await readers.finish()
    await readers.close()
    await repository.close()
  })

  test('an abort while they start lets them end by themselves', async () => {
    const store = createStore()
    await store.create()
    const repository = await openWithCache(store)
    // Stopped inside LMDB, a thread would take the process with it.
    const terminate = vi.spyOn(Worker.prototype, 'terminate')
    onTestFinished(() => terminate.mockRestore())
    for (const turns of [0, 3000, 10_000, 30_000]) {
      const controller = new AbortController()
      store.before = (operation, name) => {
        // The last thing before the threads start.
        if (operation === 'list' && name === 'trees') void waitTurns(turns).then(() => controller.abort())
      }
      const run = backup(repository, sources, { threads: 2, parent: null, signal: controller.signal })
      await run.catch((error: unknown) => expect(error).toMatchObject({ code: 'INTERRUPTED' }))
      expect([store.names('sessions'), store.names('tmp')]).toEqual([[], []])
    }
    expect(terminate).not.toHaveBeenCalled()
    await repository.close()
  })
})

describe.each(built ? [0, 2] : [0])('with %i threads', (threads) => {
  test('an abort in the middle of one large file ends the run, and the repository is whole', async () => {
    const store = createStore()
    await store.create()
    const repository = await openWithCache(store)
    const source = tempDirectory()
    writeFileSync(join(source, 'large'), randomBytes(24 << 20))
    const controller = new AbortController()
    store.before = (operation) => {
      // The first block has come out of the file.
      if (operation === 'append') controller.abort()
    }
    const run = backup(repository, [source], { threads, signal: controller.signal })
    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect([store.names('sessions'), store.names('tmp'), store.names('snapshots')]).toEqual([[], [], []])
    store.before = () => {}
    const { snapshotId } = await backup(repository, [source], { threads })
    expect(store.names('snapshots')).toEqual([`snapshots/${snapshotId}`])
    await repository.close()
  })

  test('an abort before, or at the last moment, makes no snapshot', async () => {
    const store = createStore()
    await store.create()
    const repository = await openWithCache(store)
    const controller = new AbortController()
    store.before = (operation, name) => {
      if (operation === 'put' && name.startsWith('index/')) controller.abort()
    }
    const late = backup(repository, sources, { threads, signal: controller.signal })
    await expect(late).rejects.toMatchObject({ code: 'INTERRUPTED' })
    const early = backup(repository, sources, { threads, signal: controller.signal })
    await expect(early).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect([store.names('sessions'), store.names('snapshots')]).toEqual([[], []])
    await repository.close()
  })

  test('a file that is read faster than it is stored waits: memory does not grow with it', async () => {
    const store = createStore()
    await store.create()
    const repository = await openWithCache(store)
    const path = join(tempDirectory(), 'large')
    writeFileSync(path, randomBytes(64 << 20))
    const writer = new RunWriter(repository, '1'.repeat(32) as RunWriter['session'], { compressionLevel: 0 })
    const readers = createScanPool({ repository, writer, rules, signal: undefined }, threads)
    let most = 0
    store.before = async (operation) => {
      if (operation !== 'append' || most > 0) return
      // Storage that stands still: until much waits for it, and then for long enough to read all the rest.
      while (writer.waitingBytes < 8 << 20) await new Promise(setImmediate)
      for (let turn = 0; turn < 100_000 && most < 48 << 20; turn++) {
        await new Promise(setImmediate)
        most = Math.max(most, writer.waitingBytes)
      }
    }
    expect(await readers.run(taskFor(path))).toMatchObject({ notes: { bytes: 64 << 20 } })
    await readers.finish()
    await readers.close()
    await writer.finish()
    expect(writer.statistics.dataBytes).toBe(64 << 20)
    expect(most).toBeLessThan(48 << 20)
    await repository.close()
  })
})
