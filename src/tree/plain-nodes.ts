import { isUtf8 } from 'node:buffer'
import { type ChunkId, ID_BYTES, nameFromBytes, type RawName } from '../encoding/index.ts'
import {
  type ContentRef,
  INLINE_IDS,
  MAXIMUM_CONTENT_DEPTH,
  MAXIMUM_NAME_BYTES,
  type Node,
  type NodeType,
  nodeTypes,
  type Xattr,
} from './node.ts'

/**
 * The nodes of a leaf page, straight from its bytes: about three times as fast as decoding values and then making
 * nodes of them. Takes only what is certainly a valid page in its usual form.
 *
 * @returns undefined for any other page, which `decodeValue` and `parseNode` are to judge
 */
export function readPlainNodes(page: Uint8Array): Node[] | undefined {
  // An array of two: the level 0, and the array of the nodes.
  if (page[0] !== 0x92 || page[1] !== 0) return undefined
  bytes = Buffer.from(page.buffer, page.byteOffset, page.length)
  view = new DataView(page.buffer, page.byteOffset, page.length)
  at = 2
  try {
    const count = readCount()
    if (count > bytes.length) return undefined
    const nodes: Node[] = []
    for (let number = 0; number < count; number++) nodes.push(readNode())
    return at === bytes.length ? nodes : undefined
  } catch (error) {
    if (error === NOT_PLAIN || error instanceof RangeError) return undefined
    throw error
  } finally {
    bytes = NOTHING
  }
}

const NOT_PLAIN = new Error('a page in another form')
const NOTHING = Buffer.alloc(0)
const MAXIMUM_TARGET_BYTES = 65_536

// What is being read: nothing here waits, so there is one page at a time.
let bytes: Buffer = NOTHING
let view: DataView = new DataView(NOTHING.buffer, 0, 0)
let at = 0

/** By number. */
const types: readonly (NodeType | undefined)[] = [
  undefined,
  ...(Object.keys(nodeTypes) as NodeType[]).sort((left, right) => nodeTypes[left] - nodeTypes[right]),
]
const fieldCounts: Readonly<Record<NodeType, number>> = {
  file: 19,
  directory: 12,
  symlink: 15,
  character: 16,
  block: 16,
  fifo: 14,
  socket: 14,
}

function readNode(): Node {
  const count = readCount()
  const type = types[bytes[at++] ?? 0]
  if (type === undefined || count !== fieldCounts[type]) throw NOT_PLAIN
  const name = readName()
  const mode = readUint()
  if (mode > 0o7777) throw NOT_PLAIN
  const uid = readUint()
  const gid = readUint()
  const user = readText(users)
  const group = readText(groups)
  const mtimeNs = readBigint()
  const ctimeNs = readBigint()
  const atimeNs = isNull() ? null : readBigint()
  const xattrs = readXattrs()
  if (type === 'directory') {
    const tree = readBytes(ID_BYTES)
    if (tree.length !== ID_BYTES) throw NOT_PLAIN
    return {
      type,
      name,
      mode,
      uid,
      gid,
      user,
      group,
      mtimeNs,
      ctimeNs,
      atimeNs,
      xattrs,
      tree: tree as Uint8Array as ChunkId,
    }
  }
  const inode = readSize()
  const links = readUint()
  const fileSystem = isNull() ? null : readSize()
  const common = { name, mode, uid, gid, user, group, mtimeNs, ctimeNs, atimeNs, xattrs }
  if (type === 'file') {
    const sizeBytes = readSize()
    const racy = readBoolean()
    // Holes are rare, and have rules of their own.
    if (bytes[at++] !== 0x90) throw NOT_PLAIN
    const content = readContentRef()
    return {
      type,
      name,
      mode,
      uid,
      gid,
      user,
      group,
      mtimeNs,
      ctimeNs,
      atimeNs,
      xattrs,
      inode,
      links,
      fileSystem,
      sizeBytes,
      racy,
      holes: [],
      content,
    }
  }
  if (type === 'symlink') {
    return { type, ...common, inode, links, fileSystem, target: readBytes(MAXIMUM_TARGET_BYTES) }
  }
  if (type === 'character' || type === 'block') {
    return { type, ...common, inode, links, fileSystem, major: readUint(), minor: readUint() }
  }
  return { type, ...common, inode, links, fileSystem }
}

function readCount(): number {
  const head = bytes[at++]!
  if (head >= 0x90 && head <= 0x9f) return head & 0x0f
  if (head === 0xdc) return readUint16()
  throw NOT_PLAIN
}

