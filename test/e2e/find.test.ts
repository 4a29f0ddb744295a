import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseLines, type Sandbox, writeFiles } from './harness.ts'
import { createSharedSandbox } from './shared-sandbox.ts'

interface Found {
  readonly hits: number
  readonly snapshot: string
  readonly matches: readonly { readonly path: string; readonly type: string; readonly size?: number }[]
}

let sandbox: Sandbox
let remove: () => void
let place: (path: string) => string

beforeAll(async () => {
  ;({ sandbox, remove } = await createSharedSandbox())
  place = (path) => join(sandbox.source, path)
  writeFiles(sandbox.source, {
    'a.txt': 'one',
    'notes/b.txt': 'two',
    'notes/deep/C.TXT': 'three',
    'gone/x.md': 'x',
  })
  symlinkSync('a.txt', place('link'))
  utimesSync(place('notes/b.txt'), 1_000_000, 1_000_000)
  await sandbox.ok(['backup', sandbox.source, '--host', 'alpha', '--tag', 'first'])
  writeFiles(sandbox.source, { 'a.txt': 'changed', 'notes/new.txt': 'y'.repeat(5000) })
  rmSync(place('gone'), { recursive: true })
  rmSync(place('link'))
  mkdirSync(place('link'))
  chmodSync(place('notes/deep/C.TXT'), 0o600)
  await sandbox.ok(['backup', sandbox.source, '--host', 'alpha', '--tag', 'second'])
})
afterAll(() => remove())

describe('find', () => {
  const find = async (...args: string[]): Promise<string[][]> => {
    const [found] = await sandbox.json<readonly Found[]>(['find', ...args])
    return found!.map(({ hits, matches }) => {
      expect(hits).toBe(matches.length)
      return matches.map(({ path }) => path.slice(sandbox.source.length + 1))
    })
  }

  test('looks in every snapshot, newest first', async () => {
    expect(await find('*.txt')).toEqual([
      ['a.txt', 'notes/b.txt', 'notes/new.txt'],
      ['a.txt', 'notes/b.txt'],
    ])
    expect(await find('*.txt', '--reverse')).toEqual((await find('*.txt')).reverse())
    expect(await find('x.md')).toEqual([['gone/x.md']])
    expect(await find('nothing')).toEqual([])
  })

  test('takes patterns of names, ends of paths and whole paths', async () => {
    expect(await find('-i', 'c.txt', '--tag', 'first')).toEqual([['notes/deep/C.TXT']])
    expect(await find('notes/*', '--tag', 'first')).toEqual([['notes/b.txt', 'notes/deep']])
    expect(await find(`${sandbox.source}/**/C.TXT`, '-s', 'latest')).toEqual([['notes/deep/C.TXT']])
    expect((await sandbox.run(['find', '/'])).code).toBe(2)
  })

  test('takes conditions', async () => {
    expect(await find('*', '--type', 'l')).toEqual([['link']])
    expect(await find('link', '--type', 'dir')).toEqual([['link']])
    expect(await find('*', '--type', 'f', '--older', '1970-02-01')).toEqual([
      ['notes/b.txt'],
      ['notes/b.txt'],
    ])
    expect(await find('b.txt', '--newer', '1970-02-01')).toEqual([])
    expect(await find('*.txt', '--size', '+4K')).toEqual([['notes/new.txt']])
    expect(await find('*.txt', '--size', '-3')).toEqual([['notes/b.txt'], ['a.txt', 'notes/b.txt']])
    expect((await sandbox.run(['find', '*', '--type', 'x'])).code).toBe(2)
  })

  test('prints as restic does', async () => {
    const { stdout } = await sandbox.ok(['find', 'b.txt', '-l'])
    expect(stdout).toMatch(
      /^Found matching entries in snapshot [0-9a-f]{8} from [\d-]+ [\d:]+\n-rw.* 3 .*notes\/b\.txt\n\nFound/,
    )
    expect((await sandbox.ok(['find', 'nothing'])).stdout).toBe('')
    const [found] = await sandbox.json<readonly Found[]>(['find', 'a.txt', '-s', 'latest'])
    expect(found![0]!.matches[0]).toMatchObject({
      type: 'file',
      size: 7,
      links: 1,
      permissions: expect.any(String),
    })
    expect(found![0]!.matches[0]).not.toHaveProperty('message_type')
  })
})

