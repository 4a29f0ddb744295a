import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { createRepositorySandbox, createSandbox, type Sandbox, writeFiles } from './harness.ts'
import { createSharedSandbox } from './shared-sandbox.ts'

test('cache says where local indexes are, and that nothing has to be done', async () => {
  const sandbox = createSandbox()
  expect((await sandbox.ok(['cache', '--cleanup'])).stdout).toContain(sandbox.cache)
  expect(await sandbox.json(['cache'])).toEqual([{ message_type: 'cache', directory: sandbox.cache }])
  expect((await sandbox.ok(['cache', '--no-cache'])).stdout).toContain('in memory')
})

describe('a local index that cannot be used is built again', () => {
  let sandbox: Sandbox
  let folder: string
  beforeAll(async () => {
    const shared = await createSharedSandbox()
    sandbox = shared.sandbox
    writeFiles(sandbox.source, { file: 'content' })
    await sandbox.ok(['backup', sandbox.source])
    folder = join(sandbox.cache, readdirSync(sandbox.cache)[0]!)
    return shared.remove
  })

  const data = (): string => join(folder, 'data.mdb')
  const damages: Readonly<Record<string, () => void>> = {
    truncated: () => truncateSync(data(), 5000),
    emptied: () => truncateSync(data(), 0),
    'overwritten with noise': () => writeFileSync(data(), Buffer.alloc(100_000, 'noise')),
    'of another version': () => {
      const clean = join(folder, 'clean')
      writeFileSync(clean, readFileSync(clean, 'latin1').replace(/^holdfast index \d+/, 'holdfast index 999'))
    },
  }

  test.each(Object.keys(damages))('%s: one line says so, and the command succeeds', async (name) => {
    damages[name]!()
    const first = await sandbox.ok(['snapshots'])
    expect(first.stdout).toMatch(/^\d snapshots?$/m)
    expect(first.stderr).toMatch(/^the local index at .*: rebuilding it\n$/)
    const again = await sandbox.ok(['backup', sandbox.source, '--json', '--no-progress'])
    expect(again.stderr).toBe('')
    expect(JSON.parse(again.stdout)).toMatchObject({ data_blobs: 0, total_files_processed: 1 })
  })

  test('deleted: nothing needs to be said, and nothing is stored again', async () => {
    rmSync(sandbox.cache, { recursive: true })
    const again = await sandbox.json(['backup', sandbox.source])
    expect(again.at(-1)).toMatchObject({ data_blobs: 0, total_files_processed: 1 })
    expect(existsSync(data())).toBe(true)
    await sandbox.ok(['verify', '--read-data'])
  })

  test('--no-cache keeps it in memory', async () => {
    rmSync(sandbox.cache, { recursive: true })
    await sandbox.ok(['backup', sandbox.source, '--no-cache'])
    expect(existsSync(sandbox.cache)).toBe(false)
  })
})

test('a copy of a repository shares no index with it: what one has is not relied on in the other', async () => {
  const { sandbox, remove } = await createSharedSandbox()
  try {
    writeFiles(sandbox.source, { one: 'first' })
    await sandbox.ok(['backup', sandbox.source])
    const copy = join(sandbox.home, 'copy')
    cpSync(sandbox.repository, copy, { recursive: true })
    writeFiles(sandbox.source, { two: 'only the copy has it so far' })
    await sandbox.ok(['backup', '--repo', copy, sandbox.source])
    expect(readdirSync(sandbox.cache)).toHaveLength(2)
    // One name for one place: a link to the repository leads to the same index.
    symlinkSync(sandbox.repository, join(sandbox.home, 'link'))
    await sandbox.ok(['snapshots', '--repo', join(sandbox.home, 'link')])
    expect(readdirSync(sandbox.cache)).toHaveLength(2)
  } finally {
    remove()
  }
})

test.skipIf(process.platform !== 'linux')(
  'where address space is limited the index is kept in memory (ulimit -v, Linux)',
  async () => {
    const sandbox = await createRepositorySandbox()
    writeFiles(sandbox.source, { file: 'content' })
    const binary = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
    const command = `ulimit -v 40000000; exec ${process.execPath} ${binary} backup ${sandbox.source}`
    const { status, stderr } = spawnSync('sh', ['-c', command], { env: sandbox.env, encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, expect.stringContaining('keeping the index in memory')])
    await sandbox.ok(['verify', '--read-data'])
  },
)
