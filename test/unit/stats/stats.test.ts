import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMemoryBackend } from '../../../src/backend/index.ts'
import { backup, chunkerConfig } from '../../../src/backup/index.ts'
import { type ChunkId, displayName, toHex } from '../../../src/encoding/index.ts'
import { createRepository, type Repository } from '../../../src/repository/index.ts'
import { type ListedSnapshot, listSnapshots } from '../../../src/snapshot/index.ts'
import { type StatsMode, stats } from '../../../src/stats/index.ts'
import { readContent, visitTree, walkTree } from '../../../src/tree/index.ts'
import { noise } from '../../damage/shelf.ts'

const modes: readonly StatsMode[] = ['restore-size', 'files-by-contents', 'chunks-per-file', 'raw-data']

let base: string
let files: Map<string, Buffer>
let repository: Repository
let snapshots: readonly ListedSnapshot[]

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'holdfast-stats-'))
  const source = join(base, 'source')
  mkdirSync(join(source, 'folder'), { recursive: true })
  files = new Map()
  repository = await createRepository(createMemoryBackend({ files }), {
    secret: { kind: 'keyFile', bytes: Buffer.alloc(32, 8) },
    cacheDirectory: null,
    chunker: chunkerConfig(),
    nowMs: 1_700_000_000_000,
  })
  // One chunk, a list in the node, a list in pages; the same content twice; empty; compressible; linked; no file.
  writeFileSync(join(source, 'small'), noise(1, 1000))
  writeFileSync(join(source, 'middle'), noise(2, 200_000))
  writeFileSync(join(source, 'large'), noise(3, 2_000_000))
  writeFileSync(join(source, 'folder', 'middle-again'), noise(2, 200_000))
  writeFileSync(join(source, 'empty'), '')
  writeFileSync(join(source, 'folder', 'empty-too'), '')
  writeFileSync(join(source, 'text'), 'the same line over and over\n'.repeat(10_000))
  linkSync(join(source, 'small'), join(source, 'folder', 'small-linked'))
  symlinkSync('small', join(source, 'link'))
  for (let run = 0; run < 3; run++) {
    await backup(repository, [source], { threads: 0, timeMs: 1_700_000_000_000 + run * 1000 })
    writeFileSync(join(source, 'small-changing'), noise(10 + run, 3000))
    rmSync(join(source, 'text'), { force: true })
  }
  snapshots = (await listSnapshots(repository)).snapshots
})

afterAll(async () => {
  await repository.close()
  rmSync(base, { recursive: true })
})

/** The same counts in the plainest way: everything in maps. */
async function countPlainly(mode: StatsMode): Promise<{ bytes: number; files: number; chunks: number }> {
  const counts = { bytes: 0, files: 0, chunks: 0 }
  const contents = new Set<string>()
  const pathChunks = new Map<string, Set<string>>()
  const needed = new Map<string, ChunkId>()
  const idsOf = async (content: Parameters<typeof readContent>[1]): Promise<ChunkId[]> => {
    const ids: ChunkId[] = []
    for await (const run of readContent(repository, content)) ids.push(...run.ids)
    return ids
  }
  for (const { tree } of snapshots) {
    const inodes = new Set<string>()
    for await (const { path, node } of walkTree(repository, tree)) {
      if (mode === 'restore-size') {
        counts.files++
        if (node.type !== 'file' || (node.links > 1 && inodes.has(`${node.inode}`))) continue
        inodes.add(`${node.inode}`)
        counts.bytes += Number(node.sizeBytes)
        continue
      }
      if (node.type !== 'file' || mode === 'raw-data') continue
      const ids = await idsOf(node.content)
      const content = ids.map(toHex).join()
      if (contents.has(content)) continue
      contents.add(content)
      if (mode === 'files-by-contents') {
        counts.files++
        counts.bytes += Number(node.sizeBytes)
        continue
      }
      if (ids.length === 0) continue
      const name = displayName(path)
      const chunks = pathChunks.get(name) ?? new Set()
      if (!pathChunks.has(name)) counts.files++
      pathChunks.set(name, chunks)
      for (const id of ids) {
        if (chunks.has(toHex(id))) continue
        chunks.add(toHex(id))
        counts.chunks++
        counts.bytes += repository.index.find(id)!.lengthBytes
      }
    }
    const add = (id: ChunkId): boolean => {
      needed.set(toHex(id), Buffer.from(id) as Uint8Array as ChunkId)
      return true
    }
    if (mode === 'raw-data')
      await visitTree(repository, tree, { enterTree: add, data: (ids) => ids.forEach(add) })
  }
  for (const id of needed.values()) {
    counts.chunks++
    counts.bytes += repository.index.find(id)!.lengthBytes
  }
  return counts
}

describe.each(modes)('%s', (mode) => {
  test('counts what a plain count counts', async () => {
    const plain = await countPlainly(mode)
    const counted = await stats(repository, { mode })
    expect(counted.snapshotCount).toBe(3)
    if (mode === 'raw-data') {
      expect(counted.uncompressedBytes).toBe(plain.bytes)
      expect(counted.fileCount).toBeUndefined()
    } else {
      expect(counted.totalBytes).toBe(plain.bytes)
      expect(counted.fileCount).toBe(plain.files)
      expect(counted.compressionRatio).toBeUndefined()
    }
    const countsChunks = mode === 'raw-data' || mode === 'chunks-per-file'
    expect(counted.chunkCount).toBe(countsChunks ? plain.chunks : undefined)
  })

  test('of chosen snapshots only', async () => {
    const chosen = snapshots[1]!
    const one = await stats(repository, { mode, snapshots: [chosen.id] })
    const all = await stats(repository, { mode })
    expect(one.snapshotCount).toBe(1)
    expect(one.totalBytes).toBeLessThan(all.totalBytes)
    expect(await stats(repository, { mode, snapshots: [] })).toMatchObject({
      snapshotCount: 0,
      totalBytes: 0,
    })
  })
})

test('raw-data: chunks take their share of their blocks, all together no more than the packs', async () => {
  const counted = await stats(repository, { mode: 'raw-data' })
  const packBytes = [...files]
    .filter(([name]) => /^(data|trees)\//.test(name))
    .map(([, bytes]) => bytes.length)
  const stored = packBytes.reduce((sum, bytes) => sum + bytes)
  expect(counted.totalBytes).toBeLessThan(stored)
  expect(counted.totalBytes).toBeGreaterThan(stored * 0.9)
  const { totalBytes, uncompressedBytes, compressionRatio, spaceSavingPercent } = counted
  expect(compressionRatio).toBeCloseTo(uncompressedBytes! / totalBytes, 4)
  expect(spaceSavingPercent).toBeCloseTo((1 - totalBytes / uncompressedBytes!) * 100, 2)
})

test('what cannot be read is an error', async () => {
  const name = `snapshots/${snapshots[0]!.id}`
  const bytes = files.get(name)!
  files.set(name, Buffer.from('garbage'))
  repository.index.removeCached([name])
  await expect(stats(repository, { mode: 'restore-size' })).rejects.toMatchObject({ code: 'DAMAGED' })
  const others = snapshots.slice(1).map(({ id }) => id)
  expect((await stats(repository, { mode: 'restore-size', snapshots: others })).snapshotCount).toBe(2)
  files.set(name, bytes)
})
