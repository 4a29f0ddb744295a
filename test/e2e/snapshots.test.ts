import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { createRepositorySandbox, type Sandbox, writeFiles } from './harness.ts'

/** Three snapshots: two of `a` by host one, one of `b` by host two. */
async function createThree(atEnd?: Parameters<typeof createRepositorySandbox>[0]): Promise<Sandbox> {
  const sandbox = await createRepositorySandbox(atEnd)
  writeFiles(sandbox.source, { 'a/file': '1', 'b/file': '22' })
  const backup = async (folder: string, ...args: string[]) =>
    await sandbox.ok(['backup', join(sandbox.source, folder), ...args])
  await backup('a', '--host', 'one', '--time', '2026-01-01', '--tag', 'old')
  await backup('a', '--host', 'one', '--time', '2026-01-02')
  await backup('b', '--host', 'two', '--time', '2026-01-03', '--tag', 'x,y', '--description', 'third')
  return sandbox
}

interface Listed {
  readonly id: string
  readonly hostname: string
  readonly time: string
  readonly tags?: readonly string[]
  readonly summary: Record<string, unknown>
}

test('snapshots lists, filters, groups', async () => {
  const sandbox = await createThree()
  const list = async (...args: string[]): Promise<Listed[]> =>
    (await sandbox.json<Listed[]>(['snapshots', ...args]))[0] ?? []
  const days = (snapshots: readonly Listed[]): string[] => snapshots.map((one) => one.time.slice(8, 10))

  const all = await list()
  expect(days(all)).toEqual(['01', '02', '03'])
  expect(all[2]).toMatchObject({
    hostname: 'two',
    tags: ['x', 'y'],
    paths: [join(sandbox.source, 'b')],
    description: 'third',
    program_version: expect.stringMatching(/^holdfast \d/),
    summary: { files_new: 1, total_files_processed: 1, total_bytes_processed: 2 },
    short_id: all[2]!.id.slice(0, 8),
  })
  expect(days(await list('--host', 'one'))).toEqual(['01', '02'])
  expect(days(await list('--tag', 'x,y', '--tag', 'old'))).toEqual(['01', '03'])
  expect(days(await list('--path', join(sandbox.source, 'b')))).toEqual(['03'])
  expect(days(await list('--latest', '1'))).toEqual(['02', '03'])
  expect(days(await list(all[0]!.id.slice(0, 10)))).toEqual(['01'])

  const groups = await sandbox.json<unknown>(['snapshots', '--group-by', 'host'])
  expect(groups[0]).toMatchObject([
    { group_key: { hostname: 'one', paths: null, tags: null }, snapshots: [{}, {}] },
    { group_key: { hostname: 'two' }, snapshots: [{}] },
  ])

  const { stdout } = await sandbox.ok(['snapshots'])
  const lines = stdout.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^ID +Time +Host +Tags +Paths +Size$/)
  expect(lines[2]).toMatch(/^[0-9a-f]{8} {2}2026-01-01 00:00:00 {2}one +old +\S+\/source\/a +1 B$/)
  expect(lines.at(-1)).toBe('3 snapshots')
  const compact = await sandbox.ok(['snapshots', '--compact'])
  expect(compact.stdout).not.toContain('/source/')
  expect(compact.stdout).toContain('x,y')

  expect((await sandbox.run(['snapshots', '--group-by', 'size'])).code).toBe(2)
})

describe('ls', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    const cleanUps: (() => void)[] = []
    sandbox = await createThree((cleanUp) => cleanUps.push(cleanUp))
    return () => {
      for (const cleanUp of cleanUps) cleanUp()
    }
  })
  const ls = async (...args: string[]): Promise<string[]> =>
    (await sandbox.ok(['ls', ...args])).stdout.trimEnd().split('\n')

  test('lists everything below, after the snapshot that was chosen', async () => {
    const { source } = sandbox
    const lines = await ls('latest')
    expect(lines[0]).toMatch(/^snapshot [0-9a-f]{8} of \[.*\/source\/b\] at 2026-01-03 00:00:00 by \S+@two:$/)
    expect(lines.slice(-2)).toEqual([`${source}/b`, `${source}/b/file`])
    expect((await ls('latest', '--no-recursive')).slice(1)).toEqual([`/${source.split('/')[1]}`])
    expect((await ls(`latest:${source}/b`)).slice(1)).toEqual([`${source}/b`, `${source}/b/file`])
    expect((await ls('latest', `${source}/b/file`)).slice(1)).toEqual([`${source}/b/file`])
  })

  test('--long shows permissions, owner, size and time', async () => {
    const [, line] = await ls('latest', '-l', `${sandbox.source}/b/file`)
    expect(line).toMatch(/^-rw-r--r-- +\d+ +\d+ +2 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}\/.*\/b\/file$/)
  })

  test('--json has nodes as restic has them', async () => {
    const [snapshot, node] = await sandbox.json(['ls', 'latest', `${sandbox.source}/b/file`])
    expect(snapshot).toMatchObject({ message_type: 'snapshot', hostname: 'two' })
    expect(node).toMatchObject({
      message_type: 'node',
      struct_type: 'node',
      name: 'file',
      type: 'file',
      path: `${sandbox.source}/b/file`,
      size: 2,
      mode: 0o644,
      permissions: '-rw-r--r--',
      mtime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
    })
  })

  test('latest goes back, by time, host and number', async () => {
    expect((await ls('latest~1'))[0]).toContain('2026-01-02')
    expect((await ls('latest', '--host', 'one'))[0]).toContain('2026-01-02')
    expect((await ls('latest', '--tag', 'old'))[0]).toContain('2026-01-01')
    expect((await ls('--at', '2026-01-02 12:00'))[0]).toContain('2026-01-02')
  })

  test('what is not there is told with what is', async () => {
    const noPath = await sandbox.run(['ls', 'latest:/nothing'])
    expect(noPath.code).toBe(1)
    expect(noPath.stderr).toContain('/nothing is not in snapshot')
    const noSnapshot = await sandbox.run(['ls', 'abcdef'])
    expect(noSnapshot.code).toBe(1)
    expect(noSnapshot.stderr).toContain('holdfast snapshots lists what is there')
    expect((await sandbox.run(['ls', 'latest', '--at', '2025-01-01'])).code).toBe(1)
    expect((await sandbox.run(['ls', 'not-an-id'])).code).toBe(2)
    expect((await sandbox.run(['ls'])).code).toBe(2)
  })
})
