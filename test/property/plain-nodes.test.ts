import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeValue, encodeValue, type Value } from '../../src/encoding/index.ts'
import { type Node, nodeValue, parseNode } from '../../src/tree/index.ts'
import { readPlainNodes } from '../../src/tree/plain-nodes.ts'
import { anyNode, fileNode, plainNode } from '../unit/tree/nodes.ts'

const pageOf = (nodes: readonly Node[]): Buffer => encodeValue([0, nodes.map(nodeValue)])

/** What the page is by the checked way: its nodes, or undefined for damage. */
function readChecked(page: Uint8Array): Node[] | undefined {
  try {
    const [level, body] = decodeValue(page) as readonly [Value, readonly Value[]]
    return level === 0 ? body.map(parseNode) : undefined
  } catch {
    return undefined
  }
}

const anyPage = fc.array(anyNode, { maxLength: 20 }).map(pageOf)

test('plain nodes are what the checked way makes of the page', () => {
  fc.assert(
    fc.property(anyPage, (page) => {
      const plain = readPlainNodes(page)
      if (plain !== undefined) expect(plain.map(plainNode)).toEqual(readChecked(page)!.map(plainNode))
    }),
    { numRuns: 1000 },
  )
})

test('the usual page is read plainly', () => {
  const nodes = ['a', 'b\u{1f600}', 'c'.repeat(255)].map((name) => fileNode(name, { sizeBytes: 2n ** 40n }))
  expect(readPlainNodes(pageOf(nodes))!.map(plainNode)).toEqual(nodes.map(plainNode))
  expect(readPlainNodes(pageOf([]))).toEqual([])
})

test('a page with any bytes changed, cut or added is never taken for another one', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(anyPage, changes, fc.integer({ min: -3, max: 3 }), (page, list, longer) => {
      const changed = Buffer.alloc(Math.max(page.length + longer, 0))
      page.copy(changed)
      for (const [at, byte] of list) if (changed.length > 0) changed[at % changed.length] = byte
      const plain = readPlainNodes(changed)
      if (plain !== undefined) expect(plain.map(plainNode)).toEqual(readChecked(changed)!.map(plainNode))
    }),
    { numRuns: 5000 },
  )
})

test('names that no file can have are left to the checked way, which refuses them', () => {
  for (const name of ['.', '..', 'a/b', 'a\0', '']) {
    const page = encodeValue([0, [nodeValue({ ...fileNode('x'), name })]])
    expect(readPlainNodes(page)).toBeUndefined()
    expect(readChecked(page)).toBeUndefined()
  }
})
