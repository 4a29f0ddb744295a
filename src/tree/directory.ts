import {
  type ChunkId,
  chunkId,
  compareNames,
  Fields,
  ID_BYTES,
  nameBytes,
  type RawName,
  type Value,
  ValueWriter,
} from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { MAXIMUM_NAME_BYTES, type Node } from './node.ts'
import { nameOfStored, writeNode } from './node-bytes.ts'
import { type Child, endsPage, parsePage, type TreeSink, type TreeSource, UpperPages } from './pages.ts'
import { StoredNodes } from './stored-nodes.ts'

/** Writes one directory: nodes in order of their names' bytes, each name once. */
export interface DirectoryWriter {
  add(node: Node): void
  /** Store what is open. @returns the id that a directory node keeps */
  finish(): ChunkId
}

export function createDirectoryWriter(sink: TreeSink): DirectoryWriter {
  const pages = new DirectoryPages(sink)
  const writer = new ValueWriter()
  let last: RawName | undefined
  return {
    add(node) {
      if (last !== undefined && compareNames(last, node.name) >= 0) throw new Error('nodes are not in order')
      last = node.name
      writer.length = 0
      const { weight, isBoundary } = writeNode(writer, node)
      pages.add(writer.bytes, 0, writer.length, weight, isBoundary)
    },
    finish: () => pages.finish(),
  }
}

/** Bytes before a page's nodes: the array of two, level 0, and the longest head of an array. */
const PAGE_HEAD_BYTES = 7

/** Writes the pages of one directory from nodes in their stored form, given in order. */
export class DirectoryPages {
  private readonly sink: TreeSink
  private upper: UpperPages
  private readonly page = new ValueWriter()
  private count = 0
  private weight = 0
  private lastStart = 0

  constructor(sink: TreeSink) {
    this.sink = sink
    this.upper = this.startUpper()
    this.page.length = PAGE_HEAD_BYTES
  }

  /** Copies bytes[start, end), one node. `weight` and `isBoundary` as `writeNode` gave them. */
  add(bytes: Buffer, start: number, end: number, weight: number, isBoundary: boolean): void {
    this.lastStart = this.page.length
    this.page.rawRange(bytes, start, end)
    this.weight += weight
    if (endsPage(++this.count, this.weight, isBoundary)) this.closePage()
  }

  /** Store what is open; the next directory may follow. @returns the id that a directory node keeps */
  finish(): ChunkId {
    if (this.count > 0 || this.upper.isEmpty) this.closePage()
    const { id } = this.upper.finish()
    this.upper = this.startUpper()
    return id
  }

  private startUpper(): UpperPages {
    return new UpperPages(this.sink, (children) => children.map((child): Value => [child.lastKey, child.id]))
  }

  private closePage(): void {
    const { page, count } = this
    const { bytes } = page
    const start = PAGE_HEAD_BYTES - 2 - (count < 0x10 ? 1 : 3)
    bytes[start] = 0x92
    bytes[start + 1] = 0
    if (count < 0x10) bytes[start + 2] = 0x90 | count
    else {
      bytes[start + 2] = 0xdc
      bytes.writeUInt16BE(count, start + 3)
    }
    const id = this.sink.saveTree(Buffer.from(bytes.subarray(start, page.length)))
    const lastKey = count === 0 ? new Uint8Array(0) : Buffer.from(nameOfStored(bytes, this.lastStart))
    page.length = PAGE_HEAD_BYTES
    this.count = 0
    this.weight = 0
    this.upper.add(0, { lastKey, id })
  }
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
  let last: Buffer | undefined
  let passed: ChunkId[] = []
  async function* descend(id: ChunkId, expectedLevel: number | undefined): AsyncGenerator<DirectoryPage> {
    const bytes = source.readTreeNow?.(id) ?? (await source.readTree(id))
    const page = openDirectoryPage(bytes, expectedLevel, last)
    passed.push(id)
    if (page.children !== undefined) {
      for (const child of page.children) yield* descend(child.id, page.level - 1)
      return
    }
    const nodes: Node[] = []
    while (page.nodes.next()) nodes.push(page.nodes.decode())
    if (nodes.length > 0) last = page.nodes.nameBytes()
    const pageIds = passed
    passed = []
    yield { nodes, pageIds }
  }
  yield* descend(tree, undefined)
}

/** The node of this name, reading one page a level; undefined when there is none. */
export async function findInDirectory(
  source: TreeSource,
  tree: ChunkId,
  name: RawName,
): Promise<Node | undefined> {
  const wanted = nameBytes(name)
  let id = tree
  let level: number | undefined
  for (;;) {
    const page = openDirectoryPage(source.readTreeNow?.(id) ?? (await source.readTree(id)), level)
    if (page.children === undefined) return findNodeOf(page.nodes, wanted)
    const child = page.children.find((one) => Buffer.compare(one.lastKey, wanted) >= 0)
    if (child === undefined) return undefined
    id = child.id
    level = page.level - 1
  }
}

function findNodeOf(nodes: StoredNodes, name: Uint8Array): Node | undefined {
  let found: Node | undefined
  // To the end, so that nothing is taken from a page that is not whole.
  while (nodes.next()) if (nodes.compareNameTo(name) === 0) found = nodes.decode()
  return found
}

/** A page of a directory: nodes at level 0, to be stepped through; pages one level down above it. */
export type OpenedPage =
  | { readonly level: number; readonly children: readonly Child[] }
  | { readonly level: 0; readonly children: undefined; readonly nodes: StoredNodes }

/**
 * Open a page of a directory. Nodes are checked as they are stepped to.
 *
 * @param bytes borrowed as long as the nodes are used
 * @param expectedLevel level the page must have; undefined for a root
 * @param after a name that all names of the page must come after
 * @throws HoldfastError DAMAGED
 */
export function openDirectoryPage(
  bytes: Uint8Array,
  expectedLevel: number | undefined,
  after?: Uint8Array,
): OpenedPage {
  const isLeaf = bytes[0] === 0x92 && bytes[1] === 0 && (expectedLevel ?? 0) === 0
  const page = isLeaf ? undefined : parsePage(bytes, expectedLevel)
  if (page !== undefined && page.level > 0) return { level: page.level, children: parseChildren(page.body) }
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const nodes = new StoredNodes(buffer, after)
  if (nodes.left === 0 && expectedLevel !== undefined)
    throw new HoldfastError('DAMAGED', 'a page below an index page is empty')
  return { level: 0, children: undefined, nodes }
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
