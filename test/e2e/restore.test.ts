import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createRepositorySandbox, parseLines, type Sandbox, writeFiles } from './harness.ts'

async function createBackup(): Promise<Sandbox & { target: string }> {
  const sandbox = await createRepositorySandbox()
  writeFiles(sandbox.source, { 'a.txt': 'hello', 'docs/b.md': '# b', 'docs/c.md': '# c' })
  await sandbox.ok(['backup', sandbox.source])
  return { ...sandbox, target: join(sandbox.home, 'target') }
}

/** The one file below a folder of the repository. */
function onlyFile(folder: string): string {
  const [name] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  )
  return join(folder, name!)
}

describe('restore', () => {
  test('brings whole paths back below the target', async () => {
    const { ok, target, source } = await createBackup()
    const { stdout } = await ok(['restore', 'latest', '--target', target, '--verify'])
    expect(stdout).toMatch(/^restoring snapshot [0-9a-f]{8} of \[.*\/source\] at /)
    expect(stdout).toMatch(/restored \d+ files and folders, 11 B to .*target in \d+\.\d s/)
    expect(readFileSync(join(target, source, 'docs/b.md'), 'utf8')).toBe('# b')
  })

  test.skipIf(process.platform === 'win32')(
    'opens no more files at once than many systems allow',
    async () => {
      const sandbox = await createRepositorySandbox()
      const names = Array.from({ length: 2000 }, (_, number) => `folder-${number}/file`)
      writeFiles(sandbox.source, Object.fromEntries(names.map((name) => [name, name])))
      await sandbox.ok(['backup', sandbox.source])
      const target = join(sandbox.home, 'target')
      const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
      const restore = `ulimit -n 700 && exec node ${program} restore latest:${sandbox.source} --target ${target}`
      execFileSync('sh', ['-c', restore], { env: sandbox.env, stdio: 'pipe' })
      for (const name of names) expect(readFileSync(join(target, name), 'utf8')).toBe(name)
    },
  )

  test('brings the content of a folder, or one file, into the target', async () => {
    const { ok, target, source } = await createBackup()
    await ok(['restore', `latest:${source}/docs`, '-t', target])
    expect(readdirSync(target).sort()).toEqual(['b.md', 'c.md'])
    await ok(['restore', `latest:${source}/a.txt`, '-t', target])
    expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe('hello')
  })

  test('--include, --exclude and --overwrite choose', async () => {
    const { ok, json, target, source } = await createBackup()
    await ok(['restore', `latest:${source}`, '-t', target, '--include', '*.md', '--exclude', 'c.md'])
    expect(readdirSync(target, { recursive: true }).sort()).toEqual(['docs', 'docs/b.md'])

    writeFileSync(join(target, 'docs/b.md'), 'mine')
    await ok(['restore', `latest:${source}`, '-t', target, '--overwrite', 'never'])
    expect(readFileSync(join(target, 'docs/b.md'), 'utf8')).toBe('mine')
    const lines = await json(['restore', `latest:${source}`, '-t', target, '-v'])
    expect(readFileSync(join(target, 'docs/b.md'), 'utf8')).toBe('# b')
    expect(lines).toContainEqual(
      expect.objectContaining({
        message_type: 'verbose_status',
        action: 'updated',
        item: `${source}/docs/b.md`,
      }),
    )
    expect(lines.at(-1)).toMatchObject({ message_type: 'summary', bytes_restored: 3, error_count: 0 })
  })

  test('a dry run writes nothing', async () => {
    const { ok, target } = await createBackup()
    const { stdout } = await ok(['restore', 'latest', '-t', target, '--dry-run'])
    expect(stdout).toContain('dry run: would restore')
    expect(existsSync(target)).toBe(false)
  })

  test('--at without a snapshot means the last one then', async () => {
    const { ok, run, target, source } = await createBackup()
    writeFileSync(join(source, 'a.txt'), 'changed')
    await ok(['backup', source, '--time', '2030-01-01'])
    await ok(['restore', '--at', '2029-01-01', '-t', target])
    expect(readFileSync(join(target, source, 'a.txt'), 'utf8')).toBe('hello')
    const none = await run(['restore', '--at', '2020-01-01', '-t', target])
    expect(none.code).toBe(1)
    expect(none.stderr).toContain('no snapshot is latest at 2020-01-01')
  })

  test('damage costs the files it touches, and is told with exit code 20', async () => {
    const { run, repository, target } = await createBackup()
    truncateSync(onlyFile(join(repository, 'data')), 100)
    const ended = await run(['restore', 'latest', '-t', target])
    expect(ended.code).toBe(20)
    expect(ended.stderr).toContain('cannot restore')
    expect(ended.stderr).toContain('holdfast verify')
    const asJson = await run(['restore', 'latest', '-t', target, '--json'])
    expect(parseLines(asJson.stderr)[0]).toMatchObject({
      message_type: 'error',
      during: 'restore',
      damage: true,
    })
  })

  test('a usage error names what is missing', async () => {
    const { run } = await createBackup()
    for (const args of [
      ['restore', 'latest'],
      ['restore', '-t', 'x'],
      ['restore', 'latest', '-t', 'x', '--overwrite', 'often'],
    ]) {
      expect((await run(args)).code, args.join(' ')).toBe(2)
    }
  })

  test('a target that cannot be made ends with 1', async () => {
    const { run, home } = await createBackup()
    writeFileSync(join(home, 'file'), '')
    expect((await run(['restore', 'latest', '-t', join(home, 'file/below')])).code).toBe(1)
  })
})

describe('dump', () => {
  test('writes a file to stdout, by colon or by second argument', async () => {
    const { ok, source } = await createBackup()
    expect((await ok(['dump', `latest:${source}/a.txt`])).stdout).toBe('hello')
    expect((await ok(['dump', 'latest', `${source}/docs/c.md`])).stdout).toBe('# c')
  })

  test('--target gets the file when it is whole', async () => {
    const { ok, run, repository, source, home } = await createBackup()
    await ok(['dump', `latest:${source}/a.txt`, '--target', 'out'])
    expect(readFileSync(join(home, 'out'), 'utf8')).toBe('hello')
    expect(statSync(join(home, 'out')).mode & 0o777).toBe(0o600)
    truncateSync(onlyFile(join(repository, 'data')), 100)
    const damaged = await run(['dump', `latest:${source}/docs/b.md`, '--target', 'out'])
    expect(damaged.code).toBe(20)
    expect(readFileSync(join(home, 'out'), 'utf8')).toBe('hello')
    expect(readdirSync(home).filter((name) => name.startsWith('out'))).toEqual(['out'])
    const noPlace = await run(['dump', `latest:${source}/a.txt`, '--target', 'no/such/folder'])
    expect(noPlace.code).toBe(1)
  })

  test('says what else there is to do', async () => {
    const { run, source } = await createBackup()
    mkdirSync(join(source, 'other'))
    const folder = await run(['dump', `latest:${source}`])
    expect(folder.code).toBe(1)
    expect(folder.stderr).toContain('is a folder')
    expect((await run(['dump', 'latest'])).code).toBe(2)
    expect((await run(['dump', 'latest:/a', '/b'])).code).toBe(2)
    expect((await run(['dump', 'latest:/nothing'])).code).toBe(1)
  })
})
