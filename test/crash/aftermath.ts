import { expect } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import type { FileId } from '../../src/encoding/index.ts'
import { prune } from '../../src/prune/index.ts'
import { listPacks, type Repository } from '../../src/repository/index.ts'
import { createChunkSet, listSnapshots } from '../../src/snapshot/index.ts'
import { visitTree } from '../../src/tree/index.ts'
import { verify } from '../../src/verify/index.ts'
import { type CrashScene, type Files, hashesOf, NOW_MS, openFiles } from './scene.ts'

/** Long after the crash: whoever was at work is given up on. */
const LATER_MS = NOW_MS + 400 * 86_400_000

/** What a crash may have changed beside adding to the repository. */
export interface Allowed {
  /** Snapshots that the command was told to remove. */
  readonly mayBeGone?: readonly FileId[]
  /** Snapshots that have to be there: their command had reported success. */
  readonly mustBeThere?: readonly FileId[]
  /** What is given again before the rest is looked at, where the repository was damaged before the command. */
  readonly mend?: (repository: Repository) => Promise<unknown>
}

/**
 * What has to hold in a repository wherever the world stopped: earlier snapshots are whole, nothing is damaged, the
 * next backup succeeds and stores only what is not there, and a prune leaves nothing that nobody needs.
 *
 * @param files changed
 */
export async function checkAftermath(scene: CrashScene, files: Files, allowed: Allowed = {}): Promise<void> {
  const { source, contents, sourceContent } = scene
  const before = new Set([...files.keys()].filter((name) => name.startsWith('sessions/')))
  await allowed.mend?.(await openFiles(files))
  await expectSound(scene, files, allowed)

  const client = await openFiles(files)
  const result = await backup(client, [source], { threads: 0, timeMs: LATER_MS })
  expect(result.isIncomplete).toBe(false)
  const { snapshots } = await listSnapshots(client)
  const made = snapshots.find((one) => one.id === result.snapshotId)!
  expect(made.isConfirmed).toBe(true)
  expect(await hashesOf(await openFiles(files), made.tree, source)).toEqual(sourceContent)
  // What the crashed command had stored and listed is not stored again.
  const again = await backup(await openFiles(files), [source], { threads: 0, timeMs: LATER_MS + 1 })
  expect(again.summary).toMatchObject({ dataChunks: 0, filesNew: 0, filesChanged: 0 })

  // What the first one condemns, it may have to leave to the next.
  const pruner = await openFiles(files)
  for (let round = 0; round < 2; round++)
    await prune(pruner, { maxUnused: 0, sessionAgeMs: 0, nowMs: LATER_MS + round * 86_400_000, threads: 0 })
  await expectSound(scene, files, allowed)
  await expectTidy(await openFiles(files), before)
  const left = (await listSnapshots(await openFiles(files))).snapshots.map(({ id }) => id)
  expect(left).toEqual(expect.arrayContaining([made.id, again.snapshotId]))
  expect(contents.size).toBeGreaterThan(0)
}

async function expectSound(scene: CrashScene, files: Files, allowed: Allowed): Promise<void> {
  const repository = await openFiles(files)
  const report = await verify(repository, { readData: true, threads: 0 })
  expect(report.problems).toEqual([])
  const { snapshots, damaged } = await listSnapshots(repository)
  expect(damaged).toEqual([])
  for (const id of allowed.mustBeThere ?? [])
    expect(
      snapshots.some((one) => one.id === id && one.isConfirmed),
      id,
    ).toBe(true)
  for (const [id, content] of scene.contents) {
    const snapshot = snapshots.find((one) => one.id === id)
    if (snapshot === undefined && allowed.mayBeGone?.includes(id)) continue
    expect(snapshot?.isConfirmed, id).toBe(true)
    expect(await hashesOf(repository, snapshot!.tree, scene.source)).toEqual(content)
  }
}

/**
 * No pack that nothing needs, nothing pending, no temporary file, and no session but that of the command that crashed: nobody
 * waits for it, so nobody has given up on it.
 */
async function expectTidy(repository: Repository, crashed: ReadonlySet<string>): Promise<void> {
  const { backend, index } = repository
  const needed = createChunkSet(repository)
  for (const { tree } of (await listSnapshots(repository)).snapshots) {
    await visitTree(repository, tree, {
      enterTree: (id) => needed.add(id),
      data: (ids) => ids.forEach((id) => void needed.add(id)),
    })
  }
  const used = new Set<number>()
  for (const chunk of index.chunks())
    if (needed.has(chunk.id)) for (const home of chunk.homes) used.add(home.pack)
  for await (const pack of listPacks(repository)) {
    const row = index.pack(pack.id)
    expect(row !== undefined && row.state === 'good' && used.has(row.number), `pack ${pack.id}`).toBe(true)
  }
  const left: string[] = []
  for (const directory of ['pending', 'tmp', 'sessions'])
    for await (const { name } of backend.list(directory)) left.push(name)
  expect(left.filter((name) => !crashed.has(name.replace(/\.over$/, '')))).toEqual([])
}
