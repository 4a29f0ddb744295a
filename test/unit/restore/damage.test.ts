import { linkSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { FileId } from '../../../src/encoding/index.ts'
import { findNode } from '../../../src/tree/index.ts'
import {
  damageChunk,
  makeRepository,
  noise,
  openAgain,
  placeOfChunk,
  readTree,
  restoreTold,
  takeSnapshot,
  tempDirectory,
  writeTree,
} from './scene.ts'

/** A file of several blocks. */
const big = (seed: number): Buffer => noise(seed, 2_500_000)

describe('damage', () => {
  test('a damaged block costs the files that need it, and is named; others are restored', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/bad': big(1), 'a/copy-of-bad': big(1), 'a/good': big(2), 'b/good': 'good' })
    const { repository, files } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    // Not in the first block of the file, so that it has been begun.
    await damageChunk(files, repository, snapshot, `${source}/a/bad`, 400)
    const target = tempDirectory()
    const { errors, result } = await restoreTold(repository, snapshot, { target, path: source })
    expect(errors.map(({ path }) => path).sort()).toEqual([`${source}/a/bad`, `${source}/a/copy-of-bad`])
    for (const { isDamage, message } of errors) {
      expect(isDamage).toBe(true)
      expect(message).toMatch(/data\/..\/[0-9a-f]{64} is damaged/)
    }
    expect(result).toMatchObject({ errors: 2, damaged: 2, totalFiles: 6, filesRestored: 4 })
    expect(result.bytesRestored).toBe(2_500_004)
    expect(readdirSync(join(target, 'a'))).toEqual(['good'])
    expect(statSync(join(target, 'a')).mtimeMs).toBe(statSync(join(source, 'a')).mtimeMs)
    expect(readFileSync(join(target, 'a/good')).equals(big(2))).toBe(true)
    expect(readFileSync(join(target, 'b/good'), 'utf8')).toBe('good')
  })

  test('a second copy of a lost block is found', async () => {
    const source = tempDirectory()
    writeTree(source, { one: big(3) })
    const { repository, files } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    await damageChunk(files, repository, snapshot, `${source}/one`, 0)
    const place = await placeOfChunk(repository, snapshot, `${source}/one`)
    repository.index.markLost([place.pack.split('/').at(-1) as FileId])
    writeFileSync(join(source, 'one'), big(3))
    await takeSnapshot(repository, source)
    const client = await openAgain(files)
    await client.loadIndex()
    expect((await placeOfChunk(client, snapshot, `${source}/one`)).pack).toBe(place.pack)
    const target = tempDirectory()
    const { errors } = await restoreTold(client, snapshot, { target, path: source })
    expect(errors).toEqual([])
    expect(readFileSync(join(target, 'one')).equals(big(3))).toBe(true)
  })

  test('a pack that is gone costs its files, each reported once', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': big(4), 'a/two': 'two', 'a/empty': '' })
    const { repository, files } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    for (const name of [...files.keys()]) if (name.startsWith('data/')) files.delete(name)
    const target = tempDirectory()
    const { errors } = await restoreTold(repository, snapshot, { target, path: source })
    expect(errors.map(({ path }) => path).sort()).toEqual([`${source}/a/one`, `${source}/a/two`])
    expect(readdirSync(join(target, 'a'))).toEqual(['empty'])
    expect(statSync(join(target, 'a')).mtimeMs).toBe(statSync(join(source, 'a')).mtimeMs)
  })

  test('chunks that no index file knows: the file is named, the rest is restored', async () => {
    const source = tempDirectory()
    writeTree(source, { one: 'one' })
    const { repository, files } = await makeRepository()
    const known = new Set(files.keys())
    await takeSnapshot(repository, source)
    writeTree(source, { two: noise(5, 30_000) })
    const lastIndex = [...files.keys()].filter((name) => name.startsWith('index/') && !known.has(name))
    const snapshot = await takeSnapshot(repository, source)
    for (const name of lastIndex) files.delete(name)
    const client = await openAgain(files)
    const target = tempDirectory()
    const { errors } = await restoreTold(client, snapshot, { target, path: source })
    expect(errors.map(({ path, isDamage }) => ({ path, isDamage }))).toEqual([
      { path: `${source}/one`, isDamage: true },
    ])
    expect(readFileSync(join(target, 'two')).equals(noise(5, 30_000))).toBe(true)
  })

  test('a folder whose tree is damaged is reported, its neighbours are restored', async () => {
    const source = tempDirectory()
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`a/${noise(at, 100).toString('hex')}`, '']),
    )
    writeTree(source, many)
    const { repository, files } = await makeRepository()
    await takeSnapshot(repository, source)
    const earlier = new Set(files.keys())
    writeTree(source, { 'b/one': 'one' })
    const snapshot = await takeSnapshot(repository, source)
    const node = await findNode(repository, snapshot.tree, `${source}/a`)
    if (node?.type !== 'directory') throw new Error('a is no folder')
    const { block } = repository.index.find(node.tree)!
    const name = `trees/${block.pack.slice(0, 2)}/${block.pack}`
    expect(earlier.has(name)).toBe(true)
    files.delete(name)
    const client = await openAgain(files)
    const target = tempDirectory()
    const { errors } = await restoreTold(client, snapshot, { target, path: source })
    expect(errors.map(({ path, isDamage }) => ({ path, isDamage }))).toEqual([
      { path: `${source}/a`, isDamage: true },
    ])
    expect(readFileSync(join(target, 'b/one'), 'utf8')).toBe('one')
  })

  test('a further name of a damaged file is restored by itself when its data is there after all', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': big(6), 'b/other': 'x' })
    linkSync(join(source, 'a/one'), join(source, 'b/two'))
    const { repository, files } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    await damageChunk(files, repository, snapshot, `${source}/a/one`, 0)
    const target = tempDirectory()
    const lost = await restoreTold(repository, snapshot, { target, path: source })
    expect(lost.errors.map(({ path }) => path)).toEqual([`${source}/a/one`, `${source}/b/two`])
    await damageChunk(files, repository, snapshot, `${source}/a/one`, 0)
    const healed = await restoreTold(repository, snapshot, { target, path: source })
    expect(healed.errors).toEqual([])
    expect(readTree(target)).toEqual(readTree(source))
  })

  test('what is in the place of a file that is damaged stays', async () => {
    const source = tempDirectory()
    writeTree(source, { one: big(7) })
    const { repository, files } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    await damageChunk(files, repository, snapshot, `${source}/one`, 0)
    const target = tempDirectory()
    writeTree(target, { one: 'mine' })
    await restoreTold(repository, snapshot, { target, path: source })
    expect(readFileSync(join(target, 'one'), 'utf8')).toBe('mine')
    unlinkSync(join(target, 'one'))
    await restoreTold(repository, snapshot, { target, path: source })
    expect(readdirSync(target)).toEqual([])
  })
})
