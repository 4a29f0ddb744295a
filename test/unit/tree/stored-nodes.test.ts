import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareNames, decodeValue, encodeValue, nameBytes, type Value } from '../../../src/encoding/index.ts'
import { HoldfastError } from '../../../src/errors/index.ts'
import { nodeValue, openDirectoryPage, parseNode, StoredNodes } from '../../../src/tree/index.ts'
import { anyNode, fileNode, plainNode, sortNodes } from './nodes.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })

function leaf(bytes: Uint8Array): StoredNodes {
  const page = openDirectoryPage(bytes, undefined)
  if (page.children !== undefined) throw new HoldfastError('DAMAGED', 'it is no leaf')
  return page.nodes
}

test('the nodes of a page are given in order, and what is said of them in place is what they hold', () => {
  fc.assert(
    fc.property(fc.array(anyNode, { maxLength: 40 }), (list) => {
      const nodes = sortNodes(list)
      const stored = leaf(encodeValue([0, nodes.map(nodeValue)]))
      for (const node of nodes) {
        expect(stored.next()).toBe(true)
        expect(plainNode(stored.decode())).toEqual(plainNode(node))
        expect(stored.type).toBe(node.type)
        expect(stored.rawName()).toEqual(node.name)
        expect(stored.nameText()).toBe(nameBytes(node.name).toString())
        expect(stored.compareNameTo(nameBytes(node.name))).toBe(0)
        if (node.type === 'directory') expect(Buffer.from(stored.tree())).toEqual(Buffer.from(node.tree))
        if (node.type === 'file') {
          const { depth, ids } = stored.content()
          expect([depth, Buffer.from(ids)]).toEqual([node.content.depth, Buffer.from(node.content.ids)])
        }
      }
      expect(stored.next()).toBe(false)
    }),
    { numRuns: 300 },
  )
})

test('two of them say whether nodes are the same, with and without content, and how their names stand', () => {
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
        page.nodes.decode()
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

test('only the one page of a folder may be empty: below an index page it would hide where names stop ascending', () => {
  expect(openDirectoryPage(encodeValue([0, []]), undefined).children).toBeUndefined()
  expect(() => openDirectoryPage(encodeValue([0, []]), 0)).toThrow(damaged)
})

/** The same value with integers, byte strings, texts and arrays in the longest forms that there are. */
function longForm(value: Value): Buffer {
  const head = (type: number, length: number): Buffer => {
    const bytes = Buffer.alloc(5)
    bytes[0] = type
    bytes.writeUInt32BE(length, 1)
    return bytes
  }
  if (Array.isArray(value)) return Buffer.concat([head(0xdd, value.length), ...value.map(longForm)])
  if (value instanceof Uint8Array) return Buffer.concat([head(0xc6, value.length), value])
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    return Buffer.concat([head(0xdb, bytes.length), bytes])
  }
  return typeof value === 'number' ? head(0xce, value) : encodeValue(value)
}

test('longer forms are taken too, wherever they begin', () => {
  fc.assert(
    fc.property(fc.array(anyNode, { maxLength: 20 }), fc.nat(20), (list, from) => {
      const nodes = sortNodes(list)
      const values = nodes.map((node, at) => (at < from ? encodeValue : longForm)(nodeValue(node)))
      const page = Buffer.concat([Buffer.of(0x92, 0, 0xdc, 0, nodes.length), ...values])
      for (const bytes of [page, longForm([0, nodes.map(nodeValue)])]) {
        const stored = leaf(bytes)
        for (const node of nodes) {
          expect(stored.next()).toBe(true)
          expect(plainNode(stored.decode())).toEqual(plainNode(node))
        }
        expect(stored.next()).toBe(false)
      }
    }),
    { numRuns: 300 },
  )
})

test('a page is taken exactly where its value is one, whatever is changed in it', () => {
  const read = (bytes: Uint8Array): unknown[] | undefined => {
    try {
      const nodes: unknown[] = []
      const stored = leaf(bytes)
      while (stored.next()) nodes.push(plainNode(stored.decode()))
      return nodes
    } catch (error) {
      expect(error).toEqual(damaged)
      return undefined
    }
  }
  const readValue = (bytes: Uint8Array): unknown[] | undefined => {
    try {
      const [level, body, ...rest] = decodeValue(bytes) as readonly [Value, readonly Value[]]
      if (level !== 0 || rest.length > 0) return undefined
      const nodes = body.map(parseNode)
      const isInOrder = nodes.every(
        (node, at) => at === 0 || compareNames(nodes[at - 1]!.name, node.name) < 0,
      )
      return isInOrder ? nodes.map(plainNode) : undefined
    } catch {
      return undefined
    }
  }
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 })
  fc.assert(
    fc.property(
      fc.array(anyNode, { maxLength: 6 }),
      changes,
      fc.integer({ min: -3, max: 3 }),
      (list, places, longer) => {
        const page = encodeValue([0, sortNodes(list).map(nodeValue)])
        const changed = Buffer.alloc(Math.max(page.length + longer, 0))
        page.copy(changed)
        for (const [at, byte] of places) if (changed.length > 0) changed[at % changed.length] = byte
        expect(read(changed)).toEqual(readValue(changed))
      },
    ),
    { numRuns: 5000 },
  )
})

test('names that no file can have are damage', () => {
  for (const name of ['.', '..', 'a/b', 'a\0', '']) {
    const page = encodeValue([0, [nodeValue({ ...fileNode('x'), name })]])
    expect(() => leaf(page).next()).toThrow(damaged)
  }
})

test('names of a page come after the one it is to follow', () => {
  const page = encodeValue([0, [nodeValue(fileNode('b'))]])
  const after = (name: string): StoredNodes => new StoredNodes(page, Buffer.from(name))
  expect(after('a').next()).toBe(true)
  expect(() => after('b').next()).toThrow(damaged)
  expect(() => after('ba').next()).toThrow(damaged)
})
