import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Repository } from '../../../src/repository/index.ts'
import { dumpFile } from '../../../src/restore/index.ts'
import { commitSnapshot, listSnapshots, type Snapshot } from '../../../src/snapshot/index.ts'
import { createDirectoryWriter, type FileNode, findNode, type Node } from '../../../src/tree/index.ts'
import { makeRepository, noise, restoreTold, takeSnapshot, tempDirectory, writeTree } from './scene.ts'

/** Snapshots that no backup makes: nodes at the root, made from the node of a file of noise. */
async function craft(make: (file: FileNode) => readonly Node[]): Promise<{
  readonly repository: Repository
  readonly snapshot: Snapshot
  readonly content: Buffer
}> {
  const source = tempDirectory()
  const content = noise(1, 100_000)
  writeTree(source, { file: content })
  const { repository } = await makeRepository()
  const first = await takeSnapshot(repository, source)
  const node = await findNode(repository, first.tree, join(source, 'file'))
  if (node?.type !== 'file') throw new Error('the file is not there')
  const id = await commitSnapshot(repository, { operation: 'test', nowMs: Date.now() }, async (writer) => {
    const directory = createDirectoryWriter(writer)
    for (const one of make(node)) directory.add(one)
    const { id: _, session: __, ...record } = first
    return { ...record, tree: directory.finish() }
  })
  const { snapshots } = await listSnapshots(repository)
  return { repository, snapshot: snapshots.find((one) => one.id === id)!, content }
}

describe('crafted snapshots', () => {
  test('a file whose chunks are more or less than its size is damaged, and not left behind', async () => {
    const { repository, snapshot, content } = await craft((file) => [
      { ...file, name: 'a', sizeBytes: file.sizeBytes + 1n },
      { ...file, name: 'b', sizeBytes: file.sizeBytes - 1n },
      { ...file, name: 'c', sizeBytes: 2n ** 60n },
      { ...file, name: 'd', sizeBytes: 0n },
      { ...file, name: 'e' },
    ])
    const target = tempDirectory()
    const { errors } = await restoreTold(repository, snapshot, { target })
    expect(errors.map(({ path, isDamage }) => `${path} ${isDamage}`)).toEqual([
      '/a true',
      '/b true',
      '/c true',
      '/d true',
    ])
    expect(readdirSync(target)).toEqual(['e'])
    expect(readFileSync(join(target, 'e')).equals(content)).toBe(true)
    const dump = async (): Promise<void> => {
      for await (const _ of dumpFile(repository, snapshot, '/a'));
    }
    await expect(dump()).rejects.toMatchObject({ code: 'DAMAGED' })
  })

  test('holes that are no holes cost no bytes', async () => {
    const { repository, snapshot, content } = await craft((file) => [
      { ...file, holes: [[0n, file.sizeBytes]] },
    ])
    const target = tempDirectory()
    await restoreTold(repository, snapshot, { target })
    expect(readFileSync(join(target, 'file')).equals(content)).toBe(true)
  })

  test('names of one inode that differ are files of their own, each with its content', async () => {
    const link = { links: 2, inode: 5n, fileSystem: 9n }
    const { repository, snapshot, content } = await craft((file) => [
      { ...file, ...link, name: 'a' },
      { ...file, ...link, name: 'b', content: { depth: 0, ids: new Uint8Array(0) }, sizeBytes: 0n },
    ])
    const target = tempDirectory()
    await restoreTold(repository, snapshot, { target })
    expect(readFileSync(join(target, 'a')).equals(content)).toBe(true)
    expect(statSync(join(target, 'b')).size).toBe(0)
  })

  test('a link to a name that no file can have costs only itself', async () => {
    const { repository, snapshot, content } = await craft((file) => {
      const { sizeBytes, racy, holes, content, ...common } = file
      return [
        { ...common, type: 'symlink', name: 'a', target: Buffer.from('x\0y') },
        { ...file, name: 'b' },
      ]
    })
    const target = tempDirectory()
    const { errors } = await restoreTold(repository, snapshot, { target })
    expect(errors.map(({ path, isDamage }) => `${path} ${isDamage}`)).toEqual(['/a false'])
    expect(readdirSync(target)).toEqual(['b'])
    expect(readFileSync(join(target, 'b')).equals(content)).toBe(true)
  })

  test('a further name of a file that is damaged is tried by itself', async () => {
    const link = { links: 2, inode: 5n, fileSystem: 9n }
    const { repository, snapshot, content } = await craft((file) => [
      { ...file, ...link, name: 'a', sizeBytes: file.sizeBytes + 1n },
      { ...file, ...link, name: 'b' },
      { ...file, ...link, name: 'c' },
    ])
    const target = tempDirectory()
    const { errors } = await restoreTold(repository, snapshot, { target })
    expect(errors.map(({ path }) => path)).toEqual(['/a'])
    expect(readFileSync(join(target, 'b')).equals(content)).toBe(true)
    expect(statSync(join(target, 'c')).ino).toBe(statSync(join(target, 'b')).ino)
  })
})
