import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createRepositorySandbox, createSandbox, parseLines, type Sandbox, writeFiles } from './harness.ts'

const isRoot = process.getuid?.() === 0

/** Paths below the sandbox's source that the latest snapshot holds. */
async function pathsOf(sandbox: Sandbox): Promise<string[]> {
  const lines = await sandbox.json<{ message_type: string; path: string }>(['ls', `latest:${sandbox.source}`])
  return lines
    .filter((line) => line.message_type === 'node')
    .map(({ path }) => path.slice(sandbox.source.length + 1))
    .filter((path) => path !== '')
}

describe('backup', () => {
  test('says what it did, for people and for programs', async () => {
    const sandbox = await createRepositorySandbox()
    writeFiles(sandbox.source, { 'a.txt': 'hello', 'sub/b.txt': 'world' })
    const first = await sandbox.ok(['backup', sandbox.source, '--tag', 'one,two', '--tag', 'three'])
    expect(first.stdout).toMatch(/^files {4}2 new, 0 changed, 0 unchanged$/m)
    expect(first.stdout).toMatch(/^snapshot [0-9a-f]{8} saved$/m)
    expect(first.stderr).toBe('')

    const lines = await sandbox.json(['backup', sandbox.source, '-v'])
    const summary = lines.at(-1)!
    expect(summary).toMatchObject({
      message_type: 'summary',
      dry_run: false,
      files_new: 0,
      total_files_processed: 2,
      total_bytes_processed: 10,
      snapshot_id: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const items = lines.filter((line) => line.message_type === 'verbose_status')
    expect(items.map((line) => line.item)).toContain(join(sandbox.source, 'sub/b.txt'))

    const [snapshots] = await sandbox.json<Record<string, unknown>[]>(['snapshots'])
    expect(snapshots).toHaveLength(2)
    expect(snapshots![0]).toMatchObject({ paths: [sandbox.source], tags: ['one', 'two', 'three'] })
    expect(snapshots![1]).toMatchObject({ id: summary.snapshot_id, parent: snapshots![0]!.id })
  })

  test('keeps host, time, description and tags that were given', async () => {
    const sandbox = await createRepositorySandbox()
    writeFiles(sandbox.source, { a: '1' })
    await sandbox.ok([
      'backup',
      sandbox.source,
      ...['--host', 'other', '--time', '2026-03-01 18:00', '--description', 'before the move'],
    ])
    const [[snapshot] = []] = await sandbox.json<Record<string, unknown>[]>(['snapshots'])
    expect(snapshot).toMatchObject({
      hostname: 'other',
      time: '2026-03-01T18:00:00.000Z',
      description: 'before the move',
    })
  })

  test('leaves out what it is told to', async () => {
    const sandbox = await createRepositorySandbox()
    const { source, home } = sandbox
    writeFiles(source, {
      'keep.txt': 'x',
      'drop.tmp': 'x',
      'DROP.LOG': 'x',
      'cache/CACHEDIR.TAG': 'Signature: 8a477f597d28d172789f06886806bc55',
      'cache/content': 'x',
      'private/.nobackup': '',
      'private/content': 'x',
      big: Buffer.alloc(5000),
    })
    writeFiles(home, { excludes: '# rules\n*.tmp\n' })
    await sandbox.ok([
      'backup',
      source,
      ...['--exclude-file', join(home, 'excludes'), '--iexclude', '*.log', '--exclude-caches'],
      ...['--exclude-if-present', '.nobackup', '--exclude-larger-than', '4K'],
    ])
    expect(await pathsOf(sandbox)).toEqual(['cache', 'keep.txt', 'private'])
  })

  test('takes paths from lists, names that are no UTF-8 too', async () => {
    const sandbox = await createRepositorySandbox()
    const { source } = sandbox
    writeFiles(source, { 'a.txt': '1', 'b.txt': '2', 'c*.md': '3', d: '4' })
    const raw = Buffer.concat([Buffer.from(`${source}/raw`), Buffer.of(0xff)])
    writeFileSync(raw, '5')
    writeFiles(sandbox.home, { patterns: `${source}/*.txt\n`, verbatim: `${source}/c*.md\n` })
    await sandbox.ok(
      [
        'backup',
        ...[
          '--files-from',
          join(sandbox.home, 'patterns'),
          '--files-from-verbatim',
          join(sandbox.home, 'verbatim'),
        ],
        ...['--files-from-raw', '-'],
      ],
      { input: Buffer.concat([raw, Buffer.of(0)]) },
    )
    expect(await pathsOf(sandbox)).toEqual(['a.txt', 'b.txt', 'c*.md', 'raw\\xff'])
  })

  test('says what a dry run would store, and stores nothing', async () => {
    const sandbox = await createRepositorySandbox()
    writeFiles(sandbox.source, { a: 'x'.repeat(1000) })
    const { stdout } = await sandbox.ok(['backup', sandbox.source, '--dry-run'])
    expect(stdout).toContain('files    1 new')
    expect(stdout).toContain('dry run: nothing was stored')
    expect(existsSync(join(sandbox.repository, 'data'))).toBe(false)
    expect((await sandbox.ok(['snapshots'])).stdout).toBe('0 snapshots\n')
  })

  test('makes no snapshot of nothing new when asked', async () => {
    const sandbox = await createRepositorySandbox()
    // A file written this moment is read once more by the next backup, and counts as changed.
    const old = dirname(fileURLToPath(import.meta.resolve('commander')))
    await sandbox.ok(['backup', old])
    const { stdout } = await sandbox.ok(['backup', old, '--skip-if-unchanged'])
    expect(stdout).toContain('nothing has changed: no snapshot was made')
    const [summary] = (await sandbox.json(['backup', old, '--skip-if-unchanged'])).slice(-1)
    expect(summary).not.toHaveProperty('snapshot_id')
  })

  test('stores a stream from stdin and from a command', async () => {
    const sandbox = await createRepositorySandbox()
    await sandbox.ok(['backup', '--stdin', '--stdin-filename', 'dump.sql'], { input: 'select 1' })
    expect((await sandbox.ok(['dump', 'latest:/dump.sql'])).stdout).toBe('select 1')
    await sandbox.ok(['backup', '--stdin-from-command', '--', 'printf', '%s-%s', '-v', '--json'])
    expect((await sandbox.ok(['dump', 'latest', '/stdin'])).stdout).toBe('-v---json')
  })

  test('makes no snapshot when the command fails', async () => {
    const sandbox = await createRepositorySandbox()
    const ended = await sandbox.run(['backup', '--stdin-from-command', '--', 'sh', '-c', 'echo some; exit 7'])
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('the command sh ended with exit code 7')
    const missing = await sandbox.run(['backup', '--stdin-from-command', '--', 'no-such-command'])
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain('the command no-such-command cannot be run')
    expect((await sandbox.ok(['snapshots'])).stdout).toBe('0 snapshots\n')
  })

  test.skipIf(!isRoot)('goes on without a file that cannot be read, and ends with 3', async () => {
    const sandbox = await createRepositorySandbox()
    writeFiles(sandbox.source, { 'readable.txt': 'r', 'secret.txt': 's' })
    chmodSync(join(sandbox.source, 'secret.txt'), 0o600)
    // Repository, key and cache have to be the other user's.
    chmodSync(sandbox.home, 0o777)
    const places = {
      HOLDFAST_REPOSITORY: join(sandbox.home, 'theirs'),
      HOLDFAST_KEY_FILE: join(sandbox.home, 'their.key'),
      HOLDFAST_CACHE_DIR: join(sandbox.home, 'their-cache'),
    }
    const asNobody = { uid: 65_534, env: places }
    await sandbox.ok(['init'], asNobody)
    const ended = await sandbox.run(['backup', sandbox.source], asNobody)
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain(`cannot read ${join(sandbox.source, 'secret.txt')}`)
    expect(ended.stderr).toContain('1 file or folder could not be read; the snapshot has everything else')
    expect(ended.stdout).toMatch(/snapshot [0-9a-f]{8} saved/)

    const asJson = await sandbox.run(['backup', sandbox.source, '--json'], asNobody)
    expect(asJson.code).toBe(3)
    const [problem, exit] = parseLines(asJson.stderr)
    expect(problem).toMatchObject({ message_type: 'error', item: join(sandbox.source, 'secret.txt') })
    expect(exit).toMatchObject({ message_type: 'exit_error', code: 3 })
  })

  test('ends with 3 when one of the paths is missing, with 1 when none is there', async () => {
    const sandbox = await createRepositorySandbox()
    writeFiles(sandbox.source, { a: '1' })
    expect((await sandbox.run(['backup', sandbox.source, '/no/such/path'])).code).toBe(3)
    const none = await sandbox.run(['backup', '/no/such/path'])
    expect(none.code).toBe(1)
    expect(none.stderr).toContain('none of the paths to back up is there')
  })

  test('finds a symbolic link that is given as an argument to be a link', async () => {
    const sandbox = await createRepositorySandbox()
    mkdirSync(join(sandbox.source, 'real'))
    symlinkSync('real', join(sandbox.source, 'link'))
    await sandbox.ok(['backup', 'source/link'])
    expect(await pathsOf(sandbox)).toEqual(['link'])
  })

  test.each([
    [['backup'], 'there is nothing to back up'],
    [['backup', '--stdin', 'x'], '--stdin takes no paths'],
    [['backup', '--stdin', '--stdin-from-command', 'x'], 'are given together'],
    [['backup', '--stdin-from-command'], '--stdin-from-command needs a command'],
    [['backup', '--stdin-filename', 'x', 'y'], '--stdin-filename needs --stdin'],
    [['backup', '--compression', 'much', 'x'], "'much' is invalid"],
    [['backup', '--read-concurrency', '0', 'x'], 'cannot read "0" as a number'],
    [['backup', '--exclude-larger-than', 'big', 'x'], 'cannot read "big" as a size'],
    [['backup', '--time', 'soon', 'x'], 'cannot read the time "soon"'],
  ])('%j is a usage error', async (args, message) => {
    const sandbox = await createRepositorySandbox()
    const ended = await sandbox.run(args)
    expect(ended.stderr).toContain(message)
    expect(ended.code).toBe(2)
  })
})

test('a repository that is named by a symbolic link is left out of itself too', async () => {
  const sandbox = createSandbox()
  const repository = join(sandbox.source, 'repository')
  await sandbox.ok(['init', '--repo', repository])
  writeFileSync(join(sandbox.source, 'file'), 'content')
  symlinkSync(repository, join(sandbox.home, 'link'))
  const { stdout } = await sandbox.ok(['backup', '--repo', join(sandbox.home, 'link'), sandbox.source])
  expect(stdout).toContain(`left out ${repository}, which belongs to the repository`)
  const listed = await sandbox.ok(['ls', 'latest', '--repo', repository])
  expect(listed.stdout).not.toContain('config')
})

test('a backup that fails while its threads load ends with its exit code, however many do at once', async () => {
  const sandbox = await createRepositorySandbox()
  const wrong = join(sandbox.home, 'wrong.key')
  writeFileSync(wrong, Buffer.alloc(32, 1))
  const runs = Array.from({ length: 16 }, () => sandbox.run(['backup', '--key-file', wrong, sandbox.source]))
  expect((await Promise.all(runs)).map(({ code }) => code)).toEqual(runs.map(() => 12))
})
