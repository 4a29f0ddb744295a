import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { backup, chunkerConfig } from '../../../src/backup/index.ts'
import { type CopiedSnapshot, type CopyOptions, copySnapshots } from '../../../src/copy/index.ts'
import type { FileId } from '../../../src/encoding/index.ts'
import { removeSnapshots } from '../../../src/forget/index.ts'
import { prune } from '../../../src/prune/index.ts'
import { repairSnapshots } from '../../../src/repair/index.ts'
import type { Repository } from '../../../src/repository/index.ts'
import { listSnapshots, type Snapshot } from '../../../src/snapshot/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { hashesOf } from '../../crash/scene.ts'
import { noise } from '../../damage/shelf.ts'
import { tempDirectory } from '../backup/scene.ts'
import { createStore, type MemoryStore } from '../repository/scene.ts'
import { writeTree } from '../restore/scene.ts'

const NOW_MS = 1_700_000_000_000
const DAY_MS = 86_400_000

interface Scene {
  readonly source: string
  readonly from: MemoryStore
  readonly to: MemoryStore
  readonly repository: Repository
  /** Of other keys, and other lengths of chunks. */
  readonly target: Repository
  snapshot(options?: { tags?: readonly string[] }): Promise<FileId>
}

async function createScene(): Promise<Scene> {
  const source = tempDirectory()
  const [from, to] = [createStore(), createStore()]
  const repository = await from.create()
  const target = await to.create({ chunker: chunkerConfig(64 * 1024) })
  writeTree(source, {
    'a/one': noise(1, 300_000),
    'a/two': 'second',
    'b/deep/er/three': noise(2, 150_000),
    empty: '',
  })
  let runs = 0
  return {
    source,
    from,
    to,
    repository,
    target,
    snapshot: async ({ tags = [] } = {}) => {
      const timeMs = NOW_MS + runs++ * DAY_MS
      const options = { threads: 0, timeMs, tags, description: `run ${runs}` }
      return (await backup(repository, [source], options)).snapshotId!
    },
  }
}

async function snapshotsOf(store: MemoryStore): Promise<readonly Snapshot[]> {
  return (await listSnapshots(await store.open())).snapshots
}

async function contentsOf(store: MemoryStore, source: string): Promise<unknown[]> {
  const repository = await store.open()
  await repository.loadIndex()
  const contents: unknown[] = []
  for (const { tree } of (await listSnapshots(repository)).snapshots)
    contents.push(await hashesOf(repository, tree, source))
  return contents
}

/** Copy, and count the content that was read. */
async function copy(
  scene: Scene,
  options: CopyOptions = {},
): Promise<{ results: CopiedSnapshot[]; bytes: number }> {
  let bytes = 0
  const onProgress: CopyOptions['onProgress'] = (progress) => {
    bytes = progress.bytes
  }
  const results = await copySnapshots(scene.repository, scene.target, { ...options, onProgress })
  return { results, bytes }
}

const outcomes = (results: readonly CopiedSnapshot[]): string[] => results.map(({ outcome }) => outcome)

