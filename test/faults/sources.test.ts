import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createRepositorySandbox, type Sandbox, writeFiles } from '../e2e/harness.ts'
import { needsRoot } from '../unit/filesystem/scene.ts'

// What file systems do to a backup, through the real program: each costs what it hits, and says so.

const binary = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
const NOBODY = 65_534

/** Restore the latest snapshot of the source and compare every byte and name. */
async function expectSame(sandbox: Sandbox, folder = sandbox.source): Promise<void> {
  const target = join(sandbox.home, 'back')
  await sandbox.ok(['restore', `latest:${folder}`, '--target', target])
  execFileSync('diff', ['-r', target, folder])
  rmSync(target, { recursive: true })
}

/** Run a script of the shell in a folder. */
function shell(folder: string, script: string): void {
  execFileSync('bash', ['-c', script], { cwd: folder })
}

test('names of 255 bytes, with newlines, escapes and bytes that are no UTF-8, come back byte for byte', async () => {
  const sandbox = await createRepositorySandbox()
  const names = [
    Buffer.alloc(255, 'x'),
    Buffer.alloc(255, 0xff),
    Buffer.from('new\nline\x1b[2J\u202e'),
    Buffer.from([0x80, 0x2e]),
  ]
  for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${sandbox.source}/`), name]), name)
  const { stdout } = await sandbox.ok(['backup', '-v', sandbox.source])
  expect(stdout).not.toContain('\x1b')
  await expectSame(sandbox)
})

test('a path longer than the system takes costs what lies there, and the rest is kept', async () => {
  const sandbox = await createRepositorySandbox()
  writeFiles(sandbox.source, { near: 'kept' })
  const name = 'd'.repeat(200)
  // 25 folders of 200 bytes each: a path of 5,000.
  shell(sandbox.source, `for i in $(seq 25); do mkdir ${name}; cd ${name}; done; echo deep > file`)
  onTestFinished(() => shell(sandbox.source, 'rm -rf d*'))
  const ended = await sandbox.run(['backup', sandbox.source])
  if (ended.code !== 0) {
    expect(ended.code).toBe(3)
    expect(ended.stderr).toMatch(/ENAMETOOLONG|too long/)
  }
  const { stdout } = await sandbox.ok(['dump', 'latest', join(sandbox.source, 'near')])
  expect(stdout).toBe('kept')
  await sandbox.ok(['verify', '--read-data'])
})

test('folders and files without permission cost themselves, and the exit code is 3', async (context) => {
  needsRoot(context)
  const sandbox = await createRepositorySandbox()
  writeFiles(sandbox.source, {
    'open/file': 'kept',
    'closed/file': 'out of reach',
    unreadable: 'out of reach',
  })
  for (const path of [sandbox.home, sandbox.repository, sandbox.keyFile])
    shell('/', `chown -R ${NOBODY}:${NOBODY} '${path}'`)
  chownSync(join(sandbox.source, 'closed'), 0, 0)
  chmodSync(join(sandbox.source, 'closed'), 0o700)
  chownSync(join(sandbox.source, 'unreadable'), 0, 0)
  chmodSync(join(sandbox.source, 'unreadable'), 0o600)
  const ended = await sandbox.run(['backup', sandbox.source], { uid: NOBODY })
  expect(ended.code).toBe(3)
  expect(ended.stderr).toMatch(/closed.*permission denied/)
  expect(ended.stderr).toMatch(/unreadable.*permission denied/)
  expect(ended.stderr).toContain('2 files and folders could not be read')
  expect((await sandbox.ok(['dump', 'latest', join(sandbox.source, 'open/file')])).stdout).toBe('kept')
})

test('files whose size is a lie are read to their end', async (context) => {
  context.skip(process.platform !== 'linux', 'needs /proc')
  const sandbox = await createRepositorySandbox()
  expect(statSync('/proc/version').size).toBe(0)
  await sandbox.run(['backup', '/proc/version'])
  expect((await sandbox.ok(['dump', 'latest', '/proc/version'])).stdout).toBe(
    readFileSync('/proc/version', 'utf8'),
  )
  // Says it has a page, and has less.
  const short = '/sys/kernel/mm/transparent_hugepage/enabled'
  const attempt = await sandbox.run(['backup', short])
  if (attempt.code === 0)
    expect((await sandbox.ok(['dump', 'latest', short])).stdout).toBe(readFileSync(short, 'utf8'))
})

test('folders that are mounted into themselves end', async (context) => {
  needsRoot(context)
  const sandbox = await createRepositorySandbox()
  writeFiles(sandbox.source, { 'a/file': 'content', 'b/c/.keep': '' })
  const inner = join(sandbox.source, 'b/c')
  const mounted = spawnSync('mount', ['--bind', sandbox.source, inner])
  context.skip(mounted.status !== 0, 'mounting is not allowed here')
  onTestFinished(() => void spawnSync('umount', ['-l', inner]))
  await sandbox.ok(['backup', sandbox.source])
  await sandbox.ok(['backup', '--one-file-system', sandbox.source])
  expect((await sandbox.ok(['dump', 'latest', join(inner, 'a/file')])).stdout).toBe('content')
})

test('few descriptors: a command works, or says that the limit of open files is too low', async () => {
  const sandbox = await createRepositorySandbox()
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, at) => [`d${at % 30}/e${at % 7}/${at}`, `${at}`]),
  )
  writeFiles(sandbox.source, files)
  const limited = (limit: number, args: readonly string[]) =>
    spawnSync('bash', ['-c', `ulimit -n ${limit}; exec "$@"`, 'bash', process.execPath, binary, ...args], {
      cwd: sandbox.home,
      env: sandbox.env as NodeJS.ProcessEnv,
      encoding: 'utf8',
    })
  const seen = new Set<number>()
  for (const limit of [64, 48, 40, 34]) {
    const { status, stderr, signal } = limited(limit, ['backup', sandbox.source])
    expect(signal, `${limit}: ${stderr}`).toBeNull()
    expect([0, 1, 3], `${limit}: ${stderr}`).toContain(status)
    seen.add(status!)
    await sandbox.ok(['verify'])
  }
  expect(limited(64, ['backup', sandbox.source]).status).toBe(0)
  await expectSame(sandbox)
})

test('a repository that may only be read gives everything back, and refuses a backup', async (context) => {
  needsRoot(context)
  const sandbox = await createRepositorySandbox()
  writeFiles(sandbox.source, { file: 'content' })
  await sandbox.ok(['backup', sandbox.source])
  const bound = spawnSync('mount', ['--bind', sandbox.repository, sandbox.repository])
  context.skip(bound.status !== 0, 'mounting is not allowed here')
  onTestFinished(() => void spawnSync('umount', ['-l', sandbox.repository]))
  execFileSync('mount', ['-o', 'remount,ro,bind', sandbox.repository])
  for (const args of [
    ['snapshots'],
    ['ls', 'latest'],
    ['verify', '--read-data'],
    ['stats'],
    ['snapshots', '--no-cache'],
  ])
    await sandbox.ok(args)
  await expectSame(sandbox)
  for (const args of [
    ['backup', sandbox.source],
    ['forget', '--keep-last', '1', '--prune'],
    ['prune'],
    ['repair', 'index'],
  ]) {
    const { code, stderr } = await sandbox.run(args)
    if (args[0] === 'forget' && code === 0) continue
    expect(code, `${args}: ${stderr}`).toBe(1)
    expect(stderr).toMatch(/read-only file system/)
  }
})

test('a cache that cannot be written costs speed only', async (context) => {
  needsRoot(context)
  const sandbox = await createRepositorySandbox()
  writeFiles(sandbox.source, { file: 'content' })
  const cache = join(sandbox.home, 'locked')
  mkdirSync(cache, { mode: 0o500 })
  shell('/', `chown -R ${NOBODY}:${NOBODY} '${sandbox.home}'; chown 0:0 '${cache}'`)
  const { code, stderr } = await sandbox.run(['backup', sandbox.source, '--cache-dir', cache], {
    uid: NOBODY,
  })
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('keeping the index in memory')
})
