import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeRepository, restoreTold, takeSnapshot, tempDirectory, writeTree } from './scene.ts'

const here = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
// Linux gives no process a number above 4,194,304.
const GONE = 999_999_999

const leftover = (machine: string, pid: number, rest = 'a1b2c3d4e5f6-0-3'): string =>
  `.holdfast-${machine}-${pid}-${rest}`

test('what a killed run left goes away in the folders that the next one comes to', async () => {
  const source = tempDirectory()
  writeTree(source, { 'a/one': 'one', 'b/two': 'two' })
  const { repository } = await makeRepository()
  const snapshot = await takeSnapshot(repository, source)
  const target = tempDirectory()
  writeTree(target, { 'a/one': 'other', 'b/two': 'other', 'elsewhere/file': 'x' })
  for (const folder of ['.', 'a', 'elsewhere'])
    writeFileSync(join(target, folder, leftover(here, GONE)), 'half of a file')
  // In a container it had the same number.
  writeFileSync(join(target, leftover(here, process.pid)), 'half of a file')
  // Nothing that a restore makes: it stays, and keeps none of the others.
  mkdirSync(join(target, 'a', leftover(here, GONE, '000000000000-0-1')))
  await restoreTold(repository, snapshot, { target, path: source, include: ['a'] })
  expect(readdirSync(join(target, 'a')).sort()).toEqual([leftover(here, GONE, '000000000000-0-1'), 'one'])
  expect(readdirSync(target).sort()).toEqual(['a', 'b', 'elsewhere'])
  expect(readdirSync(join(target, 'elsewhere'))).toHaveLength(2)
})

test.each([
  ['of a process that lives', leftover(here, process.ppid)],
  ['of another machine', leftover('00000000', GONE)],
  ['that only looks alike', leftover(here, GONE, 'notes')],
])('a file %s stays', async (_, name) => {
  const source = tempDirectory()
  writeTree(source, { one: 'one' })
  const { repository } = await makeRepository()
  const snapshot = await takeSnapshot(repository, source)
  const target = tempDirectory()
  writeFileSync(join(target, name), 'content')
  const { errors } = await restoreTold(repository, snapshot, { target, path: source })
  expect(errors).toEqual([])
  expect(readdirSync(target)).toContain(name)
})

test('a dry run removes nothing', async () => {
  const source = tempDirectory()
  writeTree(source, { one: 'one' })
  const { repository } = await makeRepository()
  const snapshot = await takeSnapshot(repository, source)
  const target = tempDirectory()
  writeFileSync(join(target, leftover(here, GONE)), 'half of a file')
  await restoreTold(repository, snapshot, { target, path: source, isDryRun: true })
  expect(readdirSync(target)).toEqual([leftover(here, GONE)])
})
