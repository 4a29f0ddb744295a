import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import { diff, diffLive } from '../../src/diff/index.ts'
import { PairWalk } from '../../src/diff/pairs.ts'
import { type ChunkId, compareNames, displayName, toHex } from '../../src/encoding/index.ts'
import type { Repository } from '../../src/repository/index.ts'
import { listSnapshots } from '../../src/snapshot/index.ts'
import { compareNodes, type Node, type TreeSource, visitTree } from '../../src/tree/index.ts'
import { nodesOf, tempDirectory } from '../unit/backup/scene.ts'
import { createStore } from '../unit/repository/scene.ts'
import { createMemoryTrees, writeDirectory } from '../unit/tree/memory-trees.ts'
import { fileNode } from '../unit/tree/nodes.ts'
import { anyFolder, putFolder } from './source-trees.ts'

async function chunksOf(repository: Repository, tree: ChunkId): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const add = (id: ChunkId): boolean => {
    const isNew = !found.has(toHex(id))
    found.set(toHex(id), repository.index.look(id)!.lengthBytes)
    return isNew
  }
  await visitTree(repository, tree, { enterTree: add, data: (ids) => ids.forEach(add) })
  return found
}

function sizeOfOthers(of: ReadonlyMap<string, number>, than: ReadonlyMap<string, number>) {
  const others = [...of].filter(([id]) => !than.has(id))
  return { count: others.length, bytes: others.reduce((sum, [, lengthBytes]) => sum + lengthBytes, 0) }
}

test('diff says of each path what two walks say, and the exact totals are those of the chunks of both', async () => {
  const source = tempDirectory()
  await fc.assert(
    fc.asyncProperty(anyFolder, anyFolder, async (one, other) => {
      const repository = await createStore().create()
      for (const folder of [one, other]) {
        putFolder(source, folder)
        await backup(repository, [source], { threads: 0 })
      }
      const { snapshots } = await listSnapshots(repository)
      const places = snapshots.map(({ tree }) => ({ path: '/', node: undefined, tree }))
      const expected = compareWalks(
        await nodesOf(repository, snapshots[0]!.tree),
        await nodesOf(repository, snapshots[1]!.tree),
      )
      for (const isExact of [false, true]) {
        const found: string[] = []
        const result = await diff(repository, places[0]!, places[1]!, {
          withMetadata: true,
          isExact,
          onChanges: (changes) => {
            for (const { path, change } of changes) found.push(`${displayName(path)} ${change}`)
          },
        })
        expect(found.toSorted()).toEqual(expected)
        if (!isExact) continue
        const [before, after] = [
          await chunksOf(repository, snapshots[0]!.tree),
          await chunksOf(repository, snapshots[1]!.tree),
        ]
        const { added, removed } = result
        expect({ count: added.dataChunks + added.treeChunks, bytes: added.bytes }).toEqual(
          sizeOfOthers(after, before),
        )
        expect({ count: removed.dataChunks + removed.treeChunks, bytes: removed.bytes }).toEqual(
          sizeOfOthers(before, after),
        )
      }
    }),
    { numRuns: 40 },
  )
}, 60_000)

/** A folder's content has lines of its own; so have its metadata. */
function compareWalks(before: ReadonlyMap<string, Node>, after: ReadonlyMap<string, Node>): string[] {
  const lines: string[] = []
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [left, right] = [before.get(path), after.get(path)]
    const withoutTree = (node: Node): Node =>
      node.type === 'directory' ? { ...node, tree: Buffer.alloc(32) as Uint8Array as ChunkId } : node
    const change =
      left === undefined
        ? 'added'
        : right === undefined
          ? 'removed'
          : compareNodes(withoutTree(left), withoutTree(right))
    if (change !== 'same') lines.push(`${path} ${change}`)
  }
  return lines.sort()
}

