import { type ChildProcess, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createRepositorySandbox, type Ended, type Sandbox, writeFiles } from './harness.ts'
import { storedFiles } from './stored-files.ts'

interface Summary {
  readonly dry_run: boolean
  readonly blobs: { readonly used: number; readonly unused: number; readonly total: number }
  readonly packfiles: {
    readonly total: number
    readonly keep: number
    readonly remove: number
    readonly repack: number
  }
  readonly bytes: { readonly total: number; readonly remove: number }
  readonly deleted: { readonly packs: number; readonly bytes: number }
  readonly waiting_files: number
  readonly waiting_for: readonly { readonly session: string; readonly description: string }[]
}

const packs = (sandbox: Sandbox): string[] => [
  ...storedFiles(sandbox, 'data'),
  ...storedFiles(sandbox, 'trees'),
]

async function pruneJson(sandbox: Sandbox, ...args: string[]): Promise<Summary> {
  return (await sandbox.json<Summary>(['prune', ...args])).at(-1)!
}

/** Two snapshots that share nothing; the first one is forgotten. */
async function createForgotten(): Promise<Sandbox> {
  const sandbox = await createRepositorySandbox()
  writeFiles(sandbox.source, { 'old/file': randomBytes(1_000_000), 'new/file': randomBytes(500_000) })
  await sandbox.ok(['backup', join(sandbox.source, 'old')])
  await sandbox.ok(['backup', join(sandbox.source, 'new')])
  await sandbox.ok(['forget', 'latest~1'])
  return sandbox
}

test('prune says what it would do, then does it, and leaves nothing to do', async () => {
  const sandbox = await createForgotten()
  const before = packs(sandbox)

  const planned = await pruneJson(sandbox, '--dry-run')
  expect(planned).toMatchObject({ dry_run: true, deleted: { packs: 0, bytes: 0 } })
  expect(planned.packfiles).toMatchObject({ total: 4, remove: 2 })
  expect(planned.bytes.remove).toBeGreaterThan(1_000_000)
  expect(planned.blobs.unused).toBeGreaterThan(0)
  expect(planned.blobs.total).toBe(planned.blobs.used + planned.blobs.unused)
  expect(packs(sandbox)).toEqual(before)

  const { stdout } = await sandbox.ok(['prune'])
  expect(stdout).toMatch(/^found {4}4 packs, 1\.\d MiB$/m)
  expect(stdout).toMatch(/^drop {5}2 packs, /m)
  expect(stdout).toMatch(/^deleted {2}\d+ packs, /m)
  expect(packs(sandbox).filter((path) => before.includes(path)).length).toBeLessThanOrEqual(2)
  await sandbox.ok(['verify', '--read-data'])

  const again = await pruneJson(sandbox)
  expect(again).toMatchObject({
    blobs: { unused: 0 },
    packfiles: { remove: 0, repack: 0 },
    deleted: { packs: 0 },
  })
})

test('--max-unused decides whether partly used packs are rewritten', async () => {
  const sandbox = await createRepositorySandbox()
  // One pack of a megabyte, of which half stays needed.
  writeFiles(sandbox.source, { 'a/file': randomBytes(500_000), 'b/file': randomBytes(500_000) })
  await sandbox.ok(['backup', sandbox.source])
  await sandbox.ok(['backup', join(sandbox.source, 'a')])
  await sandbox.ok(['forget', '--path', sandbox.source, '--unsafe-allow-remove-all'])

  for (const limit of ['unlimited', '100%', '10M']) {
    const { packfiles } = await pruneJson(sandbox, '--dry-run', '--max-unused', limit)
    expect(packfiles.repack, limit).toBeLessThan(
      (await pruneJson(sandbox, '-n', '--max-unused', '0')).packfiles.repack,
    )
  }
  expect((await sandbox.run(['prune', '--max-unused', '150%'])).code).toBe(2)

  await sandbox.ok(['prune', '--max-unused', '0%'])
  await sandbox.ok(['verify', '--read-data'])
  const { total_size: storedBytes } = (
    await sandbox.json<{ total_size: number }>(['stats', '--mode', 'raw-data'])
  )[0]!
  expect(storedBytes).toBeLessThan(600_000)
})

test('prune beside a stopped backup waits with deleting, and harms neither', async () => {
  const sandbox = await createForgotten()
  const before = packs(sandbox)
  const backup = await startBackup(sandbox)
  backup.stop()

  // As another machine would: the stopped process may hold the lock of the local index they would share.
  const waiting = await pruneJson(sandbox, '--no-cache')
  expect(waiting.deleted.packs).toBe(0)
  expect(waiting.waiting_files).toBeGreaterThan(0)
  expect(waiting.waiting_for).toHaveLength(1)
  expect(waiting.waiting_for[0]!.description).toMatch(/^backup of .*, process \d+, since \d{4}-/)
  expect(packs(sandbox)).toEqual(expect.arrayContaining(before))
  const session = (await sandbox.ok(['list', 'sessions', '--no-cache'])).stdout.trimEnd()
  expect(session).toBe(waiting.waiting_for[0]!.session)
  const { stdout } = await sandbox.ok(['cat', 'session', session.slice(0, 8), '--no-cache'])
  expect(JSON.parse(stdout)).toMatchObject({ session, operation: 'backup' })

  expect(await backup.finish('what was piped in')).toMatchObject({ code: 0 })
  expect((await pruneJson(sandbox)).deleted.packs).toBeGreaterThan(0)
  await sandbox.ok(['verify', '--read-data'])
  expect((await sandbox.ok(['dump', 'latest', '/piped'])).stdout).toBe('what was piped in')
})

test('prune gives up on a backup that was killed', async () => {
  const sandbox = await createForgotten()
  const backup = await startBackup(sandbox)
  await backup.kill()

  const { stdout, stderr } = await sandbox.ok(['prune'])
  expect(stderr).toMatch(/giving up on a session: backup of /)
  expect(stdout).toMatch(/^deleted {2}[1-9]\d* packs?, /m)
  await sandbox.ok(['verify', '--read-data'])
})

interface StartedBackup {
  stop(): void
  /** Let it go on, give it its data, and wait until it has ended. */
  finish(data: string): Promise<Ended>
  kill(): Promise<void>
}

/** A backup that has announced itself and waits for its data. */
async function startBackup(sandbox: Sandbox): Promise<StartedBackup> {
  const pipe = join(sandbox.home, 'pipe')
  execFileSync('mkfifo', [pipe])
  const args = ['backup', '--stdin-from-command', '--stdin-filename', 'piped', '--', 'cat', pipe]
  let child: ChildProcess | undefined
  const ended = sandbox.run(args, { started: (started) => (child = started) })
  const sessions = join(sandbox.repository, 'sessions')
  await vi.waitUntil(() => existsSync(sessions) && readdirSync(sessions).length > 0, { timeout: 20_000 })
  return {
    stop: () => void child?.kill('SIGSTOP'),
    finish: async (data) => {
      child?.kill('SIGCONT')
      writeFileSync(pipe, data)
      return await ended
    },
    kill: async () => {
      child?.kill('SIGKILL')
      // Its command may still wait for somebody to write.
      closeSync(openSync(pipe, 'r+'))
      await expect(ended).rejects.toThrow('SIGKILL')
    },
  }
}
