import { type ChunkId, decodeValue, ID_BYTES } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import {
  fieldCounts,
  INLINE_IDS,
  MAXIMUM_CONTENT_DEPTH,
  MAXIMUM_NAME_BYTES,
  type Node,
  type NodeType,
  nodeTypes,
  parseNode,
} from './node.ts'
import { boundaryHash, isBoundary } from './pages.ts'

const typesByNumber: (NodeType | undefined)[] = []
for (const [type, number] of Object.entries(nodeTypes)) typesByNumber[number] = type as NodeType

/**
 * Steps through the nodes of a directory page without decoding them: one object shows one node after the other.
 * Whatever `parseNode` refuses is refused here.
 */
export class StoredNodes {
  readonly page: Buffer
  private remaining: number
  private at: number
  private lastName: string | undefined
  /** The node shown is page[start, end). */
  start = 0
  end = 0
  type: NodeType = 'file'
  /** Its name's bytes, one character each: the order of these texts is that of the names. */
  name = ''
  weight = 0
  /** Of a directory: where the id of its tree lies. */
  treeAt = -1
  /** Of a file; 0n, false and -1 for others. */
  mtimeNs = 0n
  ctimeNs = 0n
  inode = 0n
  sizeBytes = 0n
  isRacy = false
  racyAt = -1
  depth = 0
  idsStart = 0
  idsEnd = 0

  /** @param page a leaf page of a directory: level and array's head are checked @throws HoldfastError DAMAGED */
  constructor(page: Buffer) {
    this.page = page
    const head = page[2] ?? 0
    const isShort = (head & 0xf0) === 0x90
    if (page[0] !== 0x92 || page[1] !== 0 || (!isShort && head !== 0xdc) || page.length < 5 - 2 * +isShort) {
      throw invalid('a page has no nodes')
    }
    this.remaining = isShort ? head & 0x0f : page.readUInt16BE(3)
    this.at = isShort ? 3 : 5
    if (this.remaining === 0) this.checkEnd()
  }

  /** Show the next node; false at the end. @throws HoldfastError DAMAGED */
  next(): boolean {
    if (this.remaining === 0) return false
    this.remaining--
    try {
      this.read()
    } catch (error) {
      // Past the end of the page.
      if (error instanceof RangeError) throw invalid('a page ends early')
      throw error
    }
    if (this.lastName !== undefined && this.lastName >= this.name) {
      throw invalid("a directory's nodes are not in order")
    }
    this.lastName = this.name
    if (this.remaining === 0) this.checkEnd()
    return true
  }

  /** Nodes that `next` has still to show. */
  get left(): number {
    return this.remaining
  }

  /** A page may end after the node shown. */
  get isBoundary(): boolean {
    const { page, start } = this
    const nameAt = start + (page[start] === 0xdc ? 3 : 1) + 3
    return isBoundary(boundaryHash(page, 0, nameAt, nameAt + this.name.length))
  }

  /** The node shown, decoded. Its byte strings are views. */
  decode(): Node {
    return parseNode(decodeValue(this.page.subarray(this.start, this.end)))
  }

  /** One id of a file's list; a view. */
  idAt(offset: number): ChunkId {
    return this.page.subarray(offset, offset + ID_BYTES) as Uint8Array as ChunkId
  }

  private read(): void {
    const { page } = this
    this.start = this.at
    const count = this.arrayHead()
    const type = typesByNumber[this.uint(7)]
    if (type === undefined || count !== fieldCounts[type]) throw invalid('a node has no known type')
    this.type = type
    this.readName()
    this.uint(0o7777)
    this.uint()
    this.uint()
    this.text()
    this.text()
    this.mtimeNs = this.bigint()
    this.ctimeNs = this.bigint()
    this.optionalBigint()
    this.weight = 256
    // An attribute or a hole is rare: what has any is checked by the one who decodes.
    const attributes = this.arrayHead()
    const isPlain = attributes === 0
    for (let index = 0; index < attributes; index++) {
      if (this.arrayHead() !== 2) throw invalid('an attribute has a name and a value')
      this.weight += this.bin() + this.bin()
    }
    this.treeAt = -1
    this.racyAt = -1
    if (type === 'directory') {
      this.expectIds(this.bin(), 1, 1)
      this.treeAt = this.at - ID_BYTES
    } else {
      this.inode = this.bigint()
      if (this.inode < 0n) throw invalid('an inode is negative')
      this.uint()
      if (this.optionalBigint() < 0n) throw invalid("a file system's number is negative")
    }
    let holes = 0
    if (type === 'file') {
      this.sizeBytes = this.bigint()
      this.racyAt = this.at
      const racy = page.readUInt8(this.at++)
      if ((racy & 0xfe) !== 0xc2) throw invalid('a flag is no flag')
      this.isRacy = racy === 0xc3
      holes = this.arrayHead()
      for (let index = 0; index < holes; index++) this.bigint()
      this.depth = this.uint(MAXIMUM_CONTENT_DEPTH)
      const idsBytes = this.bin()
      this.expectIds(idsBytes, this.depth > 0 ? 1 : 0, this.depth > 0 ? 1 : INLINE_IDS)
      this.idsEnd = this.at
      this.idsStart = this.at - idsBytes
      this.weight += idsBytes + (holes / 2) * 18
    } else if (type === 'symlink') this.weight += this.bin()
    else if (type === 'character' || type === 'block') {
      this.uint()
      this.uint()
    }
    this.end = this.at
    if (this.end > page.length) throw invalid('a page ends early')
    if (!isPlain || holes > 0 || (type === 'file' && this.sizeBytes < 0n)) this.decode()
  }

