import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import type { FileId } from '../../src/encoding/index.ts'
import { removeSnapshots } from '../../src/forget/index.ts'
import { prune } from '../../src/prune/index.ts'
import { repairSnapshots } from '../../src/repair/index.ts'
import { declareOver, startSession } from '../../src/repository/index.ts'
import { listSnapshots } from '../../src/snapshot/index.ts'
import { verify } from '../../src/verify/index.ts'
import { type Hashes, hashesOf } from '../crash/scene.ts'
import { createStore } from '../unit/repository/scene.ts'

/** Any moment that a clock can show: long ago, now, a little off, and further on than anybody lives. */
const moments = fc.oneof(
  fc.constantFrom(0, 1, Date.UTC(1999, 11, 31, 23, 59, 59), Date.UTC(2106, 1, 7), Date.UTC(9999, 11, 31)),
  fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 0, 30) }),
  fc.integer({ min: 0, max: Date.UTC(9999, 0, 1) }),
)
const steps = fc.array(
  fc.tuple(
    fc.constantFrom('backup', 'backup', 'prune', 'prune', 'forget', 'repair', 'dead session'),
    moments,
    fc.nat(3),
  ),
  { minLength: 3, maxLength: 12 },
)

test('whatever the clock shows from one command to the next, nothing is lost', {
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-clocks-'))
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const source = mkdtempSync(join(folder, 'source-'))
      mkdirSync(join(source, 'deep'))
      const store = createStore()
      const repository = await store.create({ nowMs: sequence[0]![1] })
      const kept = new Map<FileId, Hashes>()
      for (const [number, [what, nowMs, choice]] of sequence.entries()) {
        if (what === 'backup') {
          writeFileSync(join(source, 'deep', `file-${choice}`), `content ${number}`)
          const { snapshotId } = await backup(repository, [source], { threads: 0, timeMs: nowMs })
          const { snapshots } = await listSnapshots(repository)
          const { tree } = snapshots.find(({ id }) => id === snapshotId)!
          kept.set(snapshotId!, await hashesOf(repository, tree, source))
        } else if (what === 'forget') {
          const id = [...kept.keys()][choice]
          if (id === undefined) continue
          await removeSnapshots(repository, [id])
          kept.delete(id)
        } else if (what === 'repair') await repairSnapshots(repository, { nowMs })
        else if (what === 'prune') await prune(repository, { maxUnused: 0, threads: 0, nowMs })
        else {
          const session = await startSession(repository.backend, repository, 'backup', nowMs)
          if (choice === 0) await declareOver(repository.backend, repository, session, session)
        }
      }
      const client = await store.open()
      await client.loadIndex()
      expect((await verify(client, { readData: true, threads: 0 })).problems).toEqual([])
      const { snapshots } = await listSnapshots(client)
      expect(snapshots.map(({ id }) => id).sort()).toEqual([...kept.keys()].sort())
      for (const { id, tree } of snapshots) expect(await hashesOf(client, tree, source)).toEqual(kept.get(id))
    }),
    { numRuns: process.env.HOLDFAST_LONG ? 500 : 40 },
  )
  rmSync(folder, { recursive: true, force: true })
})
