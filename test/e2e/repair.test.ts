import { randomFillSync } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Sandbox, writeFiles } from './harness.ts'
import { createSharedSandbox } from './shared-sandbox.ts'
import { flipBit, storedFiles } from './stored-files.ts'

let sandbox: Sandbox
beforeAll(async () => {
  const shared = await createSharedSandbox()
  sandbox = shared.sandbox
  writeFiles(sandbox.source, { 'folder/file': 'content' })
  await sandbox.ok(['backup', sandbox.source])
  return shared.remove
})

describe('repair index', () => {
  test('has nothing to do where nothing is wrong', async () => {
    const before = storedFiles(sandbox, '.')
    expect((await sandbox.ok(['repair', 'index'])).stdout).toContain('nothing to do: the index is whole')
    expect(storedFiles(sandbox, '.')).toEqual(before)
  })

  test('brings back an index that is lost', async () => {
    for (const file of storedFiles(sandbox, 'index')) rmSync(file)
    rmSync(sandbox.cache, { recursive: true })
    expect((await sandbox.run(['verify'])).code).toBe(20)
    const { stdout } = await sandbox.ok(['repair', 'index'])
    expect(stdout).toMatch(/^wrote {4}1 index file, listing 2 packs$/m)
    await sandbox.ok(['verify', '--read-data'])
    const dumped = await sandbox.ok(['dump', 'latest', join(sandbox.source, 'folder/file')])
    expect(dumped.stdout).toBe('content')
  })

  test('takes the place of a damaged index file, which a backup refuses to build on', async () => {
    flipBit(storedFiles(sandbox, 'index')[0]!)
    rmSync(sandbox.cache, { recursive: true })
    const backup = await sandbox.run(['backup', sandbox.source])
    expect(backup.code).toBe(20)
    expect(backup.stderr).toContain('run holdfast repair index')

    const summary = (await sandbox.json(['repair', 'index'])).at(-1)
    expect(summary).toMatchObject({
      message_type: 'summary',
      sound_files: 0,
      packs_listed: 2,
      missing_packs: [],
    })
    expect(summary!.removed_files).toHaveLength(1)
    await sandbox.ok(['backup', sandbox.source])
    await sandbox.ok(['verify'])
  })

  test('ends with 20 when packs are lost, and names them', async () => {
    const [pack] = storedFiles(sandbox, 'data')
    rmSync(pack!)
    const { code, stderr } = await sandbox.run(['repair', 'index'])
    expect(code).toBe(20)
    expect(stderr).toMatch(/pack [0-9a-f]{8} is gone/)
    await sandbox.ok(['backup', sandbox.source])
    await sandbox.ok(['verify', 'latest'])
  })

  test('--read-all-packs reads every footer', async () => {
    const summary = (await sandbox.json(['repair', 'index', '--read-all-packs'])).at(-1)
    expect(summary).toMatchObject({
      packs_listed: storedFiles(sandbox, 'data').length + storedFiles(sandbox, 'trees').length,
    })
    await sandbox.ok(['verify', '--read-data'])
  })
})

describe('repair config', () => {
  const config = (): string => join(sandbox.repository, 'config')

  test('has nothing to do where nothing is wrong', async () => {
    expect((await sandbox.ok(['repair', 'config'])).stdout).toContain('nothing to do')
  })

  test('writes a config that is lost or damaged; commands work meanwhile and say so', async () => {
    rmSync(config())
    const snapshots = await sandbox.ok(['snapshots'])
    expect(snapshots.stderr).toContain('Run holdfast repair config')
    expect((await sandbox.ok(['repair', 'config'])).stdout).toContain('the config was missing')
    expect((await sandbox.ok(['verify'])).stderr).toBe('')

    writeFileSync(config(), 'noise')
    expect((await sandbox.json(['repair', 'config'])).at(-1)).toMatchObject({ config: 'damaged' })
    expect((await sandbox.ok(['verify'])).stderr).toBe('')
  })

  test('writes settings that are lost', async () => {
    for (const file of storedFiles(sandbox, 'settings')) rmSync(file)
    expect((await sandbox.run(['verify'])).stderr).toContain('run holdfast repair config')
    expect((await sandbox.json(['repair', 'config'])).at(-1)).toMatchObject({ settings_written: true })
    expect((await sandbox.ok(['verify'])).stderr).toBe('')
  })
})

describe('what verify finds is mended by the commands that it names', () => {
  test('packs saved, the next backup heals, the rest is made anew', async () => {
    const { sandbox, remove } = await createSharedSandbox()
    try {
      const noise = (): Uint8Array => randomFillSync(new Uint8Array(300_000))
      writeFiles(sandbox.source, { 'kept/file': noise(), 'gone/file': noise() })
      await sandbox.ok(['backup', sandbox.source])
      rmSync(join(sandbox.source, 'gone'), { recursive: true })
      for (const pack of storedFiles(sandbox, 'data')) flipBit(pack)

      const found = await sandbox.run(['verify', '--read-data'])
      expect(found.code).toBe(20)
      const [, named] = /run holdfast (repair packs [0-9a-f]{8}):/.exec(found.stderr)!
      const saved = await sandbox.run(named!.split(' '))
      expect(saved.code).toBe(20)
      expect(saved.stdout).toMatch(/^data\/.*: \d+ chunks? saved, [\d,]+ lost \(/m)
      expect(saved.stderr).toContain('run holdfast backup')
      // Another machine knows it too: it has seen none of this.
      rmSync(sandbox.cache, { recursive: true })
      await sandbox.ok(['backup', sandbox.source])

      const dry = await sandbox.ok(['repair', 'snapshots', '--dry-run'])
      expect(dry.stdout).toContain('would be made anew')
      const json = await sandbox.json(['repair', 'snapshots', '--forget'])
      expect(json.at(-1)).toMatchObject({ message_type: 'summary', whole: 1, repaired: 1, dry_run: false })
      const repaired = json.find((one) => one.outcome === 'repaired')!
      expect(repaired).toMatchObject({ lost_paths: [join(sandbox.source, 'gone/file')], forgotten: true })
      expect((await sandbox.ok(['repair', 'snapshots'])).stdout).toContain('2 snapshots whole, 0 repaired')

      await sandbox.ok(['prune'])
      await sandbox.ok(['verify', '--read-data'])
      const listed = await sandbox.ok(['snapshots', '--tag', 'repaired', '--json'])
      expect(JSON.parse(listed.stdout)).toMatchObject([{ id: repaired.repaired_id, tags: ['repaired'] }])
    } finally {
      remove()
    }
  })

  test('nothing to do where nothing is damaged; a pack that is not there is a usage error', async () => {
    expect((await sandbox.ok(['repair', 'packs'])).stdout).toContain('nothing to do')
    expect((await sandbox.run(['repair', 'packs', 'ffff'])).code).toBe(2)
    expect((await sandbox.run(['repair', 'snapshots', 'ffff'])).code).toBe(1)
  })
})

test('repair alone, and repairs that do not exist, are usage errors', async () => {
  expect((await sandbox.run(['repair'])).code).toBe(2)
  expect((await sandbox.run(['repair', 'idnex'])).stderr).toContain('index')
})
