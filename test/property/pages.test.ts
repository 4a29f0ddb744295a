import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeValue, encodeValue, nameBytes, toHex } from '../../src/encoding/index.ts'
import {
  findInDirectory,
  type Node,
  nodeValue,
  parseNode,
  readContent,
  writeContent,
} from '../../src/tree/index.ts'
import { createMemoryTrees, pageShape, readNodes, writeDirectory } from '../unit/tree/memory-trees.ts'
import { anyNode, anyNodeName, fileNode, plainNode, sortNodes } from '../unit/tree/nodes.ts'

test('any node comes back through its stored form', () => {
  fc.assert(
    fc.property(anyNode, (node) => {
      const stored = encodeValue(nodeValue(node))
      const back = parseNode(decodeValue(stored))
      expect(plainNode(back)).toEqual(plainNode(node))
      expect(encodeValue(nodeValue(back)).equals(stored)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('a stored node with any byte changed is a node or damage', () => {
  const damaged: object = expect.objectContaining({ code: 'DAMAGED' })
  fc.assert(
    fc.property(anyNode, fc.nat(), fc.integer({ min: 1, max: 255 }), (node, at, change) => {
      const stored = encodeValue(nodeValue(node))
      stored[at % stored.length]! ^= change
      let parsed: Node
      try {
        parsed = parseNode(decodeValue(stored))
      } catch (error) {
        expect(error).toEqual(damaged)
        return
      }
      const name = nameBytes(parsed.name)
      expect(name.includes(0x2f) || name.includes(0) || name.length === 0).toBe(false)
      expect(['.', '..']).not.toContain(parsed.name)
    }),
    { numRuns: 3000 },
  )
})

describe('directories', () => {
  test('of any nodes read back whole, find each name, and have one id', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyNode, { maxLength: 300, size: 'max' }), async (list) => {
        const nodes = sortNodes(list)
        const trees = createMemoryTrees()
        const tree = writeDirectory(trees, nodes)
        expect((await readNodes(trees, tree)).map(plainNode)).toEqual(nodes.map(plainNode))
        expect(toHex(writeDirectory(createMemoryTrees(), await readNodes(trees, tree)))).toBe(toHex(tree))
        for (let index = 0; index < nodes.length; index += 17) {
          const found = await findInDirectory(trees, tree, nodes[index]!.name)
          expect(found && plainNode(found)).toEqual(plainNode(nodes[index]!))
        }
      }),
      { numRuns: 40 },
    )
  })

  test('have the same id whatever they were before: only the nodes count', () => {
    const names = fc.uniqueArray(anyNodeName, {
      minLength: 1,
      maxLength: 1500,
      size: 'max',
      selector: (name) => nameBytes(name).toString('hex'),
    })
    fc.assert(
      fc.property(names, fc.nat(), fc.nat(1_000_000), (list, at, seed) => {
        const nodes = sortNodes(list.map((name) => fileNode(name, { inode: BigInt(seed) })))
        const removed = nodes.toSpliced(at % nodes.length, 1)
        const [one, two, other] = [nodes, nodes, removed].map((some) =>
          toHex(writeDirectory(createMemoryTrees(), some)),
        )
        expect(one).toBe(two)
        expect(other).not.toBe(one)
      }),
      { numRuns: 20 },
    )
  })

  const many = Array.from({ length: 100_000 }, (_, index) =>
    fileNode(`file-${String(index * 7).padStart(8, '0')}.dat`),
  )
  const before = createMemoryTrees()
  writeDirectory(before, many)
  const levels = 1 + Math.max(...[...before.chunks.values()].map((bytes) => pageShape(bytes).level))

  function freshPages(nodes: readonly Node[]): number {
    const after = createMemoryTrees()
    writeDirectory(after, nodes)
    return [...after.chunks.keys()].filter((id) => !before.chunks.has(id)).length
  }

  test('of 100,000 nodes have two or three levels', () => {
    expect(levels).toBeGreaterThanOrEqual(2)
    expect(levels).toBeLessThanOrEqual(3)
  })

  test.each([0, 1, 33_333, 77_777, 99_999])(
    'one changed node (%i) of 100,000 writes one page a level',
    (index) => {
      expect(freshPages(many.with(index, fileNode(many[index]!.name, { mode: 0o600 })))).toBe(levels)
    },
  )

  test.each([0, 1, 33_333, 77_777, 99_999])('one removed or added node (%i) writes few pages', (index) => {
    expect(freshPages(many.toSpliced(index, 1))).toBeLessThanOrEqual(3 * levels)
    const added = fileNode(`${many[index]!.name as string}~`)
    expect(freshPages(many.toSpliced(index + 1, 0, added))).toBeLessThanOrEqual(3 * levels)
  })

  test('the pages that end a level go with it: a removed boundary node rewrites its neighbours only', () => {
    const leaves = [...before.chunks.values()].filter((bytes) => pageShape(bytes).level === 0)
    const ends = leaves.map((bytes) => {
      const [, nodes] = decodeValue(bytes) as [number, [number, Uint8Array][]]
      return Buffer.from(nodes.at(-1)![1]).toString()
    })
    const counts = ends.slice(0, 10).map((end) => freshPages(many.filter((node) => node.name !== end)))
    // A page without its end runs into the next ones until a boundary falls again.
    expect(Math.max(...counts)).toBeLessThanOrEqual(6 * levels)
  })
})

test('lists of ids of any length come back, and depend on the ids alone', async () => {
  const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const counts = fc.oneof(fc.nat(200), fc.nat(6000), fc.constantFrom(63, 64, 65, 1023, 1024, 1025, 4096))
  await fc.assert(
    fc.asyncProperty(counts, fc.array(seed, { minLength: 1, maxLength: 5 }), async (count, seeds) => {
      const ids = Buffer.alloc(count * 32)
      for (let index = 0; index < count; index++) {
        ids.set(seeds[index % seeds.length]!, index * 32)
        if (index % 3 === 0) ids.writeUInt32LE(index, index * 32)
      }
      const trees = createMemoryTrees()
      const content = writeContent(trees, ids)
      const back: Uint8Array[] = []
      for await (const run of readContent(trees, content)) back.push(...run.ids)
      expect(Buffer.concat(back).equals(ids)).toBe(true)
      const again = writeContent(createMemoryTrees(), Buffer.from(ids))
      expect(again.depth).toBe(content.depth)
      expect(Buffer.compare(again.ids, content.ids)).toBe(0)
    }),
    { numRuns: 60 },
  )
})
