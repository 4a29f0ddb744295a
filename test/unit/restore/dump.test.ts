import { symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Repository } from '../../../src/repository/index.ts'
import { dumpFile } from '../../../src/restore/index.ts'
import type { Snapshot } from '../../../src/snapshot/index.ts'
import {
  damageChunk,
  makeRepository,
  noise,
  openAgain,
  takeSnapshot,
  tempDirectory,
  writeTree,
} from './scene.ts'

async function dumpAll(repository: Repository, snapshot: Snapshot, path: string): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of dumpFile(repository, snapshot, path)) pieces.push(piece)
  return Buffer.concat(pieces)
}

describe('dumpFile()', () => {
  test('gives the bytes in order, of empty, small, repeating, sparse and large files', async () => {
    const source = tempDirectory()
    const contents = {
      empty: Buffer.alloc(0),
      small: Buffer.from('small'),
      repeating: Buffer.concat(Array.from({ length: 30 }, () => noise(1, 50_000))),
      large: noise(2, 19_000_000),
    }
    writeTree(source, contents)
    writeFileSync(join(source, 'sparse'), 'x')
    truncateSync(join(source, 'sparse'), 3_000_000)
    const { repository, files } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const client = await openAgain(files)
    for (const [name, content] of Object.entries(contents)) {
      expect((await dumpAll(client, snapshot, `${source}/${name}`)).equals(content)).toBe(true)
    }
    const sparse = await dumpAll(client, snapshot, `${source}/sparse`)
    expect(sparse.length).toBe(3_000_000)
    expect(sparse.subarray(1).every((byte) => byte === 0)).toBe(true)
  })

  test('may be left early', async () => {
    const source = tempDirectory()
    writeTree(source, { large: noise(3, 19_000_000) })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    for await (const piece of dumpFile(repository, snapshot, `${source}/large`)) {
      expect(piece.equals(noise(3, piece.length))).toBe(true)
      expect(piece.length).toBeLessThan(19_000_000)
      break
    }
  })

  test('what is damaged is not given out', async () => {
    const source = tempDirectory()
    writeTree(source, { large: noise(4, 19_000_000) })
    const { repository, files } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    await damageChunk(files, repository, snapshot, `${source}/large`, 3000)
    const pieces: Buffer[] = []
    const dump = async (): Promise<void> => {
      for await (const piece of dumpFile(repository, snapshot, `${source}/large`)) pieces.push(piece)
    }
    await expect(dump()).rejects.toMatchObject({ code: 'DAMAGED' })
    const got = Buffer.concat(pieces)
    expect(got.length).toBeGreaterThan(0)
    expect(got.equals(noise(4, 19_000_000).subarray(0, got.length))).toBe(true)
  })

  test('a folder, a link, and a path that is not there', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': 'one' })
    symlinkSync('one', join(source, 'a/link'))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const codeOf = async (path: string): Promise<unknown> =>
      await dumpAll(repository, snapshot, path).catch((error: unknown) => error)
    expect(await codeOf(`${source}/a`)).toMatchObject({
      code: 'UNSUPPORTED',
      hint: expect.stringContaining('restore'),
    })
    expect(await codeOf('/')).toMatchObject({ code: 'UNSUPPORTED' })
    expect(await codeOf(`${source}/a/link`)).toMatchObject({ code: 'UNSUPPORTED' })
    expect(await codeOf(`${source}/nope`)).toMatchObject({ code: 'NO_SUCH_PATH' })
  })

  test('can be interrupted', async () => {
    const source = tempDirectory()
    writeTree(source, { large: noise(5, 19_000_000) })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const controller = new AbortController()
    const dump = async (): Promise<void> => {
      const options = { signal: controller.signal }
      for await (const _ of dumpFile(repository, snapshot, `${source}/large`, options)) controller.abort()
    }
    await expect(dump()).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })
})
