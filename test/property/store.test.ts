import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import type { FileId } from '../../src/encoding/index.ts'
import { removeSnapshots } from '../../src/forget/index.ts'
import { prune } from '../../src/prune/index.ts'
import type { Repository } from '../../src/repository/index.ts'
import { restore } from '../../src/restore/index.ts'
import { listSnapshots } from '../../src/snapshot/index.ts'
import { verify } from '../../src/verify/index.ts'
import { tempDirectory } from '../unit/backup/scene.ts'
import { createStore, type MemoryStore } from '../unit/repository/scene.ts'
import { describeDirectory, describeSnapshot } from './snapshot-content.ts'
import { anyFolder, describeFolder, type Folder, putFolder } from './source-trees.ts'

/** Two clients at one repository, each with an index of its own, and what every snapshot must hold. */
interface World {
  readonly store: MemoryStore
  readonly clients: readonly Repository[]
  readonly source: string
  readonly target: string
  readonly model: Map<FileId, readonly string[]>
}

type Command =
  | { readonly what: 'backup'; readonly client: number; readonly folder: Folder }
  | { readonly what: 'forget'; readonly client: number; readonly which: number }
  | { readonly what: 'prune'; readonly client: number; readonly maxUnused: number }
  | { readonly what: 'verify'; readonly client: number }
  | { readonly what: 'restore'; readonly client: number; readonly which: number }

const client = fc.nat(1)
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ what: fc.constant('backup' as const), client, folder: anyFolder }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('forget' as const), client, which: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('prune' as const),
      client,
      maxUnused: fc.constantFrom(0, 0.02, 0.5, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('verify' as const), client }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restore' as const), client, which: fc.nat(9) }) },
)

async function run(world: World, command: Command): Promise<void> {
  const { model, source, target } = world
  const repository = world.clients[command.client]!
  const ids = [...model.keys()]
  switch (command.what) {
    case 'backup': {
      putFolder(source, command.folder)
      const { snapshotId } = await backup(repository, [source], { threads: 0 })
      model.set(snapshotId!, describeFolder(command.folder))
      return
    }
    case 'forget': {
      const id = ids[command.which % ids.length]
      if (id === undefined) return
      await removeSnapshots(repository, [id])
      model.delete(id)
      return
    }
    case 'prune': {
      const { waitingFiles, incompleteSnapshots } = await prune(repository, { maxUnused: command.maxUnused })
      expect([waitingFiles, incompleteSnapshots]).toEqual([0, []])
      return await checkAll(world)
    }
    case 'verify': {
      const { problems } = await verify(repository, { readData: true })
      expect(problems).toEqual([])
      return
    }
    case 'restore': {
      const id = ids[command.which % ids.length]
      if (id === undefined) return
      rmSync(target, { recursive: true, force: true })
      const { snapshots } = await listSnapshots(repository)
      const snapshot = snapshots.find((one) => one.id === id)!
      const { errors } = await restore(repository, snapshot, { target, path: source })
      expect(errors).toBe(0)
      expect(describeDirectory(target)).toEqual(model.get(id))
    }
  }
}

/** A client that knows nothing finds exactly the snapshots of the model, and in each what it must hold. */
async function checkAll({ store, model, source }: World): Promise<void> {
  const reader = await store.open()
  await reader.loadIndex()
  const { snapshots, damaged } = await listSnapshots(reader)
  expect(damaged).toEqual([])
  expect(snapshots.map((one) => one.id).sort()).toEqual([...model.keys()].sort())
  for (const { id, tree, isConfirmed } of snapshots) {
    expect(isConfirmed).toBe(true)
    expect(await describeSnapshot(reader, tree, source)).toEqual(model.get(id))
  }
}

test('whatever is done in whatever order, every kept snapshot holds what was backed up', async () => {
  const folder = tempDirectory()
  const source = tempDirectory(folder)
  const target = join(folder, 'target')
  await fc.assert(
    fc.asyncProperty(fc.array(anyCommand, { minLength: 1, maxLength: 8 }), async (commands) => {
      const store = createStore()
      const clients = [await store.create(), await store.open()]
      const world: World = { store, clients, source, target, model: new Map() }
      for (const command of commands) await run(world, command)
      await checkAll(world)
      // At the end everything is forgotten, and nothing is left of it.
      await removeSnapshots(clients[0]!, [...world.model.keys()])
      await prune(clients[1]!)
      for (const directory of ['data', 'trees', 'snapshots', 'sessions', 'pending', 'tmp'])
        expect(store.names(directory)).toEqual([])
    }),
    { numRuns: 40 },
  )
}, 60_000)