describe('copySnapshots()', () => {
  test('brings snapshots with all that they say, and what they share once', async () => {
    const scene = await createScene()
    const { source, from, to } = scene
    await scene.snapshot({ tags: ['daily', 'first'] })
    writeFileSync(join(source, 'a/two'), 'changed')
    await scene.snapshot()
    rmSync(join(source, 'b'), { recursive: true })
    await scene.snapshot()
    const { results, bytes } = await copy(scene)
    expect(outcomes(results)).toEqual(['copied', 'copied', 'copied'])
    expect(bytes).toBe(450_000 + 'second'.length + 'changed'.length)
    expect(await contentsOf(to, source)).toEqual(await contentsOf(from, source))
    const [originals, copies] = [await snapshotsOf(from), await snapshotsOf(to)]
    for (const [at, original] of originals.entries()) {
      const one = copies[at]!
      expect(one.id).toBe(results[at]!.copy)
      const { id, session, tree, parent } = one
      expect(one).toEqual({ ...original, id, session, tree, parent, original: original.id })
      expect(tree).not.toEqual(original.tree)
    }
    expect((await verify(await to.open(), { readData: true, threads: 0 })).problems).toEqual([])
  })

  test('given again does nothing, also when tags of a copy were changed or it is copied back', async () => {
    const scene = await createScene()
    await scene.snapshot()
    await copy(scene)
    const before = new Map(scene.to.files)
    expect(await copy(scene)).toMatchObject({ results: [{ outcome: 'present' }], bytes: 0 })
    expect(scene.to.files).toEqual(before)
    const back = await copySnapshots(await scene.to.open(), scene.repository)
    expect(outcomes(back)).toEqual(['present'])
  })

  test('stores nothing that the other repository has of its own', async () => {
    const scene = await createScene()
    await scene.snapshot()
    await backup(scene.target, [scene.source], { threads: 0, timeMs: NOW_MS })
    const before = scene.to.names('data')
    await copy(scene)
    expect(scene.to.names('data')).toEqual(before)
  })

  test('interrupted anywhere it goes on where it was, and nothing is stored or shown twice', async () => {
    const scene = await createScene()
    await scene.snapshot()
    writeFileSync(join(scene.source, 'a/new'), noise(3, 200_000))
    await scene.snapshot()
    const empty = new Map(scene.to.files)
    for (let last = 0; ; last++) {
      scene.to.files.clear()
      for (const [name, bytes] of empty) scene.to.files.set(name, bytes)
      const controller = new AbortController()
      let calls = 0
      scene.to.before = () => {
        if (calls++ >= last) controller.abort()
      }
      const target = await scene.to.open()
      calls = 0
      const options = { signal: controller.signal }
      const isInterrupted = await copySnapshots(scene.repository, target, options).then(
        () => false,
        () => true,
      )
      scene.to.before = () => {}
      const again = await copySnapshots(scene.repository, await scene.to.open())
      expect(outcomes(again).every((one) => one === 'copied' || one === 'present')).toBe(true)
      expect(await contentsOf(scene.to, scene.source)).toEqual(await contentsOf(scene.from, scene.source))
      const client = await scene.to.open()
      await client.loadIndex()
      expect([...client.index.chunks()].filter(({ homes }) => homes.length > 1)).toEqual([])
      if (!isInterrupted) break
    }
  })

  test('a snapshot that cannot be read keeps none of the others', async () => {
    const scene = await createScene()
    await scene.snapshot()
    const known = scene.from.names('data')
    writeFileSync(join(scene.source, 'a/new'), noise(3, 200_000))
    const broken = await scene.snapshot()
    rmSync(join(scene.source, 'a/new'))
    await scene.snapshot()
    for (const name of scene.from.names('data')) if (!known.includes(name)) scene.from.files.delete(name)
    const repository = await scene.from.open()
    const results = await copySnapshots(repository, scene.target)
    expect(outcomes(results)).toEqual(['copied', 'damaged', 'copied'])
    expect(results[1]).toMatchObject({ id: broken, problem: expect.stringContaining('missing') })
    expect(await snapshotsOf(scene.to)).toHaveLength(2)
    expect((await verify(await scene.to.open(), { readData: true, threads: 0 })).problems).toEqual([])
  })

  test('what the other repository has lost of an earlier copy is stored again', async () => {
    const scene = await createScene()
    await scene.snapshot()
    await copy(scene)
    for (const name of scene.to.names('data')) scene.to.files.delete(name)
    writeFileSync(join(scene.source, 'a/two'), 'changed')
    await scene.snapshot()
    const target = await scene.to.open()
    await copySnapshots(scene.repository, target)
    const client = await scene.to.open()
    await client.loadIndex()
    const [, second] = await snapshotsOf(scene.to)
    const [, original] = await contentsOf(scene.from, scene.source)
    expect(await hashesOf(client, second!.tree, scene.source)).toEqual(original)
  })

  test('what was repaired in the other repository is no copy: it is copied again, whole', async () => {
    const scene = await createScene()
    await scene.snapshot()
    await copy(scene)
    for (const name of scene.to.names('data')) scene.to.files.delete(name)
    await repairSnapshots(await scene.to.open(), { forget: true })
    writeFileSync(join(scene.source, 'b/new'), 'new')
    await scene.snapshot()
    const results = await copySnapshots(scene.repository, await scene.to.open())
    expect(outcomes(results)).toEqual(['copied', 'copied'])
    const client = await scene.to.open()
    await client.loadIndex()
    const copies = (await snapshotsOf(scene.to)).filter(({ incomplete }) => !incomplete)
    const contents = await Promise.all(copies.map(({ tree }) => hashesOf(client, tree, scene.source)))
    expect(contents).toEqual(await contentsOf(scene.from, scene.source))
  })

  test('a prune of the other repository in between takes nothing from the next copy', async () => {
    const scene = await createScene()
    await scene.snapshot()
    await copy(scene)
    const [made] = await snapshotsOf(scene.to)
    const pruner = await scene.to.open()
    let isDone = false
    scene.to.before = async (operation, name) => {
      // After the second copy has begun its session, and before it looks anything up.
      if (isDone || operation !== 'put' || !name.startsWith('sessions/')) return
      isDone = true
      await removeSnapshots(pruner, [made!.id])
      for (let round = 0; round < 2; round++)
        await prune(pruner, {
          threads: 0,
          maxUnused: 0,
          sessionAgeMs: 0,
          nowMs: NOW_MS + (10 + round) * DAY_MS,
        })
    }
    writeFileSync(join(scene.source, 'a/two'), 'changed')
    const second = await scene.snapshot()
    await copySnapshots(scene.repository, scene.target, { snapshots: [second] })
    scene.to.before = () => {}
    expect(isDone).toBe(true)
    expect((await verify(await scene.to.open(), { readData: true, threads: 0 })).problems).toEqual([])
    expect(await contentsOf(scene.to, scene.source)).toEqual(
      (await contentsOf(scene.from, scene.source)).slice(1),
    )
  })

  test('a dry run stores nothing; a snapshot that is chosen is copied alone', async () => {
    const scene = await createScene()
    const ids = [await scene.snapshot(), await scene.snapshot()]
    const before = new Map(scene.to.files)
    const dry = await copy(scene, { isDryRun: true })
    expect(dry).toMatchObject({
      results: ids.map((id) => ({ id, outcome: 'copied', copy: undefined })),
      bytes: 0,
    })
    expect(scene.to.files).toEqual(before)
    const { results } = await copy(scene, { snapshots: [ids[1]!] })
    expect(results.map(({ id }) => id)).toEqual([ids[1]])
    expect(await snapshotsOf(scene.to)).toMatchObject([{ original: ids[1] }])
  })

  test('one repository under two names is refused', async () => {
    const { from, repository } = await createScene()
    await expect(copySnapshots(repository, await from.open())).rejects.toMatchObject({ code: 'USAGE' })
  })
})
