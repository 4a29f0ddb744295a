import { describe, expect, test } from 'vitest'
import { decodeValue, encodeValue, nameBytes, type Value } from '../../../src/encoding/index.ts'
import {
  boundedTime,
  boundedXattrs,
  type Node,
  nodeTypes,
  nodeValue,
  parseNode,
} from '../../../src/tree/index.ts'
import { directoryNode, fifoNode, fileNode, plainNode } from './nodes.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })
const { mode, uid, gid, user, group, mtimeNs, ctimeNs, atimeNs, xattrs, inode, links, fileSystem } =
  fifoNode('x')
const common = { mode, uid, gid, user, group, mtimeNs, ctimeNs, atimeNs, xattrs }
const linked = { ...common, inode, links, fileSystem }

const samples: Node[] = [
  fileNode('file', {
    sizeBytes: 5000n,
    holes: [
      [0n, 10n],
      [10n, 20n],
      [4999n, 1n],
    ],
    content: { depth: 0, ids: Buffer.alloc(64, 1) },
  }),
  directoryNode('directory', Buffer.alloc(32, 2)),
  { type: 'symlink', name: 'symlink', ...linked, target: Buffer.from('../../etc/passwd') },
  fifoNode('fifo'),
  { type: 'character', name: 'character', ...linked, major: 1, minor: 3 },
  { type: 'block', name: 'block', ...linked, major: 0xffffffff, minor: 0xffffffff },
  { type: 'socket', name: 'socket', ...linked },
]

test('there is a sample of every type, and the numbers never change', () => {
  expect(samples.map((node) => node.type)).toEqual(Object.keys(nodeTypes))
  expect(nodeTypes).toEqual({ file: 1, directory: 2, symlink: 3, fifo: 4, character: 5, block: 6, socket: 7 })
})

test.each(samples)('a $type comes back through its stored form', (node) => {
  const stored = encodeValue(nodeValue(node))
  const back = parseNode(decodeValue(stored))
  expect(plainNode(back)).toEqual(plainNode(node))
  expect(encodeValue(nodeValue(back)).equals(stored)).toBe(true)
})

test('the stored form of a file, byte for byte', () => {
  const stored = encodeValue(
    nodeValue(fileNode('a', { sizeBytes: 3n, content: { depth: 0, ids: Buffer.alloc(32) } })),
  )
  const hex = [
    'dc0013', // 19 fields
    '01 c40161 cd01a4 cd03e8 cd03e8', // type, name, mode, uid, gid
    'a5616c696365 a57573657273', // user, group
    'd317979cfe3d85cd15 d317979cfe79209715', // mtime, ctime
    'c0 90', // atime, xattrs
    'd3000000000000002a 01 c0', // inode, links, file system
    'd30000000000000003 c2 90 00', // size, racy, holes, depth
    `c420${'00'.repeat(32)}`, // ids
  ].join('')
  expect(stored.toString('hex')).toBe(hex.replaceAll(' ', ''))
})

/** The stored fields of a sample with one of them changed. */
function withField(type: Node['type'], index: number, value: Value): Value {
  const fields = [...(nodeValue(samples.find((node) => node.type === type)!) as readonly Value[])]
  fields[index] = value
  return decodeValue(encodeValue(fields))
}

describe('a name that no file can have is refused', () => {
  test.each(['', '.', '..', '/', 'a/b', '/etc', '../x', 'a/', 'a\0', '\0', 'x'.repeat(256)])('%j', (name) => {
    for (const { type } of samples) {
      expect(() => parseNode(withField(type, 1, Buffer.from(name)))).toThrow(damaged)
    }
  })

  test.each(['2fff', 'ff2f', 'ff00', 'ff'.repeat(256)])('bytes %s', (hex) => {
    expect(() => parseNode(withField('file', 1, Buffer.from(hex, 'hex')))).toThrow(damaged)
  })

  test('names that only look dangerous are taken', () => {
    for (const name of ['...', '. ', '..a', '-rf', '\n', '\\', '\u2215', 'ä', 'x'.repeat(255)]) {
      expect(parseNode(withField('file', 1, Buffer.from(name))).name).toBe(name)
    }
    const raw = parseNode(withField('file', 1, Buffer.from('c0af', 'hex'))).name
    expect(nameBytes(raw).toString('hex')).toBe('c0af')
    expect(() => parseNode(withField('file', 1, 'text'))).toThrow(damaged)
  })
})

