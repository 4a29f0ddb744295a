import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileName, indexFileValue, type Repository, startSession } from '../../../src/repository/index.ts'
import { isTreeWhole } from '../../../src/snapshot/index.ts'
import { createStore, flipBit } from '../repository/scene.ts'
import { createScene, filesOf, nodesOf, type Scene, tempDirectory } from './scene.ts'

/** Files that are old: their nodes are not racy, so a backup takes them from its parent. */
const old = join(import.meta.dirname, '../../../node_modules/ignore')

async function scene(): Promise<Scene & { readonly files: number }> {
  const made = await createScene()
  const { summary } = await made.run({}, [old])
  return { ...made, files: summary.totalFiles }
}

/** A client that knows nothing finds every file of the newest snapshot. */
async function expectWhole({ store }: Scene, tree: Parameters<typeof isTreeWhole>[1]): Promise<void> {
  const client = await createStore(new Map(store.files)).open()
  await client.loadIndex()
  expect(await isTreeWhole(client, tree)).toBe(true)
  const files = await filesOf(client, tree, old)
  expect(files.get('/package.json')!.toString()).toContain('"ignore"')
}

async function condemn(repository: Repository, kind: 'data' | 'tree'): Promise<void> {
  const condemned = [...repository.index.packs()].filter((pack) => pack.kind === kind).map((pack) => pack.id)
  const session = await startSession(repository.backend, repository, 'prune', 0)
  await repository.putValue('index', indexFileValue({ packs: [], condemned, replaces: [] }), session)
  await repository.backend.remove(`sessions/${session}`)
}

/** Flip a bit in every block of every tree pack: their sizes stay right. */
function damageTrees({ store }: Scene): void {
  for (const name of store.names('trees')) {
    const bytes = store.files.get(name)!
    for (let at = 48; at < bytes.length; at += 4096) flipBit(store.files, name, at + 5)
  }
}

describe('the next backup', () => {
  test('stores again what a lost data pack held, though no file has changed', async () => {
    const all = await scene()
    for (const name of all.store.names('data')) all.store.files.delete(name)
    const { snapshot, errors } = await all.run({}, [old])
    expect(snapshot.summary).toMatchObject({ filesChanged: 0, filesUnmodified: all.files })
    expect(snapshot.summary.dataChunks).toBeGreaterThan(0)
    expect(errors).toEqual([])
    await expectWhole(all, snapshot.tree)
  })

  test('stores again what a lost tree pack held', async () => {
    const all = await scene()
    for (const name of all.store.names('trees')) all.store.files.delete(name)
    const { snapshot, errors } = await all.run({}, [old])
    expect(snapshot.summary.treeChunks).toBeGreaterThan(0)
    expect(errors).toEqual([])
    await expectWhole(all, snapshot.tree)
  })

  test('also as another client that had nothing of it in memory', async () => {
    for (const kind of ['data', 'trees']) {
      const all = await scene()
      for (const name of all.store.names(kind)) all.store.files.delete(name)
      const { backup } = await import('../../../src/backup/index.ts')
      const { listSnapshots } = await import('../../../src/snapshot/index.ts')
      const client = await all.store.open()
      const { snapshotId } = await backup(client, [old], { threads: 0 })
      const { snapshots } = await listSnapshots(client)
      await expectWhole(all, snapshots.find((one) => one.id === snapshotId)!.tree)
    }
  })

  test('relies on no condemned pack, also under nodes of its parent (R2)', async () => {
    for (const kind of ['data', 'tree'] as const) {
      const all = await scene()
      await condemn(all.repository, kind)
      const { snapshot } = await all.run({}, [old])
      expect(kind === 'data' ? snapshot.summary.dataChunks : snapshot.summary.treeChunks).toBeGreaterThan(0)
      // What was condemned may go at any time.
      const client = await all.store.open()
      await client.loadIndex()
      for (const row of client.index.packs())
        if (row.state === 'condemned') all.store.files.delete(fileName(row.kind, row.id))
      await expectWhole(all, snapshot.tree)
    }
  })

  test('goes on when the parent cannot be read: its trees are damaged and their size is right', async () => {
    const all = await scene()
    damageTrees(all)
    const { backup } = await import('../../../src/backup/index.ts')
    const client = await all.store.open()
    const result = await backup(client, [old], { threads: 0 })
    expect(result.summary.totalFiles).toBe(all.files)
    expect(result.summary.errors).toBe(0)
  })

  test('stores anew a tree pack whose size is right and that a read found damaged', async () => {
    const all = await scene()
    damageTrees(all)
    const { backup } = await import('../../../src/backup/index.ts')
    const client = await all.store.open()
    const { snapshotId } = await backup(client, [old], { threads: 0 })
    const { listSnapshots } = await import('../../../src/snapshot/index.ts')
    const { snapshots } = await listSnapshots(client)
    const trees = new Set(all.store.names('trees'))
    await expectWhole(all, snapshots.find((one) => one.id === snapshotId)!.tree)
    expect(all.store.names('trees').length).toBe(trees.size)
  })

  test('of a folder of which only the first page can be read, and whose other files are gone, ends', async () => {
    const all = await createScene()
    const source = tempDirectory()
    const names = Array.from({ length: 3000 }, (_, number) => `file ${String(number).padStart(4, '0')}`)
    execFileSync('touch', names, { cwd: source })
    const first = await all.run({}, [source])
    expect(first.summary.treeChunks).toBeGreaterThan(4)
    // Every tree chunk but the root and what leads to the folder's first page is lost.
    const kept = names.slice(0, 20)
    for (const name of readdirSync(source)) if (!kept.includes(name)) rmSync(join(source, name))
    const { repository, store } = all
    const reads: string[] = []
    const client = await store.open()
    const readTree = client.readTree.bind(client)
    Object.assign(client, {
      readTree: async (id: Parameters<typeof readTree>[0]) => {
        const hex = Buffer.from(id).toString('hex')
        if (!reads.includes(hex)) reads.push(hex)
        // A folder for each part of the path, the folder's index page, its first leaf.
        if (reads.indexOf(hex) >= source.split('/').length + 1) {
          const { DamagedError } = await import('../../../src/errors/index.ts')
          throw new DamagedError('trees/00/0', 'a test broke it')
        }
        return readTree(id)
      },
    })
    const { backup } = await import('../../../src/backup/index.ts')
    const { listSnapshots } = await import('../../../src/snapshot/index.ts')
    const result = await backup(client, [source], { threads: 0 })
    const { snapshots } = await listSnapshots(repository)
    const { tree } = snapshots.find((one) => one.id === result.snapshotId)!
    expect([...(await nodesOf(repository, tree, source)).keys()].map((path) => path.slice(1))).toEqual(kept)
  })
})
