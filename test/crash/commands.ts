import { expect } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import { copySnapshots } from '../../src/copy/index.ts'
import type { Secret } from '../../src/crypto/index.ts'
import type { FileId } from '../../src/encoding/index.ts'
import { removeSnapshots } from '../../src/forget/index.ts'
import { prune } from '../../src/prune/index.ts'
import { repairConfig, repairIndex, repairPacks, repairSnapshots } from '../../src/repair/index.ts'
import { addKey, type Repository, removeKey, replaceKey } from '../../src/repository/index.ts'
import { cheapCost, flipBit } from '../unit/repository/scene.ts'
import type { Allowed } from './aftermath.ts'
import { type CrashScene, type Files, NOW_MS, openFiles } from './scene.ts'

/** A command that may be stopped anywhere. */
export interface CrashCommand {
  readonly name: string
  /** What it finds: the scene's files, changed. */
  readonly prepare?: (scene: CrashScene, files: Files) => void
  run(repository: Repository, scene: CrashScene): Promise<FileId | undefined>
  /** What it may have changed wherever it was stopped. */
  readonly allowed?: (scene: CrashScene) => Allowed
}

/** A month after the history. */
const COMMAND_MS = NOW_MS + 30 * 86_400_000

/** The secret that a key change sets. */
export const otherSecret: Secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 9) }

const nothing = async (done: Promise<unknown>): Promise<undefined> => {
  await done
  return undefined
}

/** A pack that is not what it was, and all of which can still be read: no good copy of anything. */
function lengthenPack({ contents }: CrashScene, files: Files): void {
  expect(contents.size).toBeGreaterThan(0)
  for (const [name, bytes] of files)
    if (name.startsWith('data/')) files.set(name, Buffer.concat([bytes, Buffer.alloc(1)]))
}

async function mend(repository: Repository): Promise<void> {
  await repairPacks(repository, { nowMs: COMMAND_MS })
  await prune(repository, { threads: 0, sessionAgeMs: 0, nowMs: COMMAND_MS + 86_400_000 })
}

export const commands: readonly CrashCommand[] = [
  {
    name: 'backup',
    run: async (repository, { source }) =>
      (await backup(repository, [source], { threads: 0, timeMs: COMMAND_MS })).snapshotId,
  },
  {
    name: 'copy',
    run: async (repository, { elsewhere }) => {
      const copied = await copySnapshots(await openFiles(new Map(elsewhere)), repository, {
        nowMs: COMMAND_MS,
      })
      return copied.at(-1)!.copy
    },
  },
  {
    name: 'forget',
    run: (repository, { contents }) => nothing(removeSnapshots(repository, [...contents.keys()].slice(0, 1))),
    allowed: ({ contents }) => ({ mayBeGone: [...contents.keys()].slice(0, 1) }),
  },
  {
    name: 'prune',
    run: (repository) => nothing(prune(repository, { maxUnused: 0, threads: 0, nowMs: COMMAND_MS })),
  },
  {
    name: 'forget and prune',
    run: async (repository, { contents }) => {
      await removeSnapshots(repository, [...contents.keys()].slice(0, 1))
      return await nothing(prune(repository, { maxUnused: 0, threads: 0, nowMs: COMMAND_MS }))
    },
    allowed: ({ contents }) => ({ mayBeGone: [...contents.keys()].slice(0, 1) }),
  },
  {
    name: 'repair index, all of it gone',
    prepare: (_, files) => {
      for (const name of [...files.keys()]) if (name.startsWith('index/')) files.delete(name)
    },
    run: (repository) => nothing(repairIndex(repository, { nowMs: COMMAND_MS })),
    allowed: () => ({ mend: repairIndex }),
  },
  {
    name: 'repair index, every pack read',
    run: (repository) => nothing(repairIndex(repository, { readAll: true, nowMs: COMMAND_MS })),
  },
  {
    name: 'repair config, damaged',
    prepare: (_, files) => flipBit(files, 'config', 60),
    run: (repository) => nothing(repairConfig(repository)),
    allowed: () => ({ mend: repairConfig }),
  },
  {
    name: 'repair packs',
    prepare: lengthenPack,
    run: (repository) => nothing(repairPacks(repository, { nowMs: COMMAND_MS })),
    allowed: () => ({ mend }),
  },
  {
    name: 'repair snapshots',
    prepare: lengthenPack,
    run: (repository) => nothing(repairSnapshots(repository, { nowMs: COMMAND_MS })),
    allowed: () => ({ mend }),
  },
  {
    name: 'key passwd',
    run: (repository) => nothing(replaceKey(repository, otherSecret, { nowMs: COMMAND_MS, cost: cheapCost })),
  },
  {
    name: 'key add, key remove',
    run: async (repository) => {
      const added = await addKey(repository, otherSecret, { nowMs: COMMAND_MS, cost: cheapCost })
      await removeKey(repository, added)
      return undefined
    },
  },
]
