import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { createRepositorySandbox, parseLines, writeFiles } from './harness.ts'
import { storedFiles } from './stored-files.ts'

test('list prints the ids of every kind of stored file', async () => {
  const sandbox = await createRepositorySandbox()
  writeFiles(sandbox.source, { file: 'content' })
  await sandbox.ok(['backup', sandbox.source])
  const list = async (...args: string[]): Promise<string[]> =>
    (await sandbox.ok(['list', ...args])).stdout.split('\n').filter((line) => line !== '')

  const folders = { snapshots: 'snapshots', keys: 'keys' }
  for (const [kind, folder] of Object.entries(folders)) {
    expect((await list(kind)).sort(), kind).toEqual(
      storedFiles(sandbox, folder).map((path) => basename(path)),
    )
  }
  const packs = [...storedFiles(sandbox, 'data'), ...storedFiles(sandbox, 'trees')]
  expect((await list('packs')).sort()).toEqual(packs.map((path) => basename(path)).sort())
  expect(await list('locks')).toEqual([])

  const chunks = await list('blobs')
  expect(chunks.filter((line) => /^data [0-9a-f]{64}$/.test(line))).toHaveLength(1)
  expect(parseLines((await sandbox.ok(['list', 'chunks', '--json'])).stdout)).toContainEqual({
    id: chunks.find((line) => line.startsWith('data '))!.slice(5),
    type: 'data',
    size: 7,
  })
  expect((await sandbox.run(['list', 'everything'])).code).toBe(2)
})
