import { expect, test } from 'vitest'
import { type ChunkId, displayName, toHex } from '../../../src/encoding/index.ts'
import { HoldfastError } from '../../../src/errors/index.ts'
import { createDirectoryWriter, type Node, rewriteTree, walkTree } from '../../../src/tree/index.ts'
import { createMemoryTrees, type MemoryTrees } from './memory-trees.ts'
import { directoryNode, fileNode } from './nodes.ts'

/** A folder with many files, and one in it with few. */
function store(trees: MemoryTrees, count: number): ChunkId {
  const inner = createDirectoryWriter(trees)
  for (const name of ['a', 'b', 'c']) inner.add(fileNode(name))
  const innerId = Uint8Array.from(inner.finish()) as Uint8Array as ChunkId
  const writer = createDirectoryWriter(trees)
  for (let number = 0; number < count; number++)
    writer.add(fileNode(`file ${String(number).padStart(5, '0')}`))
  writer.add(directoryNode('inner', innerId))
  return Uint8Array.from(writer.finish()) as Uint8Array as ChunkId
}

async function pathsOf(trees: MemoryTrees, tree: ChunkId): Promise<string[]> {
  const paths: string[] = []
  for await (const { path } of walkTree(trees, tree)) paths.push(displayName(path))
  return paths
}

const keep = async (_: unknown, node: Node): Promise<Node> => node

test('what stays as it was gets the ids it had, and nothing new is stored', async () => {
  const trees = createMemoryTrees()
  const tree = store(trees, 2000)
  const count = trees.chunks.size
  expect(toHex(await rewriteTree(trees, trees, tree, '/', { entry: keep }))).toBe(toHex(tree))
  expect(trees.chunks.size).toBe(count)
})

test('nodes and directories are left out, and changed', async () => {
  const trees = createMemoryTrees()
  const tree = store(trees, 3)
  const rewritten = await rewriteTree(trees, trees, tree, '/top', {
    entry: async (path, node) => (displayName(path).endsWith('00001') ? undefined : { ...node, mode: 0o600 }),
    enter: (path) => displayName(path) !== '/top/inner',
  })
  expect(await pathsOf(trees, rewritten)).toEqual(['/file 00000', '/file 00002'])
  for await (const { node } of walkTree(trees, rewritten)) expect(node.mode).toBe(0o600)
})

test('pages that cannot be read are left out where that is allowed, with all else kept', async () => {
  const trees = createMemoryTrees()
  const tree = store(trees, 2000)
  const all = await pathsOf(trees, tree)
  let lostPaths: string[] = []
  for (const lost of [...trees.chunks.keys()]) {
    lostPaths = []
    const source = {
      readTree: async (id: ChunkId) => {
        if (toHex(id) === lost) throw new HoldfastError('DAMAGED', 'a test broke it')
        return await trees.readTree(id)
      },
    }
    const rules = {
      entry: keep,
      unreadable: (path: unknown) => void lostPaths.push(displayName(String(path))),
    }
    const left = await pathsOf(trees, await rewriteTree(source, trees, tree, '/', rules))
    expect(lostPaths).toHaveLength(1)
    expect(all).toEqual(expect.arrayContaining(left))
    expect(left.length).toBeLessThan(all.length)
    await expect(rewriteTree(source, trees, tree, '/', { entry: keep })).rejects.toMatchObject({
      code: 'DAMAGED',
    })
  }
})
