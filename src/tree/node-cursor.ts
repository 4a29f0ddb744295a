import { type ChunkId, chunkId, decodeValue, ID_BYTES, type RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { parseDirectoryPage } from './directory.ts'
import { type ContentRef, type Node, type NodeType, nodeTypes, parseNode, safeName } from './node.ts'
import type { Child } from './pages.ts'

const typeByNumber: readonly (NodeType | undefined)[] = [
  undefined,
  ...(Object.keys(nodeTypes) as NodeType[]).sort((left, right) => nodeTypes[left] - nodeTypes[right]),
]
/** Fields of a file's node that stand before its list of chunks. */
const FIELDS_BEFORE_CONTENT = 17
const FILE_FIELDS = 19
/** A byte string of one id: its type, its length, 32 bytes. */
const ID_FIELD_BYTES = 2 + ID_BYTES

/** A page of a directory that was opened: pages one level down, or nodes to be stepped through. */
export type OpenedPage =
  | { readonly level: number; readonly children: readonly Child[] }
  | { readonly level: 0; readonly children: undefined; readonly nodes: NodeCursor }

/**
 * Open a page without decoding its nodes. Where a page is only looked through, as `find` and `diff` do, this costs
 * a small part of `readDirectory`.
 *
 * @param bytes borrowed as long as the cursor is used
 * @throws HoldfastError DAMAGED
 */
export function openDirectoryPage(bytes: Uint8Array, expectedLevel: number | undefined): OpenedPage {
  // A leaf page is an array of two: the level 0, and the array of its nodes.
  if (bytes[0] !== 0x92 || bytes[1] !== 0) {
    const page = parseDirectoryPage(bytes, expectedLevel)
    if (page.children === undefined) throw damaged('a page of nodes is not in its shortest form')
    return page
  }
  if (expectedLevel !== undefined && expectedLevel !== 0) {
    throw damaged(`a page has level 0, not ${expectedLevel}`)
  }
  return {
    level: 0,
    children: undefined,
    nodes: new NodeCursor(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
  }
}

/**
 * Steps through the nodes of a leaf page in place. Before the first `next` it stands on nothing. Lengths are checked
 * against the page as it goes; a node's fields are checked when it is decoded.
 */
export class NodeCursor {
  readonly bytes: Buffer
  /** Of the node it stands on: its first byte, and the one after its last. */
  start = 0
  end: number
  type: NodeType = 'file'
  nameStart = 0
  nameEnd = 0
  private contentStart = 0
  private left: number

  /** @throws HoldfastError DAMAGED */
  constructor(bytes: Buffer) {
    this.bytes = bytes
    const [count, at] = this.arrayHead(2)
    this.left = count
    this.end = at
  }

  /** Go to the next node. @returns false when there is none @throws HoldfastError DAMAGED */
  next(): boolean {
    if (this.left === 0) {
      if (this.end !== this.bytes.length) throw damaged('bytes follow the end of a page')
      return false
    }
    this.left--
    const { bytes } = this
    this.start = this.end
    const [fields, typeAt] = this.arrayHead(this.start)
    const type = typeByNumber[bytes[typeAt] ?? 0]
    // Then the name: a byte string of at most 255 bytes.
    if (type === undefined || fields < 3 || bytes[typeAt + 1] !== 0xc4)
      throw damaged('a node has no type or name')
    this.type = type
    this.nameStart = typeAt + 3
    this.nameEnd = this.nameStart + (bytes[typeAt + 2] ?? 0)
    if (type === 'file') {
      if (fields !== FILE_FIELDS) throw damaged(`a file's node has ${fields} fields`)
      this.contentStart = skipValues(bytes, this.nameEnd, FIELDS_BEFORE_CONTENT - 2)
      this.end = skipValues(bytes, this.contentStart, FILE_FIELDS - FIELDS_BEFORE_CONTENT)
    } else this.end = skipValues(bytes, this.nameEnd, fields - 2)
    return true
  }

  /** @throws HoldfastError DAMAGED for a name that no file can have */
  name(): RawName {
    return safeName(this.bytes.subarray(this.nameStart, this.nameEnd))
  }

  /** The name for looking at only: bytes that are no UTF-8 have become U+FFFD. */
  nameText(): string {
    return this.bytes.toString('utf8', this.nameStart, this.nameEnd)
  }

  /** The node itself; it lives as long as the page. @throws HoldfastError DAMAGED */
  node(): Node {
    return parseNode(decodeValue(this.bytes.subarray(this.start, this.end)))
  }

  /** What a folder's node keeps of what is in it: its last field. A view. @throws HoldfastError DAMAGED */
  tree(): ChunkId {
    const at = this.end - ID_FIELD_BYTES
    if (this.bytes[at] !== 0xc4 || this.bytes[at + 1] !== ID_BYTES || at < this.nameEnd) {
      throw damaged("a folder's node has no tree")
    }
    return chunkId(this.bytes.subarray(at + 2, this.end))
  }

  /** A file's list of chunks: its last two fields. A view. @throws HoldfastError DAMAGED */
  content(): ContentRef {
    const { bytes, contentStart } = this
    const depth = bytes[contentStart] ?? 0
    const isLong = bytes[contentStart + 1] === 0xc5
    if (depth > 0x7f || (!isLong && bytes[contentStart + 1] !== 0xc4))
      throw damaged('a file has no list of chunks')
    const ids = bytes.subarray(contentStart + (isLong ? 4 : 3), this.end)
    if (ids.length % ID_BYTES !== 0 || (depth > 0 && ids.length !== ID_BYTES)) {
      throw damaged("a file's chunk list is cut")
    }
    return { depth, ids }
  }

  /** True when the nodes are the same, byte for byte. */
  isSame(other: NodeCursor): boolean {
    return isSameRange(this, this.end, other, other.end)
  }

  /** Of two files: true when all but the lists of chunks is the same. */
  isSameButContent(other: NodeCursor): boolean {
    return isSameRange(this, this.contentStart, other, other.contentStart)
  }

  /** In order of the names' bytes: negative, zero or positive. */
  compareName(other: NodeCursor): number {
    return this.bytes.compare(other.bytes, other.nameStart, other.nameEnd, this.nameStart, this.nameEnd)
  }

  compareNameTo(name: Uint8Array): number {
    return this.bytes.compare(name, 0, name.length, this.nameStart, this.nameEnd)
  }

  private arrayHead(at: number): readonly [count: number, next: number] {
    const head = this.bytes[at] ?? 0
    if (head >= 0x90 && head <= 0x9f) return [head & 0x0f, at + 1]
    if (head === 0xdc && at + 3 <= this.bytes.length) return [this.bytes.readUInt16BE(at + 1), at + 3]
    if (head === 0xdd && at + 5 <= this.bytes.length) return [this.bytes.readUInt32BE(at + 1), at + 5]
    throw damaged('a page has no nodes')
  }
}

function isSameRange(left: NodeCursor, leftEnd: number, right: NodeCursor, rightEnd: number): boolean {
  if (leftEnd - left.start !== rightEnd - right.start) return false
  return left.bytes.compare(right.bytes, right.start, rightEnd, left.start, leftEnd) === 0
}

/** The place after so many values. @throws HoldfastError DAMAGED */
function skipValues(bytes: Buffer, from: number, count: number): number {
  let at = from
  let left = count
  while (left > 0) {
    if (at >= bytes.length) throw damaged('a node ends early')
    left--
    const head = bytes[at++]!
    if (head < 0x80 || head >= 0xe0) continue
    if (head >= 0x90 && head < 0xa0) left += head & 0x0f
    else if (head >= 0xa0 && head < 0xc0) at += head & 0x1f
    else {
      const form = forms[head - 0x80]!
      if (form === NOT_ALLOWED || at + (form & SIZE) > bytes.length) throw damaged('a node cannot be read')
      if ((form & (COUNTED | NESTED)) === 0) at += form & SIZE
      else {
        let length = 0
        for (const end = at + (form & SIZE); at < end; at++) length = length * 256 + bytes[at]!
        if (form & NESTED) left += length
        else at += length
      }
    }
  }
  if (at > bytes.length) throw damaged('a node ends early')
  return at
}

const SIZE = 0x0f
const COUNTED = 0x10
const NESTED = 0x20
const NOT_ALLOWED = 0xff
/** By type byte from 0x80: the bytes that follow it, and whether they are a length or a count (docs/format.md, "Values"). */
const forms = new Uint8Array(0x80).fill(NOT_ALLOWED)
for (const [head, form] of [
  [0xc0, 0],
  [0xc2, 0],
  [0xc3, 0],
  [0xc4, COUNTED | 1],
  [0xc5, COUNTED | 2],
  [0xc6, COUNTED | 4],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
  [0xd9, COUNTED | 1],
  [0xda, COUNTED | 2],
  [0xdb, COUNTED | 4],
  [0xdc, NESTED | 2],
  [0xdd, NESTED | 4],
] as const) {
  forms[head - 0x80] = form
}

function damaged(problem: string): HoldfastError {
  return new HoldfastError('DAMAGED', problem)
}
