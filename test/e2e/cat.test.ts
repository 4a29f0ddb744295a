import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { type Sandbox, writeFiles } from './harness.ts'
import { createSharedSandbox } from './shared-sandbox.ts'
import { storedFiles } from './stored-files.ts'

let sandbox: Sandbox
const content = randomBytes(3000)
beforeAll(async () => {
  const shared = await createSharedSandbox()
  sandbox = shared.sandbox
  writeFiles(sandbox.source, { 'folder/file': content, empty: '' })
  await sandbox.ok(['backup', sandbox.source])
  return shared.remove
})

async function cat<Result = Record<string, unknown>>(...args: string[]): Promise<Result> {
  return JSON.parse((await sandbox.ok(['cat', ...args])).stdout) as Result
}

const ids = (folder: string): string[] => storedFiles(sandbox, folder).map((path) => basename(path))

test('cat prints config, settings, keys and snapshots', async () => {
  expect(await cat('config')).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/), read_version: 1 })
  const [key] = ids('keys')
  expect(await cat('key', key!.slice(0, 6))).toMatchObject({ id: key, current: true })
  const [snapshot] = ids('snapshots')
  expect(await cat('snapshot', 'latest')).toMatchObject({ id: snapshot, paths: [sandbox.source] })
})

test('from a folder to its files, their chunks, and the packs these are in', async () => {
  const { nodes } = await cat<{ nodes: { name: string; subtree?: string; content?: string[] }[] }>(
    'tree',
    `latest:${sandbox.source}/folder`,
  )
  expect(nodes.map((node) => node.name)).toEqual(['file'])
  const [chunk] = nodes[0]!.content!
  const printed = await sandbox.ok(['cat', 'blob', chunk!, '--debug'])
  expect(Buffer.from(printed.stdout, 'utf8')).toEqual(Buffer.from(content.toString('utf8')))

  const packs = [...ids('data'), ...ids('trees')].sort()
  const [index] = ids('index')
  const indexed = await cat<{ packs: { id: string; type: string }[] }>('index', index!)
  expect(indexed.packs.map((pack) => pack.id).sort()).toEqual(packs)
  const dataPack = indexed.packs.find((pack) => pack.type === 'data')!.id
  expect(await cat('pack', dataPack)).toMatchObject({
    id: dataPack,
    type: 'data',
    blocks: [{ blobs: expect.arrayContaining([{ id: chunk, length: content.length }]) }],
  })
})

test('an empty folder, and what is no folder', async () => {
  await sandbox.ok(['backup', sandbox.source, '--exclude', '*', '--host', 'hollow'])
  expect(await cat('tree', `latest:${sandbox.source}`)).toEqual({ nodes: [] })
  const file = await sandbox.run(['cat', 'tree', `latest~1:${sandbox.source}/empty`])
  expect(file.stderr).toContain('is no folder')
})

test('what cannot be printed is said with what can be done', async () => {
  const failures: readonly (readonly [code: number, text: string, ...args: string[]])[] = [
    [2, 'cat pack needs an id', 'pack'],
    [2, 'cat config takes no id', 'config', '00'],
    [2, 'holdfast list packs', 'pack', 'ff00ff00ff'],
    [2, 'there is no chunk', 'chunk', '0'.repeat(64)],
    [1, 'holdfast key export', 'masterkey'],
  ]
  for (const [code, text, ...args] of failures) {
    const ended = await sandbox.run(['cat', ...args])
    expect(ended.stderr).toContain(text)
    expect(ended).toMatchObject({ code, stdout: '' })
  }
})
