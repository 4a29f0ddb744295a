import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSandbox, parseLines, type Sandbox, writeFiles } from './harness.ts'
import { createSharedSandbox } from './shared-sandbox.ts'
import { flipBit, storedFiles } from './stored-files.ts'

let sandbox: Sandbox
beforeAll(async () => {
  const shared = await createSharedSandbox()
  sandbox = shared.sandbox
  writeFiles(sandbox.source, { 'a/first': randomBytes(200_000), 'b/second': 'text' })
  await sandbox.ok(['backup', sandbox.source])
  return shared.remove
})

/** The last object that a verify prints. */
async function summaryOf(...args: string[]): Promise<Record<string, unknown>> {
  return (await sandbox.json(['verify', ...args])).at(-1)!
}

describe('verify of a sound repository', () => {
  test('says what it looked at, in text and in JSON; check is the same', async () => {
    const { stdout, stderr } = await sandbox.ok(['verify', '--read-data'])
    expect(stdout).toMatch(/^packs {6}2, /m)
    expect(stdout).toContain('no problem was found\n')
    expect(stderr).toBe('')
    expect((await sandbox.ok(['check'])).stdout).toContain('--read-data reads the packs too')

    expect(await summaryOf('--read-data')).toMatchObject({
      message_type: 'summary',
      num_errors: 0,
      broken_packs: [],
      suggest_repair_index: false,
      suggest_prune: false,
      snapshots: 1,
      packs: 2,
      packs_read: 2,
    })
  })

  test('--read-data-subset reads a part, and the parts are all packs', async () => {
    const read = async (part: string): Promise<unknown> =>
      (await summaryOf('--read-data-subset', part)).packs_read
    expect(await read('50%')).toBe(1)
    expect(Number(await read('1/2')) + Number(await read('2/2'))).toBe(2)
    expect((await sandbox.run(['verify', '--read-data-subset', '3/2'])).code).toBe(2)
  })

  test('walks only the snapshots that are named', async () => {
    await sandbox.ok(['backup', join(sandbox.source, 'b')])
    expect(await summaryOf()).toMatchObject({ snapshots: 2 })
    expect(await summaryOf('latest~1')).toMatchObject({ snapshots: 1 })
    expect((await sandbox.run(['verify', 'ffff0000'])).code).toBe(1)
  })
})

describe('verify --no-key', () => {
  const env = { HOLDFAST_KEY_FILE: undefined }

  test('finds flipped bits without any key', async () => {
    const { stdout } = await sandbox.ok(['verify', '--no-key'], { env })
    expect(stdout).toContain('every file has the hash that is its name')
    const [pack] = storedFiles(sandbox, 'trees')
    flipBit(pack!)
    const { code, stderr } = await sandbox.run(['verify', '--no-key'], { env })
    expect(code).toBe(20)
    expect(stderr).toContain(`${relative(sandbox.repository, pack!)} is damaged`)
    flipBit(pack!)
  })

  test('goes with nothing else, and needs a repository', async () => {
    expect((await sandbox.run(['verify', '--no-key', '--read-data'], { env })).code).toBe(2)
    const nowhere = await createSandbox().run(['verify', '--no-key'], { env })
    expect(nowhere.code).toBe(10)
    expect(nowhere.stderr).toContain('holdfast init')
  })
})

describe('verify of a damaged repository', () => {
  test('a missing pack is found without reading', async () => {
    const [tree] = storedFiles(sandbox, 'trees')
    renameSync(tree!, join(sandbox.home, 'aside'))
    const { code, stderr } = await sandbox.run(['verify'])
    expect(code).toBe(20)
    expect(stderr).toContain(`${relative(sandbox.repository, tree!)} is missing: `)
    renameSync(join(sandbox.home, 'aside'), tree!)
  })

  test('an index file is named with the command that repairs it', async () => {
    const [index] = storedFiles(sandbox, 'index')
    flipBit(index!)
    const { code, stderr, stdout } = await sandbox.run(['verify', '--no-cache', '--json'])
    expect(code).toBe(20)
    expect(parseLines(stderr.replaceAll(/^[^{].*\n/gm, ''))).toContainEqual(
      expect.objectContaining({ item: `index/${basename(index!)}`, hint: 'run holdfast repair index' }),
    )
    expect(parseLines(stdout).at(-1)).toMatchObject({ suggest_repair_index: true })
    flipBit(index!)
  })

  test('a file of somebody else is no damage', async () => {
    writeFileSync(join(sandbox.repository, 'notes.txt'), 'mine')
    const { stderr } = await sandbox.ok(['verify'])
    expect(stderr).toContain('notes.txt')
    rmSync(join(sandbox.repository, 'notes.txt'))
  })

  test('a flipped bit in a pack is found by reading, with what it touches', async () => {
    const [pack] = storedFiles(sandbox, 'data')
    flipBit(pack!)
    const name = relative(sandbox.repository, pack!)

    const { code, stderr, stdout } = await sandbox.run(['verify', '--read-data'])
    expect(code).toBe(20)
    expect(stderr).toContain(`${name} is damaged: `)
    expect(stderr).toMatch(/snapshot [0-9a-f]{8} lacks \d files? (or|and) folders?:/)
    expect(stderr).toContain(join(sandbox.source, 'a/first'))
    expect(stderr).toMatch(/run holdfast repair packs [0-9a-f]{8}: .* then holdfast backup/)
    expect(stderr).toContain('holdfast: 1 problem found in the repository')
    expect(stdout).not.toContain('no problem')

    const json = await sandbox.run(['verify', '--read-data', '--json'])
    expect(json.code).toBe(20)
    expect(parseLines(json.stdout).at(-1)).toMatchObject({
      message_type: 'summary',
      num_errors: 1,
      broken_packs: [basename(pack!)],
    })
    const [problem, failure] = parseLines(json.stderr)
    expect(problem).toMatchObject({
      message_type: 'error',
      item: name,
      kind: 'damaged',
      needed: true,
      snapshots: expect.arrayContaining([
        expect.objectContaining({
          path_count: expect.any(Number),
          paths: expect.arrayContaining([`${sandbox.source}/a/first`]),
        }),
      ]),
    })
    expect(failure).toMatchObject({ message_type: 'exit_error', code: 20, hint: expect.any(String) })

    // The packs found damaged do not count any more: the next backup stores their chunks again.
    await sandbox.ok(['backup', sandbox.source])
    const healed = await sandbox.run(['verify', '--read-data', '--json'])
    expect(parseLines(healed.stderr)[0]).toMatchObject({ item: name, needed: false, snapshots: [] })
    const target = join(sandbox.home, 'target')
    await sandbox.ok(['restore', 'latest~1', '--target', target, '--verify'])
  })
})

test('a wrong key or password ends with 12', async () => {
  const other = createSandbox()
  await other.ok(['init'])
  const env = { HOLDFAST_KEY_FILE: other.keyFile }
  for (const args of [['verify'], ['forget', 'latest']]) {
    const { code, stderr } = await sandbox.run([...args, '--json'], { env })
    expect(code, args.join(' ')).toBe(12)
    expect(parseLines(stderr)).toMatchObject([{ message_type: 'exit_error', code: 12 }])
  }
  const password = { HOLDFAST_KEY_FILE: undefined, HOLDFAST_PASSWORD: 'not the one' }
  expect(await sandbox.run(['verify'], { env: password })).toMatchObject({ code: 12 })
})