test('a snapshot differs from the files as they are now by what a second snapshot would differ by', async () => {
  const source = tempDirectory()
  await fc.assert(
    fc.asyncProperty(anyFolder, anyFolder, async (one, other) => {
      const repository = await createStore().create()
      const lines = { live: [] as string[], stored: [] as string[] }
      putFolder(source, one)
      await backup(repository, [source], { threads: 0 })
      putFolder(source, other)
      await backup(repository, [source], { threads: 0 })
      const { snapshots } = await listSnapshots(repository)
      const [before, after] = await Promise.all(
        snapshots.map(async ({ tree }) => (await nodesOf(repository, tree)).get(source)!),
      )
      if (before?.type !== 'directory' || after?.type !== 'directory') throw new Error('the source is gone')
      const place = (node: typeof before) => ({ path: source, node, tree: node.tree })
      await diff(repository, place(before), place(after), {
        onChanges: (changes) =>
          void lines.stored.push(...changes.map(({ path, change }) => `${displayName(path)} ${change}`)),
      })
      await diffLive(repository, [place(before)], {
        onChanges: (changes) =>
          void lines.live.push(
            ...changes.map(({ path, change }) => `${displayName(path).slice(source.length)} ${change}`),
          ),
      })
      expect(lines.live.toSorted()).toEqual(lines.stored.toSorted())
    }),
    { numRuns: 20 },
  )
}, 60_000)

test('large folders are compared page by page, and a page that both have is not read', async () => {
  const name = (number: number): string => `file-${String(number).padStart(5, '0')}`
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(9999), { maxLength: 20 }),
      fc.array(fc.nat(9999), { maxLength: 20 }),
      fc.array(fc.nat(9999), { maxLength: 20 }),
      async (onlyBefore, onlyAfter, changed) => {
        const trees = createMemoryTrees()
        const nodes = new Map(Array.from({ length: 10_000 }, (_, at) => [name(at), fileNode(name(at))]))
        const [before, after] = [new Map(nodes), new Map(nodes)]
        for (const at of onlyAfter) before.delete(name(at))
        for (const at of onlyBefore) after.delete(name(at))
        for (const at of changed)
          if (after.has(name(at))) after.set(name(at), { ...nodes.get(name(at))!, mode: 0o111 })
        const write = (map: ReadonlyMap<string, Node>) =>
          writeDirectory(
            trees,
            [...map.values()].toSorted((left, right) => compareNames(left.name, right.name)),
          )
        const read = { before: 0, after: 0 }
        const found: string[] = []
        const sourceOf = (side: 'before' | 'after'): TreeSource => ({
          async readTree(id) {
            read[side]++
            return await trees.readTree(id)
          },
          // Every second page is at hand.
          readTreeNow(id) {
            if (id[0]! % 2 === 0) return undefined
            read[side]++
            return trees.chunks.get(toHex(id))
          },
        })
        const pairs = new PairWalk(write(before), write(after), {
          before: sourceOf('before'),
          after: sourceOf('after'),
          withShared: false,
        })
        while (pairs.next() || (await pairs.wait())) {
          const sides = `${pairs.before === undefined ? '' : '-'}${pairs.after === undefined ? '' : '+'}`
          found.push(`${String((pairs.before ?? pairs.after)!.rawName())}${sides}`)
        }
        const expected = [...nodes.keys()].flatMap((one) => {
          const [left, right] = [before.get(one), after.get(one)]
          if (left === right) return []
          return [`${one}${left === undefined ? '' : '-'}${right === undefined ? '' : '+'}`]
        })
        expect(found).toEqual(expected)
        // A root, pages of pages, and for each difference its page and at most the neighbours of a moved border.
        const differences = onlyBefore.length + onlyAfter.length + changed.length
        expect(read.before).toBeLessThanOrEqual(2 + 3 * differences)
        expect(read.after).toBeLessThanOrEqual(2 + 3 * differences)
      },
    ),
    { numRuns: 30 },
  )
}, 60_000)
