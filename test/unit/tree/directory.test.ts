import { describe, expect, test } from 'vitest'
import { type ChunkId, encodeValue, toHex, type Value } from '../../../src/encoding/index.ts'
import { createDirectoryWriter, findInDirectory, type Node, nodeValue } from '../../../src/tree/index.ts'
import { createMemoryTrees, pageShape, readNodes, writeDirectory } from './memory-trees.ts'
import { fileNode } from './nodes.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })
const numbered = (count: number, change: Parameters<typeof fileNode>[1] = {}): Node[] =>
  Array.from({ length: count }, (_, index) => fileNode(`n${String(index).padStart(7, '0')}`, change))

test('an empty directory is one page, and reads as empty', async () => {
  const trees = createMemoryTrees()
  const tree = writeDirectory(trees, [])
  expect([...trees.chunks.values()].map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(['920090'])
  expect(await readNodes(trees, tree)).toEqual([])
  expect(await findInDirectory(trees, tree, 'a')).toBeUndefined()
})

test.each([1, 2, 63])('%i nodes are one page', async (count) => {
  const trees = createMemoryTrees()
  const tree = writeDirectory(trees, numbered(count))
  expect(trees.chunks.size).toBe(1)
  expect((await readNodes(trees, tree)).length).toBe(count)
})

test('nodes out of order, or twice, are a mistake of the caller', () => {
  for (const [first, second] of [
    ['b', 'a'],
    ['a', 'a'],
    ['\u{1f600}', '\uff5e'],
    ['a', Buffer.from('a')],
  ] as const) {
    const writer = createDirectoryWriter(createMemoryTrees())
    writer.add(fileNode(first))
    expect(() => writer.add(fileNode(second))).toThrow(/order/)
  }
  const writer = createDirectoryWriter(createMemoryTrees())
  for (const name of ['A', 'a', 'a.b', 'a0', 'ä', '\uff5e', '\u{1f600}', Buffer.from([0xff])])
    writer.add(fileNode(name))
})

test('pages have 64 to 1,024 entries, about 256 on average, on every level', () => {
  const trees = createMemoryTrees()
  writeDirectory(trees, numbered(100_000))
  const shapes = [...trees.chunks.values()].map(pageShape)
  const leaves = shapes.filter(({ level }) => level === 0)
  expect(leaves.reduce((sum, { entries }) => sum + entries, 0)).toBe(100_000)
  expect(shapes.filter(({ level }) => level === 1).reduce((sum, { entries }) => sum + entries, 0)).toBe(
    leaves.length,
  )
  for (let level = 0; level <= 2; level++) {
    const pages = shapes.filter((shape) => shape.level === level)
    expect(pages.every(({ entries }) => entries <= 1024)).toBe(true)
    expect(pages.filter(({ entries }) => entries < 64).length).toBeLessThanOrEqual(1)
  }
  expect(leaves.length).toBeGreaterThan(100_000 / 320)
  expect(leaves.length).toBeLessThan(100_000 / 200)
})

test('pages of long entries end early, whatever makes the entries long', async () => {
  const holes = Array.from({ length: 60_000 }, (_, index) => [BigInt(index) * 10n, 5n] as const)
  const target = Buffer.alloc(4000, 0x61)
  const long: [string, (name: string) => Node][] = [
    ['holes', (name) => fileNode(name, { sizeBytes: 600_000n, holes })],
    ['target', (name) => ({ ...fileNode(name), type: 'symlink', target }) as unknown as Node],
    ['xattrs', (name) => fileNode(name, { xattrs: [[Buffer.from('user.a'), Buffer.alloc(60_000)]] })],
  ]
  for (const [what, make] of long) {
    const trees = createMemoryTrees()
    const count = what === 'holes' ? 20 : 1200
    const tree = writeDirectory(
      trees,
      Array.from({ length: count }, (_, index) => make(`n${String(index).padStart(5, '0')}`)),
    )
    const largest = Math.max(...[...trees.chunks.values()].map((bytes) => bytes.length))
    // 512 KiB, and the one entry that passes it.
    expect(largest, what).toBeLessThan(2 * 1024 * 1024)
    expect((await readNodes(trees, tree)).length).toBe(count)
  }
})

test('findInDirectory() reads one page a level', async () => {
  const trees = createMemoryTrees()
  const nodes = numbered(20_000)
  const tree = writeDirectory(trees, nodes)
  for (const index of [0, 1, 5000, 19_998, 19_999]) {
    const before = trees.reads()
    expect((await findInDirectory(trees, tree, nodes[index]!.name))?.name).toBe(nodes[index]!.name)
    expect(trees.reads() - before).toBe(2)
  }
  for (const name of ['a', 'n0005000x', 'z', '', Buffer.from([0xff])]) {
    expect(await findInDirectory(trees, tree, name)).toBeUndefined()
  }
})

describe('an authentic page that breaks the rules is damage', () => {
  const node = (name: string): Value => nodeValue(fileNode(name))
  const id = Buffer.alloc(32)

  test.each<[string, Value]>([
    ['no page', null],
    ['a leaf without nodes', [0, null]],
    ['a leaf of bytes', [0, Buffer.alloc(32)]],
    ['a leaf with something else in it', [0, [node('a'), 1]]],
    ['nodes out of order', [0, [node('b'), node('a')]]],
    ['a name twice', [0, [node('a'), node('a')]]],
    ['an unsafe name', [0, [node('..')]]],
    ['an index page without children', [1, []]],
    ['an index page of bytes', [1, Buffer.alloc(32)]],
    ['an index entry without an id', [1, [[Buffer.from('a')]]]],
    ['an index entry with a short id', [1, [[Buffer.from('a'), Buffer.alloc(31)]]]],
    ['an index entry with a key as text', [1, [['a', id]]]],
    ['an index entry with a key that is too long', [1, [[Buffer.alloc(256), id]]]],
    ['too high a level', [13, [[Buffer.from('a'), id]]]],
  ])('%s', async (_, value) => {
    const trees = createMemoryTrees()
    await expect(readNodes(trees, trees.saveTree(encodeValue(value)))).rejects.toThrow(damaged)
  })

  const parent = (level: number, ...children: [string, ChunkId][]): Value => [
    level,
    children.map(([key, child]) => [Buffer.from(key), child]),
  ]

  test('a child of another level', async () => {
    const trees = createMemoryTrees()
    const leaf = trees.saveTree(encodeValue([0, [node('a')]]))
    const root = trees.saveTree(encodeValue(parent(2, ['a', leaf])))
    await expect(readNodes(trees, root)).rejects.toThrow(damaged)
    await expect(findInDirectory(trees, root, 'a')).rejects.toThrow(damaged)
  })

  test('order across pages', async () => {
    const trees = createMemoryTrees()
    const leaves = ['b', 'a'].map((name) => trees.saveTree(encodeValue([0, [node(name)]])))
    const root = trees.saveTree(encodeValue(parent(1, ['b', leaves[0]!], ['c', leaves[1]!])))
    await expect(readNodes(trees, root)).rejects.toThrow(damaged)
  })
})

test('a stored directory, byte for byte: its id is in every snapshot that holds it', () => {
  const trees = createMemoryTrees()
  const tree = writeDirectory(trees, [fileNode('a'), fileNode('b')])
  const expected = encodeValue([0, [nodeValue(fileNode('a')), nodeValue(fileNode('b'))]])
  expect(Buffer.compare(trees.chunks.get(toHex(tree))!, expected)).toBe(0)
})
