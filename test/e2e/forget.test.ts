import { execFileSync } from 'node:child_process'
import { chownSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Sandbox, writeFiles } from './harness.ts'
import { createSharedSandbox } from './shared-sandbox.ts'
import { flipBit, storedFiles } from './stored-files.ts'

interface Listed {
  readonly id: string
  readonly time: string
}

interface Group {
  readonly host: string
  readonly paths: readonly string[] | null
  readonly tags: readonly string[] | null
  readonly keep: readonly Listed[] | null
  readonly remove: readonly Listed[] | null
  readonly reasons: readonly { readonly snapshot: Listed; readonly matches: readonly string[] }[]
}

async function snapshots(): Promise<readonly Listed[]> {
  return (await sandbox.json<readonly Listed[]>(['snapshots']))[0]!
}

const days = (list: readonly Listed[] | null): string[] => (list ?? []).map((one) => one.time.slice(8, 10))

let sandbox: Sandbox
beforeAll(async () => {
  const shared = await createSharedSandbox()
  sandbox = shared.sandbox
  writeFiles(sandbox.source, { file: 'content' })
  for (const day of ['01', '02', '03', '04']) {
    const tag = day === '04' ? ['--tag', 'last'] : []
    await sandbox.ok(['backup', sandbox.source, '--host', 'alpha', '--time', `2026-01-${day} 12:00`, ...tag])
  }
  return shared.remove
})

describe('forget by rules', () => {
  test('--dry-run says what would go and why the others stay, and removes nothing', async () => {
    const { stdout } = await sandbox.ok(['forget', '--keep-last', '1', '--keep-within', '1d1h', '-n'])
    expect(stdout).toContain(`host alpha, paths ${sandbox.source}: keep 2 snapshots`)
    expect(stdout).toMatch(/2026-01-04 12:00:00 +alpha +last +last snapshot /)
    expect(stdout).toMatch(/2026-01-03 12:00:00 +alpha +within 1d1h /)
    expect(stdout).toContain('would remove 2 snapshots')
    expect(stdout).toContain('dry run: nothing was removed')
    expect(await snapshots()).toHaveLength(4)
  })

  test('--json has groups as restic has them', async () => {
    const args = ['forget', '--keep-daily', '2', '--keep-tag', 'last', '--dry-run']
    const [groups] = await sandbox.json<readonly Group[]>(args)
    expect(groups).toHaveLength(1)
    const [group] = groups!
    expect(group).toMatchObject({ host: 'alpha', paths: [sandbox.source], tags: null })
    expect(days(group!.keep)).toEqual(['04', '03'])
    expect(days(group!.remove)).toEqual(['02', '01'])
    expect(group!.reasons.map((one) => one.matches)).toEqual([
      ['tag last', 'daily snapshot'],
      ['daily snapshot'],
    ])
  })

  test('--group-by, --host, --tag and --path choose what the rules see', async () => {
    const forget = async (...args: string[]): Promise<readonly Group[]> =>
      (await sandbox.json<readonly Group[]>(['forget', '--keep-last', '1', '-n', ...args]))[0]!
    expect((await forget('--group-by', 'tags')).map((group) => group.tags)).toEqual([['last'], []])
    expect((await forget('--group-by', ''))[0]).toMatchObject({ host: '', paths: null, tags: null })
    expect(days((await forget('--tag', ''))[0]!.keep)).toEqual(['03'])
    expect(await forget('--host', 'beta')).toEqual([])
    expect(await forget('--path', '/elsewhere')).toEqual([])
  })

  test('refuses to remove everything, and rules that are no rules', async () => {
    const all = await sandbox.run(['forget', '--keep-tag', 'nobody-has-it'])
    expect(all).toMatchObject({ code: 1, stdout: '' })
    expect(all.stderr).toContain('would remove every one of 4 snapshots')
    expect(all.stderr).toContain('--unsafe-allow-remove-all')

    for (const args of [['--keep-last', '0'], ['--unsafe-allow-remove-all']]) {
      const none = await sandbox.run(['forget', ...args])
      expect(none.code, args.join(' ')).toBe(2)
      expect(none.stderr).toContain('neither snapshots nor a rule')
    }
    expect((await sandbox.run(['forget', '--keep-last', 'some'])).code).toBe(2)
    expect((await sandbox.run(['forget', 'latest', '--keep-last', '1'])).code).toBe(2)
    expect((await sandbox.run(['forget', '--keep-lats', '1'])).stderr).toContain('--keep-last')
    expect(await snapshots()).toHaveLength(4)
  })
})

describe('forget removes', () => {
  test.skipIf(process.getuid?.() !== 0)('nothing that it may not, and ends with 3', async () => {
    const nobody = 65_534
    for (const path of [sandbox.home, sandbox.keyFile]) chownSync(path, nobody, nobody)
    execFileSync('chmod', ['-R', 'a+rX', sandbox.repository])
    const args = ['forget', '--keep-last', '3', '--no-cache']
    const { code, stderr } = await sandbox.run(args, { uid: nobody })
    expect(stderr).toMatch(/snapshot [0-9a-f]{8} cannot be removed: /)
    expect(stderr).toContain('1 snapshot could not be removed')
    expect(code).toBe(3)
    expect(days(await snapshots())).toEqual(['01', '02', '03', '04'])
  })

  test('by rules, and by id', async () => {
    const { stdout } = await sandbox.ok(['forget', '--keep-last', '3'])
    expect(stdout).toContain('removed 1 snapshot\n')
    const [, third] = await snapshots()

    const [groups] = await sandbox.json<readonly Group[]>(['forget', third!.id.slice(0, 10)])
    expect(groups![0]).toMatchObject({ keep: [], reasons: [] })
    expect(days(groups![0]!.remove)).toEqual(['03'])
    expect(days(await snapshots())).toEqual(['02', '04'])
    expect((await sandbox.run(['forget', third!.id])).code).toBe(1)
  })

  test('all of a host when told; --prune frees the space', async () => {
    writeFiles(sandbox.source, { file: 'more than before'.repeat(10_000) })
    await sandbox.ok(['backup', sandbox.source, '--host', 'beta'])
    const args = ['forget', '--host', 'beta', '--unsafe-allow-remove-all', '--prune']
    const results = await sandbox.json(args)
    const summary = results.at(-1)!
    expect(summary).toMatchObject({ message_type: 'summary', dry_run: false, waiting_files: 0 })
    expect(summary.deleted).toMatchObject({ packs: expect.toSatisfy((count: number) => count > 0) })
    expect(days(await snapshots())).toEqual(['02', '04'])
    await sandbox.ok(['verify', '--read-data'])
  })

  test('a damaged snapshot by its id', async () => {
    const [path] = storedFiles(sandbox, 'snapshots')
    flipBit(path!)
    // The local index keeps a copy; a client that has none meets the damage.
    rmSync(sandbox.cache, { recursive: true })
    const id = basename(path!)
    const { stdout } = await sandbox.ok(['forget', id.slice(0, 12)])
    expect(stdout).toContain(`snapshot ${id.slice(0, 8)}, which is damaged`)
    await sandbox.ok(['verify'])
    expect(await snapshots()).toHaveLength(1)
  })
})
