import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import { listSnapshots } from '../../src/snapshot/index.ts'
import { tempDirectory, treeIdOf } from '../unit/backup/scene.ts'
import { createStore } from '../unit/repository/scene.ts'
import { describeSnapshot } from './snapshot-content.ts'
import { anyFolder, describeFolder, putFolder } from './source-trees.ts'

test('a snapshot holds exactly what was there, whatever was there before', async () => {
  const source = tempDirectory()
  await fc.assert(
    fc.asyncProperty(fc.array(anyFolder, { minLength: 1, maxLength: 4 }), async (folders) => {
      const store = createStore()
      const repository = await store.create()
      for (const folder of folders) {
        putFolder(source, folder)
        const result = await backup(repository, [source], { threads: 0 })
        expect(result.summary.errors).toBe(0)
        // A client that knows nothing reads it all.
        const reader = await store.open()
        await reader.loadIndex()
        const { snapshots } = await listSnapshots(reader)
        const { tree } = snapshots.find((one) => one.id === result.snapshotId)!
        expect(await describeSnapshot(reader, tree, source)).toEqual(describeFolder(folder))
      }
    }),
    { numRuns: 25 },
  )
}, 60_000)

test('what is backed up twice is stored once, and has the same tree when it is read anew', async () => {
  const source = tempDirectory()
  await fc.assert(
    fc.asyncProperty(anyFolder, async (folder) => {
      const store = createStore()
      const repository = await store.create()
      const startedMs = Date.now()
      putFolder(source, folder)
      await backup(repository, [source], { threads: 0 })
      const again = await backup(repository, [source], { threads: 0, parent: null })
      expect(again.summary.dataChunks).toBe(0)
      const { snapshots } = await listSnapshots(repository)
      const [one, two] = [snapshots[0]!.tree, snapshots[1]!.tree]
      expect(await describeSnapshot(repository, two, source)).toEqual(describeFolder(folder))
      // Nodes of files that are two seconds old meanwhile say so, and are other nodes.
      if (again.endedMs - startedMs > 1500) return
      expect(await treeIdOf(repository, two, source)).toBe(await treeIdOf(repository, one, source))
    }),
    { numRuns: 15 },
  )
}, 60_000)
