import {
  chmodSync,
  linkSync,
  lstatSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Repository } from '../../../src/repository/index.ts'
import type { OverwriteRule } from '../../../src/restore/index.ts'
import type { Snapshot } from '../../../src/snapshot/index.ts'
import {
  makeRepository,
  noise,
  readTree,
  restoreTold,
  takeSnapshot,
  tempDirectory,
  writeTree,
} from './scene.ts'

const MTIME = 1_500_000_000

interface Scene {
  readonly source: string
  readonly target: string
  readonly repository: Repository
  readonly snapshot: Snapshot
}

/** A snapshot of files with one mtime, and a target with others in their places. */
async function makeScene(): Promise<Scene> {
  const source = tempDirectory()
  const target = tempDirectory()
  const names = ['same', 'touched', 'secret', 'older', 'newer', 'longer']
  for (const name of names) {
    writeTree(source, { [name]: 'snapshot' })
    utimesSync(join(source, name), MTIME, MTIME)
  }
  writeTree(target, {
    same: 'snapshot',
    touched: 'snapshot',
    secret: 'SNAPSHOT',
    older: 'old text',
    newer: 'new text',
    longer: 'something longer',
    mine: 'mine',
  })
  utimesSync(join(target, 'same'), MTIME, MTIME)
  utimesSync(join(target, 'touched'), MTIME + 5, MTIME + 5)
  utimesSync(join(target, 'secret'), MTIME, MTIME)
  utimesSync(join(target, 'older'), MTIME - 5, MTIME - 5)
  utimesSync(join(target, 'newer'), MTIME + 5, MTIME + 5)
  utimesSync(join(target, 'longer'), MTIME, MTIME)
  const { repository } = await makeRepository()
  const snapshot = await takeSnapshot(repository, source)
  return { source, target, repository, snapshot }
}

const actionsOf = async (rule: OverwriteRule): Promise<{ actions: Record<string, string>; scene: Scene }> => {
  const scene = await makeScene()
  const { source, target, repository, snapshot } = scene
  const { items, errors } = await restoreTold(repository, snapshot, { target, path: source, overwrite: rule })
  expect(errors).toEqual([])
  expect(readFileSync(join(target, 'mine'), 'utf8')).toBe('mine')
  const actions = Object.fromEntries(
    items.map(({ path, action }) => [String(path).split('/').at(-1), action]),
  )
  return { actions, scene }
}