  private readName(): void {
    const { page } = this
    const lengthBytes = this.bin()
    const start = this.at - lengthBytes
    const name = page.toString('latin1', start, this.at)
    if (lengthBytes === 0 || lengthBytes > MAXIMUM_NAME_BYTES || lengthBytes !== name.length) {
      throw invalid('a node has a name that no file can have')
    }
    if (name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
      throw invalid('a node has a name that no file can have')
    }
    this.name = name
  }

  private expectIds(lengthBytes: number, least: number, most: number): void {
    const count = lengthBytes / ID_BYTES
    if (!Number.isInteger(count) || count < least || count > most) throw invalid('a list of ids is cut')
  }

  private checkEnd(): void {
    if (this.at !== this.page.length) throw invalid('bytes follow the end of a page')
  }

  private arrayHead(): number {
    const head = this.page.readUInt8(this.at++)
    if ((head & 0xf0) === 0x90) return head & 0x0f
    if (head === 0xdc) {
      this.at += 2
      return this.page.readUInt16BE(this.at - 2)
    }
    if (head !== 0xdd) throw invalid('an array is none')
    this.at += 4
    return this.page.readUInt32BE(this.at - 4)
  }

  private uint(maximum = 0xffffffff): number {
    const { page } = this
    const head = page.readUInt8(this.at++)
    let value = head
    if (head === 0xcc) value = page.readUInt8(this.at++)
    else if (head === 0xcd) {
      value = page.readUInt16BE(this.at)
      this.at += 2
    } else if (head === 0xce) {
      value = page.readUInt32BE(this.at)
      this.at += 4
    } else if (head >= 0x80) throw invalid('a number is none')
    if (value > maximum) throw invalid('a number is too large')
    return value
  }

  private bigint(): bigint {
    const { page } = this
    const head = page.readUInt8(this.at)
    const at = this.at + 1
    this.at += 9
    if (head === 0xd3) return page.readBigInt64BE(at)
    if (head === 0xcf) return page.readBigUInt64BE(at)
    throw invalid('a 64-bit number is none')
  }

  private optionalBigint(): bigint {
    if (this.page[this.at] !== 0xc0) return this.bigint()
    this.at++
    return 0n
  }

  /** Skips a byte string. @returns its length */
  private bin(): number {
    const { page } = this
    const head = page.readUInt8(this.at++)
    let length: number
    if (head === 0xc4) length = page.readUInt8(this.at++)
    else if (head === 0xc5) {
      length = page.readUInt16BE(this.at)
      this.at += 2
    } else if (head === 0xc6) {
      length = page.readUInt32BE(this.at)
      this.at += 4
    } else throw invalid('a byte string is none')
    this.at += length
    return length
  }

  private text(): void {
    const { page } = this
    const head = page.readUInt8(this.at++)
    let length: number
    if ((head & 0xe0) === 0xa0) length = head & 0x1f
    else if (head === 0xd9) length = page.readUInt8(this.at++)
    else if (head === 0xda) {
      length = page.readUInt16BE(this.at)
      this.at += 2
    } else throw invalid('a text is none')
    this.at += length
    const isPlain = length === 0 || !/[\x80-\xff]/.test(page.toString('latin1', this.at - length, this.at))
    if (!isPlain) decodeValue(page.subarray(this.at - length - (head < 0xc0 ? 1 : head - 0xd7), this.at))
  }
}

function invalid(problem: string): HoldfastError {
  return new HoldfastError('DAMAGED', problem)
}
