import fc from 'fast-check'
import { chunkId, compareNames, nameBytes, nameFromBytes, type RawName } from '../../../src/encoding/index.ts'
import type { DirectoryNode, FileNode, Node, PipeNode } from '../../../src/tree/index.ts'

const common = {
  mode: 0o644,
  uid: 1000,
  gid: 1000,
  user: 'alice',
  group: 'users',
  mtimeNs: 1_700_000_000_123_456_789n,
  ctimeNs: 1_700_000_001_123_456_789n,
  atimeNs: null,
  xattrs: [],
} as const
const inode = { inode: 42n, links: 1, fileSystem: null } as const

export function fileNode(name: RawName, change: Partial<FileNode> = {}): FileNode {
  const content = { depth: 0, ids: new Uint8Array(0) }
  return {
    type: 'file',
    name,
    ...common,
    ...inode,
    sizeBytes: 0n,
    racy: false,
    holes: [],
    content,
    ...change,
  }
}

export function directoryNode(name: RawName, tree: Uint8Array): DirectoryNode {
  return { type: 'directory', name, ...common, mode: 0o755, tree: chunkId(tree) }
}

export function fifoNode(name: RawName): PipeNode {
  return { type: 'fifo', name, ...common, ...inode }
}

/** Names as a directory can hold them, valid UTF-8 or not. */
export const anyNodeName: fc.Arbitrary<RawName> = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 20 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map((text) => Buffer.from(text)),
    fc
      .constantFrom('...', '.a', ' ', '\n', '\u{1f600}', '\uffff', '~', 'con')
      .map((text) => Buffer.from(text)),
    fc.uint8Array({ minLength: 255, maxLength: 255 }),
  )
  .map((bytes) =>
    nameFromBytes(Uint8Array.from(bytes, (byte) => (byte === 0 || byte === 0x2f ? 0x5f : byte))),
  )
  .filter((name) => name !== '.' && name !== '..')

const uint32 = fc.integer({ min: 0, max: 0xffffffff })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const shortText = fc.string({ unit: 'binary', maxLength: 12 })
const bytes = fc.uint8Array({ maxLength: 40 })

const anyCommon = fc.record({
  name: anyNodeName,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: uint32,
  gid: uint32,
  user: shortText,
  group: shortText,
  mtimeNs: int64,
  ctimeNs: int64,
  atimeNs: fc.option(int64),
  xattrs: fc.array(fc.tuple(bytes, bytes), { maxLength: 4 }),
})
const anyInode = fc.record({ inode: uint64, links: uint32, fileSystem: fc.option(uint64) })

const anyHoles = fc
  .array(fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 40n }), fc.bigInt({ min: 1n, max: 2n ** 40n })), {
    maxLength: 5,
  })
  .map((gaps) => {
    let end = 0n
    return gaps.map(([gap, length]) => {
      const offset = end + gap
      end = offset + length
      return [offset, length] as const
    })
  })

const anyContent = fc.oneof(
  fc
    .nat(8)
    .chain((count) =>
      fc.uint8Array({ minLength: count * 32, maxLength: count * 32 }).map((ids) => ({ depth: 0, ids })),
    ),
  fc.record({ depth: fc.integer({ min: 1, max: 6 }), ids: fc.uint8Array({ minLength: 32, maxLength: 32 }) }),
)

const anyFile: fc.Arbitrary<Node> = fc
  .tuple(anyCommon, anyInode, fc.boolean(), anyHoles, anyContent, fc.bigInt({ min: 0n, max: 2n ** 50n }))
  .map(([fields, inodeFields, racy, holes, content, more]) => {
    const last = holes.at(-1)
    const sizeBytes = (last === undefined ? 0n : last[0] + last[1]) + more
    return { type: 'file', ...fields, ...inodeFields, sizeBytes, racy, holes, content }
  })

/** Any node of any type that a tree can hold. */
export const anyNode: fc.Arbitrary<Node> = fc.oneof(
  anyFile,
  fc
    .tuple(anyCommon, fc.uint8Array({ minLength: 32, maxLength: 32 }))
    .map(([fields, tree]): Node => ({ type: 'directory', ...fields, tree: chunkId(tree) })),
  fc
    .tuple(anyCommon, anyInode, fc.uint8Array({ maxLength: 300 }))
    .map(([fields, inodeFields, target]): Node => ({ type: 'symlink', ...fields, ...inodeFields, target })),
  fc.tuple(fc.constantFrom('character' as const, 'block' as const), anyCommon, anyInode, uint32, uint32).map(
    ([type, fields, inodeFields, major, minor]): Node => ({
      type,
      ...fields,
      ...inodeFields,
      major,
      minor,
    }),
  ),
  fc
    .tuple(fc.constantFrom('fifo' as const, 'socket' as const), anyCommon, anyInode)
    .map(([type, fields, inodeFields]): Node => ({ type, ...fields, ...inodeFields })),
)

/** Nodes in the order of a directory, each name once. */
export function sortNodes(nodes: readonly Node[]): Node[] {
  const byName = new Map(nodes.map((node) => [nameBytes(node.name).toString('hex'), node]))
  return [...byName.values()].sort((left, right) => compareNames(left.name, right.name))
}

/** A node in a form that `toEqual` compares by content: bytes as hex, whatever class they have. */
export function plainNode(node: Node): unknown {
  const convert = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return `hex ${Buffer.from(value).toString('hex')}`
    if (Array.isArray(value)) return value.map(convert)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, convert(one)]))
  }
  return convert(node)
}