describe('overwrite', () => {
  test('always: everything becomes what the snapshot says; the right bytes are not written again', async () => {
    const { actions, scene } = await actionsOf('always')
    expect(actions).toEqual({
      same: 'unchanged',
      touched: 'unchanged',
      secret: 'updated',
      older: 'updated',
      newer: 'updated',
      longer: 'updated',
    })
    for (const name of Object.keys(actions)) {
      expect(readFileSync(join(scene.target, name), 'utf8')).toBe('snapshot')
      expect(statSync(join(scene.target, name)).mtimeMs).toBe(MTIME * 1000)
    }
  })

  test('if-changed: the same size and mtime is enough', async () => {
    const { actions, scene } = await actionsOf('if-changed')
    expect(actions).toMatchObject({
      same: 'unchanged',
      touched: 'unchanged',
      secret: 'unchanged',
      older: 'updated',
    })
    expect(actions).toMatchObject({ newer: 'updated', longer: 'updated' })
    expect(readFileSync(join(scene.target, 'secret'), 'utf8')).toBe('SNAPSHOT')
  })

  test('if-newer: only what is older than in the snapshot', async () => {
    const { actions, scene } = await actionsOf('if-newer')
    expect(actions).toEqual({
      same: 'skipped',
      touched: 'skipped',
      secret: 'skipped',
      older: 'updated',
      newer: 'skipped',
      longer: 'skipped',
    })
    expect(readFileSync(join(scene.target, 'newer'), 'utf8')).toBe('new text')
  })

  test('never: all stays as it is, and what is missing comes', async () => {
    const scene = await makeScene()
    const { source, target, repository } = scene
    writeTree(source, { 'new/file': 'new', 'there/file': 'new' })
    const snapshot = await takeSnapshot(repository, source)
    writeTree(target, { 'there/mine': 'mine' })
    utimesSync(join(target, 'there'), MTIME, MTIME)
    const mode = statSync(join(target, 'there')).mode
    const { items } = await restoreTold(repository, snapshot, { target, path: source, overwrite: 'never' })
    const actions = Object.fromEntries(
      items.map(({ path, action }) => [String(path).slice(source.length), action]),
    )
    expect(actions).toMatchObject({ '/same': 'skipped', '/older': 'skipped', '/new': 'restored' })
    expect(actions).toMatchObject({ '/new/file': 'restored', '/there': 'skipped', '/there/file': 'restored' })
    expect(readFileSync(join(target, 'older'), 'utf8')).toBe('old text')
    expect(statSync(join(target, 'there')).mode).toBe(mode)
  })

  test('the inode of a file with the right bytes stays, that of another does not', async () => {
    const { source, target, repository, snapshot } = await makeScene()
    const before = { same: statSync(join(target, 'same')).ino, older: statSync(join(target, 'older')).ino }
    await restoreTold(repository, snapshot, { target, path: source })
    expect(statSync(join(target, 'same')).ino).toBe(before.same)
    expect(statSync(join(target, 'older')).ino).not.toBe(before.older)
  })

  test('a further name that the file has elsewhere is not changed with it', async () => {
    const { source, target, repository, snapshot } = await makeScene()
    const elsewhere = join(tempDirectory(), 'name')
    linkSync(join(target, 'touched'), elsewhere)
    await restoreTold(repository, snapshot, { target, path: source })
    expect(statSync(elsewhere).mtimeMs).toBe((MTIME + 5) * 1000)
    expect(statSync(join(target, 'touched')).nlink).toBe(1)
  })

  test('hard links are made again, and left alone where they are right', async () => {
    const source = tempDirectory()
    writeTree(source, { a: noise(1, 20_000), other: 'x' })
    linkSync(join(source, 'a'), join(source, 'b'))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    writeTree(target, { a: noise(1, 20_000), b: noise(1, 20_000) })
    const first = await restoreTold(repository, snapshot, { target, path: source })
    expect(first.actions).toMatchObject({ [`${source}/a`]: 'unchanged', [`${source}/b`]: 'updated' })
    expect(readTree(target)).toEqual(readTree(source))
    const second = await restoreTold(repository, snapshot, { target, path: source })
    expect(new Set(Object.values(second.actions))).toEqual(new Set(['unchanged']))
    expect(second.result).toMatchObject({ filesSkipped: 3, filesRestored: 0, bytesRestored: 0 })
    expect(readTree(target)).toEqual(readTree(source))
  })

  test('a file that has a further name elsewhere is replaced, whatever names it has in the snapshot', async () => {
    const source = tempDirectory()
    writeTree(source, { a: 'same' })
    linkSync(join(source, 'a'), join(source, 'b'))
    chmodSync(join(source, 'a'), 0o777)
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    for (const overwrite of ['always', 'if-changed'] as const) {
      const [target, outside] = [tempDirectory(), tempDirectory()]
      writeTree(outside, { victim: overwrite === 'always' ? 'same' : 'evil' })
      chmodSync(join(outside, 'victim'), 0o600)
      linkSync(join(outside, 'victim'), join(target, 'a'))
      await restoreTold(repository, snapshot, { target, path: source, overwrite })
      expect(statSync(join(outside, 'victim')).mode & 0o777).toBe(0o600)
      expect(readTree(target)).toEqual(readTree(source))
    }
  })

  test('a symbolic link with the right target is left alone, another is replaced', async () => {
    const source = tempDirectory()
    symlinkSync('right', join(source, 'one'))
    symlinkSync('right', join(source, 'two'))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    symlinkSync('right', join(target, 'one'))
    symlinkSync('wrong', join(target, 'two'))
    const before = lstatSync(join(target, 'one')).ino
    const { actions } = await restoreTold(repository, snapshot, { target, path: source })
    expect(actions).toEqual({ [`${source}/one`]: 'unchanged', [`${source}/two`]: 'updated' })
    expect(lstatSync(join(target, 'one')).ino).toBe(before)
    expect(readTree(target)).toEqual(readTree(source))
  })

  test('what stood in the way stays until the new file is whole', async () => {
    const source = tempDirectory()
    writeTree(source, { a: noise(2, 50_000) })
    const { repository, files } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    for (const name of [...files.keys()]) if (name.startsWith('data/')) files.delete(name)
    const target = tempDirectory()
    writeFileSync(join(target, 'a'), 'old and safe')
    const { errors } = await restoreTold(repository, snapshot, { target, path: source })
    expect(errors.map(({ isDamage }) => isDamage)).toEqual([true])
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('old and safe')
  })
})
