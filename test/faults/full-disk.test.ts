import { execFileSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { cpSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, type TestContext, test } from 'vitest'
import { createRepositorySandbox, createSandbox, type Sandbox, writeFiles } from '../e2e/harness.ts'
import { needsRoot } from '../unit/filesystem/scene.ts'

// The real program on small file systems that fill up.

/** Mount a small file system of its own at a folder, which is made. */
function mountSmall(context: TestContext, folder: string, mebibytes: number): void {
  needsRoot(context)
  mkdirSync(folder, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'holdfast-test', folder], {
      stdio: 'ignore',
    })
  } catch {
    context.skip('mounting is not allowed here')
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]))
}

const noise = (kibibytes: number): Uint8Array => randomFillSync(new Uint8Array(kibibytes * 1024))

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** Leave so much free. */
function fill(folder: string, leftKib: number): string {
  const path = join(folder, 'filler')
  writeFileSync(path, Buffer.alloc(Math.max(freeBytes(folder) - leftKib * 1024, 0)))
  return path
}

async function expectRestorable(sandbox: Sandbox): Promise<void> {
  await sandbox.ok(['verify', '--read-data'])
  const target = join(sandbox.home, 'back')
  await sandbox.ok(['restore', `latest:${sandbox.source}`, '--target', target])
  execFileSync('diff', ['-r', target, sandbox.source])
  rmSync(target, { recursive: true })
}

const lefts = process.env.HOLDFAST_LONG ? [0, 40, 300, 1500] : [0, 300]

for (const leftKib of lefts) {
  test(`a repository with ${leftKib} KiB left: the backup fails and says so, nothing is lost, and with room it goes on`, async (context) => {
    await inFullRepository(context, leftKib)
  })
}

async function inFullRepository(context: TestContext, leftKib: number): Promise<void> {
  const sandbox = createSandbox()
  const disk = join(sandbox.home, 'disk')
  mountSmall(context, disk, 24)
  const onDisk: Sandbox['run'] = (args, options = {}) =>
    sandbox.run(args, { ...options, env: { HOLDFAST_REPOSITORY: join(disk, 'repository'), ...options.env } })
  const ok = async (args: readonly string[]): Promise<void> => {
    const { code, stderr } = await onDisk(args)
    expect(code, stderr).toBe(0)
  }
  await ok(['init'])
  writeFiles(sandbox.source, { 'one/file': noise(500), 'two/file': 'text' })
  await ok(['backup', sandbox.source])
  writeFiles(sandbox.source, { 'three/file': noise(4000) })

  const filler = fill(disk, leftKib)
  const full = await onDisk(['backup', sandbox.source])
  expect(full.code, full.stderr).toBe(1)
  expect(full.stderr).toMatch(/^holdfast: cannot \w+ .*: no space left on device\n {2}free some space there/m)
  await ok(['verify', '--read-data'])
  for (const command of [['forget', '--keep-last', '1'], ['prune'], ['snapshots'], ['ls', 'latest']]) {
    const ended = await onDisk(command)
    expect([0, 1], `${command}: ${ended.stderr}`).toContain(ended.code)
  }

  rmSync(filler)
  await ok(['backup', sandbox.source])
  await ok(['prune', '--session-age', '0h'])
  await ok(['verify', '--read-data'])
  const listed = await onDisk(['snapshots', '--json'])
  expect(JSON.parse(listed.stdout)).toHaveLength(2)
}

test('a full disk under the cache costs the cache, not the backup', async (context) => {
  const sandbox = await createRepositorySandbox()
  const disk = join(sandbox.home, 'cache-disk')
  mountSmall(context, disk, 4)
  writeFiles(sandbox.source, { 'one/file': noise(3000), 'two/file': noise(3000) })
  for (const leftKib of [0, 64, 400]) {
    const filler = fill(disk, leftKib)
    const ended = await sandbox.run(['backup', sandbox.source, '--cache-dir', join(disk, 'cache')])
    expect([0, 1], ended.stderr).toContain(ended.code)
    if (ended.code === 1) expect(ended.stderr).toMatch(/local index|cache/)
    rmSync(filler)
    await sandbox.ok(['backup', sandbox.source, '--cache-dir', join(disk, 'cache')])
    await sandbox.ok(['verify', '--read-data', '--no-cache'])
    rmSync(join(disk, 'cache'), { recursive: true, force: true })
  }
})

test('a restore onto a disk that fills up ends with 1, says so, and goes on where there is room', async (context) => {
  const sandbox = await createRepositorySandbox()
  const disk = join(sandbox.home, 'small')
  mountSmall(context, disk, 4)
  writeFiles(sandbox.source, { 'a/small': 'fits', 'b/large': noise(3000), 'c/larger': noise(3000) })
  await sandbox.ok(['backup', sandbox.source])
  const full = await sandbox.run(['restore', `latest:${sandbox.source}`, '--target', join(disk, 'back')])
  expect(full.code).toBe(1)
  expect(full.stderr).toMatch(
    /cannot restore into .*: it is full \(ENOSPC\)\n {2}make room or choose another target/,
  )
  expect(full.stderr).not.toMatch(/at .*\.js:\d+/)

  const elsewhere = join(sandbox.home, 'back')
  cpSync(join(disk, 'back'), elsewhere, { recursive: true, preserveTimestamps: true })
  await sandbox.ok(['restore', `latest:${sandbox.source}`, '--target', elsewhere])
  execFileSync('diff', ['-r', elsewhere, sandbox.source])
  await expectRestorable(sandbox)
})
