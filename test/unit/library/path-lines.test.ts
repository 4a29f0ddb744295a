import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ChunkId, displayName, nameBytes, toHex } from '../../../src/encoding/index.ts'
import { type ListOptions, listNodes, listPathLines } from '../../../src/library/index.ts'
import type { Repository } from '../../../src/repository/index.ts'
import type { Snapshot } from '../../../src/snapshot/index.ts'
import type { Node } from '../../../src/tree/index.ts'
import { createMemoryTrees, type MemoryTrees, writeDirectory } from '../tree/memory-trees.ts'
import { anyNodeName, directoryNode, fileNode, sortNodes } from '../tree/nodes.ts'

const at = (trees: MemoryTrees, tree: ChunkId) =>
  [trees as unknown as Repository, { id: 'a'.repeat(64), tree } as unknown as Snapshot] as const

async function pieces(trees: MemoryTrees, tree: ChunkId, options?: ListOptions): Promise<string[]> {
  const found: string[] = []
  for await (const piece of listPathLines(...at(trees, tree), options))
    found.push(Buffer.from(piece).toString())
  return found
}

test('the lines are the paths of the nodes, as they are shown', async () => {
  const names = fc.uniqueArray(anyNodeName, {
    maxLength: 8,
    selector: (name) => nameBytes(name).toString('hex'),
  })
  await fc.assert(
    fc.asyncProperty(names, names, names, fc.boolean(), async (outer, inner, deep, isRecursive) => {
      const trees = createMemoryTrees()
      const store = (nodes: readonly Node[]) => writeDirectory(trees, sortNodes(nodes))
      const below = store(deep.map((name) => fileNode(name)))
      const middle = store(
        inner.map((name, index) => (index % 2 ? fileNode(name) : directoryNode(name, below))),
      )
      const top = store(
        outer.map((name, index) => (index % 3 ? directoryNode(name, middle) : fileNode(name))),
      )
      for (const path of ['/', ...outer.slice(0, 2)]) {
        let expected = ''
        const options = { path, isRecursive }
        for await (const entry of listNodes(...at(trees, top), options))
          expected += `${displayName(entry.path)}\n`
        expect((await pieces(trees, top, options)).join('')).toBe(expected)
      }
    }),
    { numRuns: 100 },
  )
})

test('the lines come in pieces of bounded length, and those before a page that cannot be read all the same', async () => {
  const trees = createMemoryTrees()
  const files = Array.from({ length: 5000 }, (_, number) =>
    fileNode(`${String(number).padStart(4)}`.padEnd(200, 'x')),
  )
  const lost = writeDirectory(trees, [fileNode('lost')])
  const many = writeDirectory(trees, files)
  const root = writeDirectory(trees, [directoryNode('a', many), directoryNode('b', lost)])
  trees.chunks.delete(toHex(lost))
  const found: string[] = []
  const read = async (): Promise<void> => {
    for await (const piece of listPathLines(...at(trees, root))) found.push(Buffer.from(piece).toString())
  }
  await expect(read()).rejects.toThrow()
  for (const piece of found) {
    expect(piece.length).toBeLessThan(65 * 1024)
    expect(piece.endsWith('\n')).toBe(true)
  }
  const lines = found.join('').split('\n')
  expect(lines).toEqual(['/a', ...files.map(({ name }) => `/a/${displayName(name)}`), '/b', ''])
})