describe('history', () => {
  const history = async (path: string, ...args: string[]): Promise<unknown[][]> =>
    (
      await sandbox.json<{ modifier: string; snapshots_count: number; node: { size?: number } | null }>([
        'history',
        path,
        ...args,
      ])
    ).map(({ modifier, snapshots_count, node }) => [modifier, snapshots_count, node && (node.size ?? null)])

  test('lists the versions of a file, newest first', async () => {
    expect(await history(place('a.txt'))).toEqual([
      ['M', 1, 7],
      ['+', 1, 3],
    ])
    expect(await history(place('a.txt'), '-R')).toEqual((await history(place('a.txt'))).reverse())
    expect(await history(place('notes/b.txt'))).toEqual([['+', 2, 3]])
    expect((await history(place('gone/x.md'))).map(([modifier]) => modifier)).toEqual(['-', '+'])
    expect((await history(place('link'))).map(([modifier]) => modifier)).toEqual(['T', '+'])
    expect((await history(place('notes/deep/C.TXT'))).map(([modifier]) => modifier)).toEqual(['U', '+'])
  })

  test('takes a relative path, and says where nothing was', async () => {
    const { stdout } = await sandbox.ok(['history', 'a.txt'], { cwd: sandbox.source })
    expect(stdout).toMatch(/^[0-9a-f]{8} .* 7 +1 +M +content$/m)
    expect(stdout).toMatch(/^2 versions$/m)
    const { code, stderr } = await sandbox.run(['history', '/nowhere'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('/nowhere is in no snapshot')])
    expect((await sandbox.run(['history', '/'])).code).toBe(2)
  })
})

describe('diff', () => {
  const diff = async (...args: string[]): Promise<string[]> =>
    (await sandbox.json<{ message_type: string; modifier: string; path: string }>(['diff', ...args]))
      .filter(({ message_type }) => message_type === 'change')
      .map(({ modifier, path }) => `${modifier} ${path.replace(sandbox.source, '')}`)

  test('lists what was added, removed and changed', async () => {
    const expected = ['M /a.txt', '- /gone/', '- /gone/x.md', 'T /link/', '+ /notes/new.txt']
    expect(await diff('latest~1', 'latest')).toEqual(expected)
    expect(await diff('latest~1', 'latest', '--exact')).toEqual(expected)
    expect(await diff('latest~1', 'latest', '--metadata')).toEqual(
      expect.arrayContaining([...expected, 'U /notes/deep/C.TXT', 'U /notes/']),
    )
    expect(await diff('latest', 'latest')).toEqual([])
  })

  test('prints totals', async () => {
    const lines = await sandbox.json<Record<string, unknown>>(['diff', 'latest~1', 'latest'])
    expect(lines.at(-1)).toMatchObject({
      message_type: 'statistics',
      changed_files: 1,
      added: { files: 1, dirs: 0, others: 0, data_blobs: 2 },
      removed: { files: 1, dirs: 1, others: 0, data_blobs: 2 },
    })
    const { stdout } = await sandbox.ok(['diff', 'latest~1', 'latest'])
    expect(stdout).toMatch(/^M {4}.*a\.txt$/m)
    expect(stdout).toMatch(/^files +1 new, +1 removed, +1 changed$/m)
  })

  test('compares folders and files of snapshots', async () => {
    expect(await diff(`latest~1:${place('notes')}`, `latest:${place('notes')}`)).toEqual(['+ /new.txt'])
    expect(await diff(`latest~1:${place('a.txt')}`, `latest:${place('a.txt')}`)).toEqual(['M /a.txt'])
    expect((await sandbox.run(['diff', 'latest', `latest:/nowhere`])).code).toBe(1)
  })

  test('compares with the files as they are now', async () => {
    expect(await diff('latest', ':live')).toEqual([])
    expect(await diff('latest~1', ':live')).toEqual(await diff('latest~1', 'latest'))
    writeFileSync(place('a.txt'), 'CHANGED')
    utimesSync(place('notes/b.txt'), 2_000_000, 2_000_000)
    writeFiles(sandbox.source, { 'fresh/z': 'z' })
    expect(await diff('latest', ':live')).toEqual(['M /a.txt', '+ /fresh/', '+ /fresh/z'])
    expect(await diff('latest', ':live', '--metadata')).toContain('U /notes/b.txt')
    expect(await diff(`latest:${place('notes')}`, ':live', '--metadata')).toEqual(['U /notes/b.txt'])
    const { stdout } = await sandbox.ok(['diff', 'latest', ':live', '--json'])
    expect(parseLines(stdout).at(-1)).toMatchObject({ target_snapshot: ':live', added: { bytes: 8 } })
  })
})
