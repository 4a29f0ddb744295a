import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encodeValue, type Value } from '../../../src/encoding/index.ts'
import { type ContentRef, readContent, writeContent } from '../../../src/tree/index.ts'
import { createMemoryTrees, type MemoryTrees, pageShape } from './memory-trees.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })

async function readIds(trees: MemoryTrees, content: ContentRef): Promise<Buffer> {
  const ids: Uint8Array[] = []
  for await (const run of readContent(trees, content)) ids.push(...run.ids)
  return Buffer.concat(ids)
}

test.each([
  [0, 0],
  [1, 0],
  [8, 0],
  [9, 1],
  [65, 2],
  [1024, 2],
  [5000, 2],
  [100_000, 3],
])('%i ids come back in order', async (count, atMost) => {
  const trees = createMemoryTrees()
  const ids = randomBytes(count * 32)
  const content = writeContent(trees, ids)
  expect(content.depth).toBeLessThanOrEqual(atMost)
  expect(content.depth > 0).toBe(count > 8)
  if (content.depth > 0) expect(content.ids.length).toBe(32)
  else expect(trees.chunks.size).toBe(0)
  expect((await readIds(trees, content)).equals(ids)).toBe(true)
  const shapes = [...trees.chunks.values()].map(pageShape)
  expect(shapes.every(({ entries }) => entries <= 1024)).toBe(true)
  expect(Math.max(-1, ...shapes.map(({ level }) => level))).toBe(content.depth - 1)
})

test('a file of one repeated chunk keeps its count, with few pages', async () => {
  for (const fill of [0, 1, 2, 3, 77]) {
    const trees = createMemoryTrees()
    const ids = Buffer.alloc(200_000 * 32, fill)
    const content = writeContent(trees, ids)
    expect((await readIds(trees, content)).equals(ids)).toBe(true)
    expect(trees.chunks.size).toBeLessThanOrEqual(2 * content.depth + 1)
  }
})

test('the pages of a list are told with the run they lead to, each once', async () => {
  const trees = createMemoryTrees()
  const content = writeContent(trees, randomBytes(20_000 * 32))
  const pages: string[] = []
  for await (const run of readContent(trees, content)) {
    expect(run.ids.length).toBeGreaterThan(0)
    pages.push(...run.pageIds.map((id) => Buffer.from(id).toString('hex')))
  }
  expect(pages.toSorted()).toEqual([...trees.chunks.keys()].toSorted())
})

test('one changed id of 100,000 writes about one page a level', () => {
  const ids = randomBytes(100_000 * 32)
  const before = createMemoryTrees()
  const { depth } = writeContent(before, ids)
  for (const index of [0, 12_345, 50_000, 99_999]) {
    const changed = Buffer.from(ids)
    randomBytes(32).copy(changed, index * 32)
    const after = createMemoryTrees()
    writeContent(after, changed)
    const fresh = [...after.chunks.keys()].filter((id) => !before.chunks.has(id))
    expect(fresh.length).toBeLessThanOrEqual(4 * depth)
    expect(fresh.length).toBeGreaterThanOrEqual(depth)
  }
})

describe('pages that are no list of ids are damage', () => {
  test.each<[string, Value]>([
    ['nodes', [0, []]],
    ['nothing', [0, null]],
    ['a cut list', [0, Buffer.alloc(33)]],
    ['another level', [1, Buffer.alloc(32)]],
    ['another shape', [0]],
  ])('%s', async (_, value) => {
    const trees = createMemoryTrees()
    const ids = trees.saveTree(encodeValue(value))
    await expect(readIds(trees, { depth: 1, ids })).rejects.toThrow(damaged)
  })

  test('a list of ids that is cut in the node', async () => {
    await expect(readIds(createMemoryTrees(), { depth: 0, ids: Buffer.alloc(40) })).rejects.toThrow(damaged)
  })
})
