import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChunkId } from '../../src/encoding/index.ts'
import { encodeValue, nameBytes, nameFromBytes, type Value, ValueWriter } from '../../src/encoding/index.ts'
import {
  DirectoryPages,
  type Node,
  nodeValue,
  parseNode,
  StoredNodes,
  writeNode,
} from '../../src/tree/index.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array))
const uint = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffffffff }))
const time = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
const inode = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const name = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }).map((text) => Buffer.from(text, 'utf8')),
    bytes(255),
  )
  .filter((one) => one.length > 0 && one.length < 256 && !/^\.{1,2}$|[/\0]/.test(one.toString('latin1')))
const owner = fc.oneof(fc.constant(''), fc.string({ maxLength: 300, unit: 'binary' }))

const common = fc.record({
  name: name.map(nameFromBytes),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: uint,
  gid: uint,
  user: owner,
  group: owner,
  mtimeNs: time,
  ctimeNs: time,
  atimeNs: fc.option(time),
  xattrs: fc.array(fc.tuple(bytes(20), bytes(300)), { maxLength: 20 }),
})
const inodes = fc.record({ inode, links: uint, fileSystem: fc.option(inode) })
const content = fc.oneof(
  fc.nat(8).map((count) => ({ depth: 0, ids: Buffer.alloc(count * 32, count) })),
  fc.integer({ min: 1, max: 6 }).map((depth) => ({ depth, ids: Buffer.alloc(32, depth) })),
)
const holes = fc
  .array(fc.bigInt({ min: 1n, max: 1000n }), { maxLength: 20 })
  .map((lengths) => lengths.map((length, index) => [BigInt(index) * 2000n, length] as const))
const node: fc.Arbitrary<Node> = fc.oneof(
  fc
    .tuple(common, inodes, fc.record({ racy: fc.boolean(), holes, content }))
    .map(
      ([left, middle, right]): Node => ({ type: 'file', ...left, ...middle, sizeBytes: 50_000n, ...right }),
    ),
  common.map(
    (left): Node => ({ type: 'directory', ...left, tree: Buffer.alloc(32, 7) as Uint8Array as ChunkId }),
  ),
  fc.tuple(common, inodes, bytes(300)).map(
    ([left, middle, target]): Node => ({
      type: 'symlink',
      ...left,
      ...middle,
      target,
    }),
  ),
  fc
    .tuple(common, inodes, uint, uint)
    .map(([left, middle, major, minor]): Node => ({ type: 'block', ...left, ...middle, major, minor })),
  fc.tuple(common, inodes).map(([left, middle]): Node => ({ type: 'fifo', ...left, ...middle })),
)

const encoded = (one: Node): Buffer => encodeValue(nodeValue(one))

/** As `createDirectoryWriter` wants them. */
const inOrder = fc
  .uniqueArray(node, {
    maxLength: 40,
    selector: (one) => nameBytes(one.name).toString('latin1'),
  })
  .map((nodes) => nodes.sort((left, right) => Buffer.compare(nameBytes(left.name), nameBytes(right.name))))

describe('stored nodes', () => {
  test('are written byte for byte as values are', () => {
    fc.assert(
      fc.property(fc.array(node, { maxLength: 4 }), (nodes) => {
        const writer = new ValueWriter()
        for (const one of nodes) writeNode(writer, one)
        expect(writer.bytes.subarray(0, writer.length).equals(Buffer.concat(nodes.map(encoded)))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('are shown as they are', () => {
    fc.assert(
      fc.property(inOrder, (nodes) => {
        const page = encodeValue([0, nodes.map(nodeValue) as Value])
        const shown = new StoredNodes(page)
        const writer = new ValueWriter()
        for (const one of nodes) {
          expect(shown.next()).toBe(true)
          const place = writeNode(writer, one)
          expect([shown.type, shown.name]).toEqual([one.type, nameBytes(one.name).toString('latin1')])
          expect([shown.weight, shown.isBoundary]).toEqual([place.weight, place.isBoundary])
          expect(page.subarray(shown.start, shown.end).equals(encoded(one))).toBe(true)
          expect(shown.decode()).toEqual(parseNode(nodeValue(one)))
          expect([shown.mtimeNs, shown.ctimeNs]).toEqual([one.mtimeNs, one.ctimeNs])
          if (one.type === 'file') {
            expect([shown.inode, shown.sizeBytes, shown.isRacy]).toEqual([one.inode, one.sizeBytes, one.racy])
            expect(shown.depth).toBe(one.content.depth)
            expect(page.subarray(shown.idsStart, shown.idsEnd).equals(one.content.ids)).toBe(true)
          }
        }
        expect(shown.next()).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  test('that are no valid page are refused as damage wherever a byte is changed, or shown as what they are now', () => {
    fc.assert(
      fc.property(inOrder, fc.nat(), fc.nat(255), (nodes, at, byte) => {
        const page = encodeValue([0, nodes.map(nodeValue) as Value])
        page[at % page.length] = byte
        try {
          const shown = new StoredNodes(page)
          // What is shown is what the decoder takes: nothing is carried on that could not be read back.
          while (shown.next()) shown.decode()
        } catch (error) {
          expect(error).toMatchObject({ code: 'DAMAGED' })
          return
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('make the page that their value is', () => {
    fc.assert(
      fc.property(inOrder, (nodes) => {
        const stored: Uint8Array[] = []
        const pages = new DirectoryPages({
          saveTree(saved) {
            stored.push(saved)
            return Buffer.alloc(32) as Uint8Array as ChunkId
          },
        })
        for (const one of nodes) {
          const writer = new ValueWriter()
          const { weight, isBoundary } = writeNode(writer, one)
          pages.add(writer.bytes, 0, writer.length, weight, isBoundary)
        }
        pages.finish()
        expect(stored.map((one) => Buffer.from(one))).toEqual([
          encodeValue([0, nodes.map(nodeValue) as Value]),
        ])
      }),
      { numRuns: 100 },
    )
  })
})
