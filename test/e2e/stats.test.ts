import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createRepositorySandbox, writeFiles } from './harness.ts'

test("stats counts in restic's four ways, of all snapshots or of some", async () => {
  const sandbox = await createRepositorySandbox()
  const content = randomBytes(100_000)
  writeFiles(sandbox.source, { one: content, two: content })
  await sandbox.ok(['backup', sandbox.source, '--host', 'alpha'])
  writeFiles(sandbox.source, { three: Buffer.alloc(100_000) })
  await sandbox.ok(['backup', sandbox.source, '--host', 'beta'])
  const stats = async (...args: string[]): Promise<Record<string, unknown>> =>
    (await sandbox.json(['stats', ...args])).at(-1)!

  expect(await stats()).toMatchObject({ snapshots_count: 2, total_size: 500_000 })
  expect(await stats('--mode', 'files-by-contents')).toMatchObject({
    total_file_count: 2,
    total_size: 200_000,
  })
  expect(await stats('--mode', 'blobs-per-file')).toMatchObject({ total_file_count: 2, snapshots_count: 2 })
  const raw = await stats('--mode', 'raw-data')
  expect(raw.total_uncompressed_size).toBeGreaterThan(100_000)
  expect(raw.total_size).toBeGreaterThan(100_000)
  expect(raw).not.toHaveProperty('total_file_count')

  expect(await stats('latest')).toMatchObject({ snapshots_count: 1, total_size: 300_000 })
  expect(await stats('--host', 'alpha')).toMatchObject({ snapshots_count: 1, total_size: 200_000 })

  const { stdout } = await sandbox.ok(['stats', '--mode', 'raw-data'])
  expect(stdout).toMatch(/^snapshots {5}2$/m)
  expect(stdout).toMatch(/^compression {3}\d+\.\d\d to 1/m)
  expect((await sandbox.run(['stats', '--mode', 'guess'])).code).toBe(2)
})
