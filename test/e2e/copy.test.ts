import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Sandbox, writeFiles } from './harness.ts'
import { createSharedSandbox } from './shared-sandbox.ts'
import { storedFiles } from './stored-files.ts'

let sandbox: Sandbox
let second: string
let otherKey: string
/** What makes the sandbox's commands work on the second repository. */
let there: Record<string, string>
beforeAll(async () => {
  const shared = await createSharedSandbox()
  sandbox = shared.sandbox
  second = join(sandbox.home, 'second')
  otherKey = join(sandbox.home, 'other.key')
  there = { HOLDFAST_REPOSITORY: second, HOLDFAST_KEY_FILE: otherKey }
  writeFiles(sandbox.source, { 'folder/file': 'content', other: 'x'.repeat(100_000) })
  await sandbox.ok(['backup', '--tag', 'daily', '--time', '2026-01-01 10:00:00', sandbox.source])
  writeFileSync(join(sandbox.source, 'folder/file'), 'changed')
  await sandbox.ok(['backup', '--time', '2026-01-02 10:00:00', sandbox.source])
  return shared.remove
})

const to = (): string[] => ['--to', second, '--to-key-file', otherKey]

describe('copy', () => {
  test('says how to make the other repository where there is none', async () => {
    const { code, stderr } = await sandbox.run(['copy', ...to()])
    expect(code).toBe(10)
    expect(stderr).toContain(`holdfast init --repo ${second}`)
    const { code: unnamed, stderr: usage } = await sandbox.run(['copy'])
    expect(unnamed).toBe(2)
    expect(usage).toContain('--to')
  })

  test('brings snapshots to a repository with another key, and they restore there', async () => {
    await sandbox.ok(['init', '--chunker-avg', '64K'], { env: there })
    const dry = await sandbox.ok(['copy', ...to(), '--dry-run'])
    expect(dry.stdout).toMatch(/^would copy snapshot .* at 2026-01-01 10:00:00/m)
    expect(dry.stdout).toContain('2 snapshots would be copied, 0 there already')
    const json = await sandbox.json(['copy', ...to(), '--tag', 'daily'])
    expect(json.at(-1)).toMatchObject({ message_type: 'summary', copied: 1, present: 0, dry_run: false })
    const { stdout } = await sandbox.ok(['copy', ...to()])
    expect(stdout).toMatch(
      /^copied snapshot [0-9a-f]{8} of \[.*\] at 2026-01-02 10:00:00 by .* as [0-9a-f]{8}$/m,
    )
    expect(stdout).toContain('1 snapshot copied, 1 there already')
    const [listed] = await sandbox.json<Record<string, unknown>[]>(['snapshots'], { env: there })
    const [own] = await sandbox.json<Record<string, unknown>[]>(['snapshots'])
    expect(listed!.map(({ time, tags, hostname, paths }) => [time, tags, hostname, paths])).toEqual(
      own!.map(({ time, tags, hostname, paths }) => [time, tags, hostname, paths]),
    )
    const file = join(sandbox.source, 'folder/file')
    expect((await sandbox.ok(['dump', 'latest~1', file], { env: there })).stdout).toBe('content')
    expect((await sandbox.ok(['dump', 'latest', file], { env: there })).stdout).toBe('changed')
    await sandbox.ok(['verify', '--read-data'], { env: there })
  })

  test("takes restic's spelling, and secrets from the environment", async () => {
    const env = { ...there, HOLDFAST_FROM_KEY_FILE: sandbox.keyFile }
    const { stdout } = await sandbox.ok(['copy', '--from-repo', sandbox.repository], { env })
    expect(stdout).toContain('0 snapshots copied, 2 there already')
    const both = await sandbox.run(['copy', '--to', second, '--from-repo', second])
    expect(both.code).toBe(2)
  })

  test('a wrong secret of the other repository is said to be its own', async () => {
    const { code, stderr } = await sandbox.run(['copy', '--to', second, '--to-key-file', sandbox.keyFile])
    expect(code).toBe(12)
    expect(stderr).toContain(second)
    const none = await sandbox.run(['copy', '--to', second])
    expect(none.code).toBe(2)
    expect(none.stderr).toContain('--to-key-file')
  })

  test('a snapshot that cannot be read is named, the others are copied, and the exit code is 20', async () => {
    const known = new Set(storedFiles(sandbox, 'data'))
    writeFileSync(join(sandbox.source, 'lost'), 'y'.repeat(50_000))
    await sandbox.ok(['backup', '--time', '2026-01-03 10:00:00', sandbox.source])
    rmSync(join(sandbox.source, 'lost'))
    await sandbox.ok(['backup', '--time', '2026-01-04 10:00:00', sandbox.source])
    for (const file of storedFiles(sandbox, 'data')) if (!known.has(file)) rmSync(file)
    const { code, stdout, stderr } = await sandbox.run(['copy', ...to()])
    expect(code).toBe(20)
    expect(stdout).toContain('1 snapshot copied, 2 there already')
    expect(stderr).toMatch(/at 2026-01-03 10:00:00 by .* was not copied: data\/.* is damaged: it is missing/)
  })
})
