import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeValue, nameBytes } from '../../../src/encoding/index.ts'
import { type NodeCursor, nodeValue, openDirectoryPage } from '../../../src/tree/index.ts'
import { anyNode, plainNode, sortNodes } from './nodes.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })

function leaf(bytes: Uint8Array): NodeCursor {
  const page = openDirectoryPage(bytes, 0)
  if (page.children !== undefined) throw new Error('it is no leaf')
  return page.nodes
}

test('a cursor gives the nodes of a page, and what it says in place is what they hold', () => {
  fc.assert(
    fc.property(fc.array(anyNode, { maxLength: 40 }), (list) => {
      const nodes = sortNodes(list)
      const cursor = leaf(encodeValue([0, nodes.map(nodeValue)]))
      for (const node of nodes) {
        expect(cursor.next()).toBe(true)
        expect(plainNode(cursor.node())).toEqual(plainNode(node))
        expect(cursor.type).toBe(node.type)
        expect(cursor.name()).toEqual(node.name)
        expect(cursor.nameText()).toBe(nameBytes(node.name).toString())
        expect(cursor.compareNameTo(nameBytes(node.name))).toBe(0)
        if (node.type === 'directory') expect(Buffer.from(cursor.tree())).toEqual(Buffer.from(node.tree))
        if (node.type === 'file') {
          const { depth, ids } = cursor.content()
          expect([depth, Buffer.from(ids)]).toEqual([node.content.depth, Buffer.from(node.content.ids)])
        }
      }
      expect(cursor.next()).toBe(false)
    }),
    { numRuns: 300 },
  )
})

test('two cursors say whether nodes are the same, with and without content, and how their names stand', () => {
  fc.assert(
    fc.property(anyNode, anyNode, (left, right) => {
      const [one, other] = [left, right].map((node) => leaf(encodeValue([0, [nodeValue(node)]])))
      one!.next()
      other!.next()
      expect(one!.isSame(other!)).toBe(encodeValue(nodeValue(left)).equals(encodeValue(nodeValue(right))))
      const order = Buffer.compare(nameBytes(left.name), nameBytes(right.name))
      expect(Math.sign(one!.compareName(other!))).toBe(order)
      if (left.type !== 'file') return
      const changed = leaf(
        encodeValue([0, [nodeValue({ ...left, content: { depth: 1, ids: Buffer.alloc(32, 9) } })]]),
      )
      changed.next()
      expect(one!.isSameButContent(changed)).toBe(true)
    }),
  )
})

test('a page with any byte changed, or cut anywhere, gives nodes or damage', () => {
  const readAll = (bytes: Uint8Array): void => {
    try {
      const page = openDirectoryPage(bytes, undefined)
      if (page.children !== undefined) return
      while (page.nodes.next()) {
        page.nodes.node()
        if (page.nodes.type === 'directory') page.nodes.tree()
        if (page.nodes.type === 'file') page.nodes.content()
      }
    } catch (error) {
      expect(error).toEqual(damaged)
    }
  }
  fc.assert(
    fc.property(
      fc.array(anyNode, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (list, at, change) => {
        const bytes = encodeValue([0, sortNodes(list).map(nodeValue)])
        readAll(bytes.subarray(0, at % bytes.length))
        bytes[at % bytes.length]! ^= change
        readAll(bytes)
      },
    ),
    { numRuns: 3000 },
  )
})

test('a page of another level than it must have is damage', () => {
  expect(() => openDirectoryPage(encodeValue([0, []]), 1)).toThrow(damaged)
  expect(() => openDirectoryPage(encodeValue([1, []]), 0)).toThrow(damaged)
  expect(() => openDirectoryPage(encodeValue([0, 7]), 0)).toThrow(damaged)
})