function readUint16(): number {
  at += 2
  return view.getUint16(at - 2)
}

function readUint32(): number {
  at += 4
  return view.getUint32(at - 4)
}

function readUint(): number {
  const head = bytes[at++]!
  if (head < 0x80) return head
  if (head === 0xcc) return view.getUint8(at++)
  if (head === 0xcd) return readUint16()
  if (head === 0xce) return readUint32()
  throw NOT_PLAIN
}

function readBigint(): bigint {
  const head = bytes[at]
  at += 9
  if (head === 0xd3) return view.getBigInt64(at - 8)
  if (head === 0xcf) return view.getBigUint64(at - 8)
  throw NOT_PLAIN
}

function readSize(): bigint {
  const size = readBigint()
  if (size < 0n) throw NOT_PLAIN
  return size
}

function isNull(): boolean {
  if (bytes[at] !== 0xc0) return false
  at++
  return true
}

function readBoolean(): boolean {
  const head = bytes[at++]
  if (head !== 0xc2 && head !== 0xc3) throw NOT_PLAIN
  return head === 0xc3
}

/** A view. */
function readBytes(maximum: number): Buffer {
  const head = bytes[at++]
  let length: number
  if (head === 0xc4) length = view.getUint8(at++)
  else if (head === 0xc5) length = readUint16()
  else if (head === 0xc6) length = readUint32()
  else throw NOT_PLAIN
  if (length > maximum || at + length > bytes.length) throw NOT_PLAIN
  at += length
  return bytes.subarray(at - length, at)
}

function readName(): RawName {
  const length = bytes[at + 1]!
  const from = at + 2
  const end = from + length
  if (bytes[at] !== 0xc4 || !(length > 0 && length <= MAXIMUM_NAME_BYTES) || end > bytes.length)
    throw NOT_PLAIN
  at = end
  let isAscii = true
  for (let index = from; index < end; index++) {
    const byte = bytes[index]!
    if (byte === 0x2f || byte === 0) throw NOT_PLAIN
    if (byte >= 0x80) isAscii = false
  }
  if (bytes[from] === 0x2e && (length === 1 || (length === 2 && bytes[from + 1] === 0x2e))) throw NOT_PLAIN
  return isAscii ? bytes.toString('latin1', from, end) : nameFromBytes(bytes.subarray(from, end))
}

/** Names of owners come again and again: the last one of each kind is kept with its bytes. */
interface LastText {
  bytes: Uint8Array
  text: string
}
const users: LastText = { bytes: NOTHING, text: '' }
const groups: LastText = { bytes: NOTHING, text: '' }

function readText(last: LastText): string {
  const head = bytes[at++]!
  if (head < 0xa0 || head > 0xbf) throw NOT_PLAIN
  const length = head & 0x1f
  if (at + length > bytes.length) throw NOT_PLAIN
  if (last.bytes.length !== length || !isAtPlace(last.bytes)) {
    const own = Buffer.from(bytes.subarray(at, at + length))
    if (!isUtf8(own)) throw NOT_PLAIN
    last.bytes = own
    last.text = own.toString('utf8')
  }
  at += length
  return last.text
}

function isAtPlace(wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index++) if (bytes[at + index] !== wanted[index]) return false
  return true
}

const NO_XATTRS: readonly Xattr[] = []
/** Longer ones are left to the checks of their own. */
const MAXIMUM_PLAIN_XATTR_BYTES = 4096

function readXattrs(): readonly Xattr[] {
  const head = bytes[at++]!
  if (head === 0x90) return NO_XATTRS
  if (head < 0x90 || head > 0x9f) throw NOT_PLAIN
  return Array.from({ length: head & 0x0f }, (): Xattr => {
    if (bytes[at++] !== 0x92) throw NOT_PLAIN
    return [readBytes(MAXIMUM_PLAIN_XATTR_BYTES), readBytes(MAXIMUM_PLAIN_XATTR_BYTES)]
  })
}

function readContentRef(): ContentRef {
  const depth = bytes[at++]!
  if (!(depth <= MAXIMUM_CONTENT_DEPTH)) throw NOT_PLAIN
  const ids = readBytes(INLINE_IDS * ID_BYTES)
  if (ids.length % ID_BYTES !== 0 || (depth > 0 && ids.length !== ID_BYTES)) throw NOT_PLAIN
  return { depth, ids }
}