const big = 2n ** 64n - 1n
test.each<[Node['type'], number, string, Value[]]>([
  ['file', 0, 'type', [0, 8, -1, '1', null, 1n]],
  ['file', 2, 'mode', [-1, 0o10000, 0o100644, '0644', null]],
  ['file', 3, 'uid', [-1, 1n, null]],
  ['file', 4, 'gid', [-1, 1n, null]],
  ['file', 5, 'user', [null, Buffer.from('a'), 'x'.repeat(5000)]],
  ['file', 6, 'group', [null, Buffer.from('a'), 'x'.repeat(5000)]],
  ['file', 7, 'mtime', [0, null]],
  ['file', 8, 'ctime', [0, null]],
  ['file', 9, 'atime', [0, false]],
  [
    'file',
    10,
    'xattrs',
    [null, [1], [[Buffer.from('a')]], [[Buffer.from('a'), 'text']], [['a', Buffer.from('b')]]],
  ],
  ['file', 11, 'inode', [1, -1n, null]],
  ['file', 12, 'links', [-1, 1n, null]],
  ['file', 13, 'file system', [1, -1n, false]],
  ['file', 14, 'size', [1, -1n, null, 4999n]],
  ['file', 15, 'racy', [0, 1, null]],
  ['file', 17, 'depth', [-1, 7, 1, null]],
  ['file', 18, 'ids', [Buffer.alloc(31), Buffer.alloc(33), Buffer.alloc(9 * 32), 'text', null]],
  ['directory', 11, 'tree', [Buffer.alloc(0), Buffer.alloc(31), Buffer.alloc(33), null, 'x'.repeat(32)]],
  ['symlink', 14, 'target', [null, 'text', Buffer.alloc(65_537)]],
  ['character', 14, 'major', [-1, 1n, null]],
  ['block', 15, 'minor', [-1, 1n, null]],
])('a %s with a wrong field %i (%s) is refused', (type, index, _, values) => {
  for (const value of values) expect(() => parseNode(withField(type, index, value))).toThrow(damaged)
})

test('holes are in order, apart, not empty and inside the file', () => {
  const parse = (...holes: Value[]): Node => parseNode(withField('file', 16, holes))
  for (const holes of [[], [0n, 5000n], [0n, 1n, 1n, 1n], [4999n, 1n]]) {
    expect(parse(...holes).type).toBe('file')
  }
  for (const holes of [
    [0n],
    [0n, 1n, 5n],
    [0n, 0n],
    [10n, -1n],
    [-1n, 5n],
    [10n, 5n, 0n, 5n],
    [10n, 5n, 14n, 5n],
    [10n, 5n, 10n, 5n],
    [5000n, 1n],
    [4999n, 2n],
    [0n, big],
    [big, big],
    [0, 1],
    [null, null],
  ]) {
    expect(() => parse(...holes)).toThrow(damaged)
  }
  expect(() => parseNode(withField('file', 16, null))).toThrow(damaged)
})

test('a content tree has exactly one root id', () => {
  const withContent = (depth: number, bytes: number): Node => {
    const fields = [...(nodeValue(samples[0]!) as readonly Value[])]
    fields[17] = depth
    fields[18] = Buffer.alloc(bytes)
    return parseNode(fields)
  }
  expect(withContent(1, 32).type).toBe('file')
  expect(withContent(6, 32).type).toBe('file')
  expect(withContent(0, 8 * 32).type).toBe('file')
  for (const bytes of [0, 64]) expect(() => withContent(1, bytes)).toThrow(damaged)
})

test('a node has the fields of its type, no fewer and no more', () => {
  for (const node of samples) {
    const fields = nodeValue(node) as readonly Value[]
    expect(() => parseNode(fields.slice(0, -1))).toThrow(damaged)
    expect(() => parseNode([...fields, null])).toThrow(damaged)
    for (const other of samples) {
      const changed = [nodeTypes[other.type], ...fields.slice(1)]
      const counts = [node, other].map((one) => (nodeValue(one) as readonly Value[]).length)
      if (counts[0] !== counts[1]) expect(() => parseNode(changed)).toThrow(damaged)
    }
  }
})

test.each([[null], [1], ['file'], [Buffer.from([1])], [[]], [[[1]]]])('%j is no node', (value) => {
  expect(() => parseNode(value as Value)).toThrow(damaged)
})

test('extended attributes are bounded in sum, on both sides', () => {
  const attribute = (bytes: number): [Buffer, Buffer] => [Buffer.from('user.a'), Buffer.alloc(bytes)]
  const limit = 8 * 1024 * 1024
  const within = [attribute(limit - 12 - 100), attribute(100)]
  const beyond = [attribute(limit - 12 - 100), attribute(101)]
  expect(boundedXattrs(within)).toBe(within)
  expect(boundedXattrs(beyond)).toBeUndefined()
  expect(parseNode(withField('file', 10, within)).xattrs.length).toBe(2)
  expect(() => parseNode(withField('file', 10, beyond))).toThrow(damaged)
  expect(boundedXattrs([])).toEqual([])
})

test('boundedXattrs() gives undefined for one value that is too large, as its contract says', () => {
  expect(boundedXattrs([[Buffer.from('user.a'), Buffer.alloc(8 * 1024 * 1024 + 1)]])).toBeUndefined()
  expect(boundedXattrs([[Buffer.alloc(65_537), Buffer.alloc(1)]])).toBeUndefined()
})

test('times beyond 64 bits become the nearest that a node can keep', () => {
  for (const [time, kept] of [
    [-(2n ** 63n) - 1n, -(2n ** 63n)],
    [-1n, -1n],
    [2n ** 64n - 1n, 2n ** 64n - 1n],
    [2n ** 64n, 2n ** 64n - 1n],
  ] as const) {
    expect(boundedTime(time)).toBe(kept)
    const node = fileNode('f', { mtimeNs: kept })
    expect(parseNode(decodeValue(encodeValue(nodeValue(node))))).toMatchObject({ mtimeNs: kept })
  }
})
