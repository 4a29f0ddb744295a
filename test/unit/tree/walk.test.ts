import { expect, test } from 'vitest'
import { type ChunkId, displayName, type RawName, toHex } from '../../../src/encoding/index.ts'
import {
  findNode,
  splitPath,
  type WalkOptions,
  walkTree,
  walkTreeInBatches,
} from '../../../src/tree/index.ts'
import { createMemoryTrees, type MemoryTrees, writeDirectory } from './memory-trees.ts'
import { directoryNode, fileNode, plainNode, sortNodes } from './nodes.ts'

/** Directories as nested maps; anything else is a file. */
interface Shape {
  readonly [name: string]: Shape | 'file'
}

function store(trees: MemoryTrees, shape: Shape): ChunkId {
  const nodes = Object.entries(shape).map(([name, below]) =>
    below === 'file' ? fileNode(name) : directoryNode(name, store(trees, below)),
  )
  return writeDirectory(trees, sortNodes(nodes))
}

async function paths(
  trees: MemoryTrees,
  tree: ChunkId,
  path?: RawName,
  options?: WalkOptions,
): Promise<string[]> {
  const found: string[] = []
  for await (const entry of walkTree(trees, tree, path, options)) found.push(displayName(entry.path))
  return found
}

const shape: Shape = {
  b: { inner: { deep: 'file' }, 'inner.txt': 'file' },
  a: 'file',
  'b.txt': 'file',
  'b-first': 'file',
  empty: {},
  ä: 'file',
}

test('walkTree() gives directories before what is in them, names in byte order', async () => {
  const trees = createMemoryTrees()
  const tree = store(trees, shape)
  const expected = ['a', 'b', 'b/inner', 'b/inner/deep', 'b/inner.txt', 'b-first', 'b.txt', 'empty', 'ä']
  expect(await paths(trees, tree)).toEqual(expected.map((path) => `/${path}`))
  expect(await paths(trees, tree, '/at')).toEqual(expected.map((path) => `/at/${path}`))
  const raw = await paths(trees, tree, Buffer.from([0x2f, 0xff]))
  expect(raw).toEqual(expected.map((path) => `/\\xff/${path}`))
})

test('walkTree() leaves out what is not entered, and does not read it', async () => {
  const trees = createMemoryTrees()
  const tree = store(trees, shape)
  const asked: string[] = []
  const enter: WalkOptions['enter'] = ({ path }) => {
    asked.push(path as string)
    return path !== '/b'
  }
  const before = trees.reads()
  expect(await paths(trees, tree, '/', { enter })).toEqual(['/a', '/b', '/b-first', '/b.txt', '/empty', '/ä'])
  expect(asked).toEqual(['/b', '/empty'])
  expect(trees.reads() - before).toBe(2)
})

test('walkTree() stops when aborted', async () => {
  const trees = createMemoryTrees()
  const tree = store(trees, shape)
  const controller = new AbortController()
  const found: RawName[] = []
  const walk = async (): Promise<void> => {
    for await (const { path } of walkTree(trees, tree, '/', { signal: controller.signal })) {
      found.push(path)
      if (path === '/b') controller.abort()
    }
  }
  await expect(walk()).rejects.toThrow(expect.objectContaining({ code: 'INTERRUPTED' }))
  expect(found).toEqual(['/a', '/b'])
})

test('walkTree() goes 500 directories deep', async () => {
  const trees = createMemoryTrees()
  let tree = writeDirectory(trees, [fileNode('end')])
  for (let depth = 0; depth < 500; depth++) tree = writeDirectory(trees, [directoryNode('d', tree)])
  const found = await paths(trees, tree)
  expect(found.length).toBe(501)
  expect(found.at(-1)).toBe(`${'/d'.repeat(500)}/end`)
})

