import {
  type ChunkId,
  chunkId,
  compareNames,
  Fields,
  ID_BYTES,
  nameBytes,
  nameFromBytes,
  type RawName,
  type Value,
} from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { MAXIMUM_NAME_BYTES, type Node, nodeValue, parseNode } from './node.ts'
import { type Child, PageWriter, parsePage, type TreeSink, type TreeSource } from './pages.ts'
import { readPlainNodes } from './plain-nodes.ts'

/** Two 64-bit integers with their type bytes. */
const HOLE_BYTES = 18

/** Writes one directory: nodes in order of their names' bytes, each name once. */
export interface DirectoryWriter {
  add(node: Node): void
  /** Store what is open. @returns the id that a directory node keeps */
  finish(): ChunkId
}

export function createDirectoryWriter(sink: TreeSink): DirectoryWriter {
  const pages = new PageWriter<Node>(sink, {
    leaf: (nodes) => nodes.map(nodeValue),
    key: (node) => nameBytes(node.name),
    weight: nodeBytes,
    inner: (children) => children.map((child): Value => [child.lastKey, child.id]),
  })
  let last: RawName | undefined
  return {
    add(node) {
      if (last !== undefined && compareNames(last, node.name) >= 0) throw new Error('nodes are not in order')
      last = node.name
      pages.add(node)
    },
    finish: () => pages.finish().id,
  }
}

/** About the bytes of a node's stored form. */
function nodeBytes(node: Node): number {
  let bytes = 256
  for (const [name, value] of node.xattrs) bytes += name.length + value.length
  if (node.type === 'symlink') bytes += node.target.length
  if (node.type === 'file') bytes += node.content.ids.length + node.holes.length * HOLE_BYTES
  return bytes
}

/** One leaf page of a directory: its nodes in order, and the ids of the pages passed since the last leaf. */
export interface DirectoryPage {
  readonly nodes: readonly Node[]
  readonly pageIds: readonly ChunkId[]
}

/**
 * Read a directory page by page, in order of names. Memory: one page a level.
 *
 * @throws HoldfastError DAMAGED
 */
export async function* readDirectory(source: TreeSource, tree: ChunkId): AsyncGenerator<DirectoryPage> {
  let last: RawName | undefined
  let passed: ChunkId[] = []
  async function* descend(id: ChunkId, expectedLevel: number | undefined): AsyncGenerator<DirectoryPage> {
    const page = parseDirectoryPage(source.readTreeNow?.(id) ?? (await source.readTree(id)), expectedLevel)
    passed.push(id)
    if (page.children !== undefined) {
      for (const child of page.children) yield* descend(child.id, page.level - 1)
      return
    }
    const { nodes } = page
    last = checkOrder(nodes, last)
    const pageIds = passed
    passed = []
    yield { nodes, pageIds }
  }
  yield* descend(tree, undefined)
}

/**
 * @param last the name before these nodes
 * @returns the last name of these nodes
 * @throws HoldfastError DAMAGED unless every name is greater than the one before
 */
export function checkOrder(nodes: readonly Node[], last: RawName | undefined): RawName | undefined {
  let before = last
  for (const { name } of nodes) {
    if (before !== undefined && compareNames(before, name) >= 0) {
      throw new HoldfastError('DAMAGED', "a directory's nodes are not in order")
    }
    before = name
  }
  return before
}

/** The node of this name, reading one page a level; undefined when there is none. */
export async function findInDirectory(
  source: TreeSource,
  tree: ChunkId,
  name: RawName,
): Promise<Node | undefined> {
  let id = tree
  let level: number | undefined
  for (;;) {
    const page = parseDirectoryPage(source.readTreeNow?.(id) ?? (await source.readTree(id)), level)
    if (page.children === undefined) return page.nodes.find((node) => compareNames(node.name, name) === 0)
    const child = page.children.find((one) => compareNames(nameFromBytes(one.lastKey), name) >= 0)
    if (child === undefined) return undefined
    id = child.id
    level = page.level - 1
  }
}

/** A page of a directory: nodes at level 0, pages one level down above it. @throws HoldfastError DAMAGED */
export function parseDirectoryPage(
  bytes: Uint8Array,
  expectedLevel: number | undefined,
):
  | { readonly level: number; readonly children: readonly Child[] }
  | { readonly level: 0; readonly children: undefined; readonly nodes: readonly Node[] } {
  const nodes = expectedLevel === undefined || expectedLevel === 0 ? readPlainNodes(bytes) : undefined
  if (nodes !== undefined) return { level: 0, children: undefined, nodes }
  const { level, body } = parsePage(bytes, expectedLevel)
  if (level > 0) return { level, children: parseChildren(body) }
  return { level: 0, children: undefined, nodes: parseNodes(body) }
}

function parseNodes(body: Value): Node[] {
  if (!Array.isArray(body)) throw new HoldfastError('DAMAGED', 'a page has no nodes')
  return body.map(parseNode)
}

function parseChildren(body: Value): Child[] {
  if (!Array.isArray(body) || body.length === 0) throw new HoldfastError('DAMAGED', 'an index page is empty')
  let last: Uint8Array | undefined
  return body.map((value) => {
    const fields = new Fields(value, 'index page entry', 2)
    const lastKey = fields.bytes(0, MAXIMUM_NAME_BYTES)
    if (last !== undefined && Buffer.compare(last, lastKey) >= 0) {
      throw new HoldfastError('DAMAGED', "an index page's entries are not in order")
    }
    last = lastKey
    return { lastKey, id: chunkId(fields.exactBytes(1, ID_BYTES)) }
  })
}