test.each([
  ['/', []],
  ['', []],
  ['//a/./b//', ['a', 'b']],
  ['a/../b', ['a', '..', 'b']],
  ['/...', ['...']],
])('splitPath(%j)', (path, parts) => {
  expect(splitPath(path)).toEqual(parts)
  expect(splitPath(Buffer.from(path))).toEqual(parts)
})

test('splitPath() keeps bytes that are no text', () => {
  expect(splitPath(Buffer.from('612fff2f62', 'hex'))).toEqual(['a', Buffer.from([0xff]), 'b'])
})

test('findNode() finds by path, whichever form the path has', async () => {
  const trees = createMemoryTrees()
  const tree = store(trees, shape)
  for (const path of ['/b/inner/deep', 'b/inner/deep', '/b//inner/./deep/', Buffer.from('/b/inner/deep')]) {
    expect((await findNode(trees, tree, path))?.name).toBe('deep')
  }
  expect((await findNode(trees, tree, '/ä'))?.type).toBe('file')
  for (const path of [
    '/',
    '',
    '/c',
    '/a/x',
    '/b/inner/deep/x',
    '/b/..',
    '/..',
    '/b/inne',
    Buffer.from([0xff]),
  ]) {
    expect(await findNode(trees, tree, path)).toBeUndefined()
  }
})

test('findNode() finds every path that walkTree() gives', async () => {
  const trees = createMemoryTrees()
  const names = [
    Buffer.from([0xff]),
    Buffer.from([0xc0, 0xaf]),
    'ä',
    ...Array.from({ length: 300 }, (_, i) => `n${i}`),
  ]
  const inner = writeDirectory(trees, sortNodes(names.map((name) => fileNode(name))))
  const tree = writeDirectory(trees, sortNodes(names.map((name) => directoryNode(name, inner))))
  let count = 0
  for await (const { path, node } of walkTree(trees, tree)) {
    if (count++ % 997 !== 0) continue
    expect(plainNode((await findNode(trees, tree, path))!)).toEqual(plainNode(node))
  }
  expect(count).toBe(names.length * (names.length + 1))
})

test('a walk goes as deep as directories are nested', async () => {
  const trees = createMemoryTrees()
  const depth = 20_000
  let tree = writeDirectory(trees, [])
  for (let level = 1; level < depth; level++) tree = writeDirectory(trees, [directoryNode('d', tree)])
  let count = 0
  for await (const { node } of walkTree(trees, tree)) if (node.type === 'directory') count++
  expect(count).toBe(depth - 1)
})

test('batches hold the same entries in the same order, and what comes before a page that cannot be read', async () => {
  const trees = createMemoryTrees()
  const many = Object.fromEntries(Array.from({ length: 1500 }, (_, at) => [`file-${at}`, 'file' as const]))
  const lost = store(trees, { lost: 'file' })
  const root = writeDirectory(trees, [
    directoryNode('a', store(trees, many)),
    directoryNode('b', store(trees, shape)),
    directoryNode('c', lost),
  ])
  const enter: WalkOptions['enter'] = ({ path }) => displayName(path) !== '/b/b'
  const inBatches = async (): Promise<string[]> => {
    const found: string[] = []
    try {
      for await (const batch of walkTreeInBatches(trees, root, '/', { enter })) {
        expect(batch.length).toBeGreaterThan(0)
        found.push(...batch.map((entry) => displayName(entry.path)))
      }
    } catch (error) {
      found.push(String(error))
    }
    return found
  }
  const whole = await paths(trees, root, '/', { enter })
  expect(await inBatches()).toEqual(whole)
  // The same where pages are at hand.
  const now = { ...trees, readTreeNow: (id: ChunkId) => trees.chunks.get(toHex(id)) }
  expect(
    await paths({ ...now, readTree: () => Promise.reject(new Error('asked')) }, root, '/', { enter }),
  ).toEqual(whole)
  trees.chunks.delete(toHex(lost))
  expect(await inBatches()).toEqual([...whole.slice(0, -1), expect.stringContaining('no tree chunk')])
})
