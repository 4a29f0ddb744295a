import {
  type ChunkId,
  decodeValue,
  encodeValue,
  ID_BYTES,
  nameFromBytes,
  type RawName,
} from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { decodeStored } from './decode-stored.ts'
import {
  type ContentRef,
  fieldCounts,
  INLINE_IDS,
  MAXIMUM_CONTENT_DEPTH,
  MAXIMUM_NAME_BYTES,
  MAXIMUM_TARGET_BYTES,
  type Node,
  type NodeType,
  parseNode,
  typesByNumber,
} from './node.ts'
import { boundaryHash, isBoundary } from './pages.ts'
import {
  afterArrayHead,
  afterBytes,
  afterSize,
  afterText,
  afterUint,
  afterWide,
  arrayCount,
  bytesStart,
  uintAt,
  unusual,
} from './stored-fields.ts'

/** What the fields of a node count for in the length of a page that hardly vary, and a hole. */
const FIXED_WEIGHT = 256
const HOLE_WEIGHT = 18

/**
 * Steps through the nodes of a directory page where they lie: one object shows one node after the other, and makes
 * of it what it is asked for. Takes what `parseNode` takes and refuses what it refuses; beside that, names must ascend.
 * Views live as long as the page.
 */
export class StoredNodes {
  /** The page in its shortest form: replaced where it is found to be in a longer one. */
  page: Buffer
  private remaining = 0
  private count = 0
  private at = 0
  private readonly after: Uint8Array | undefined
  private key: string | undefined
  private numbers: DataView | undefined
  /** Where the modification time lies, with the time of change after it. */
  private timesAt = 0
  /** The node shown is page[start, end). */
  start = 0
  end = 0
  type: NodeType = 'file'
  nameStart = 0
  nameEnd = 0
  /** The name's bytes are printable ASCII. */
  isNamePlain = true
  weight = 0
  /** Where the fields lie that follow the extended attributes. */
  fieldsAt = 0
  /** It has extended attributes or holes. */
  hasLists = false
  /** Of a directory: where the id of its tree lies; -1 for others. */
  treeAt = -1
  /** Of a file; -1 and false for others. */
  racyAt = -1
  isRacy = false
  /** Of a file: the level of its chunk list, where that field lies, and its ids. */
  depth = 0
  contentAt = 0
  idsStart = 0
  idsEnd = 0

  /**
   * @param page a leaf page of a directory: level and array's head are checked
   * @param after a name that all names of the page must come after
   * @throws HoldfastError DAMAGED
   */
  constructor(page: Buffer, after?: Uint8Array) {
    this.page = page
    this.after = after
    if (!this.begin()) {
      this.shorten()
      if (!this.begin()) throw damaged('a page has no nodes')
    }
  }

  /** Show the next node; false at the end. @throws HoldfastError DAMAGED */
  next(): boolean {
    if (this.remaining === 0) return false
    const { nameStart, nameEnd } = this
    if (!this.show()) {
      const shown = this.count - this.remaining
      this.shorten()
      this.begin()
      while (this.count - this.remaining < shown && this.next());
      return this.next()
    }
    const isFirst = this.remaining === this.count
    const { after } = this
    const isInOrder = isFirst
      ? after === undefined || this.compareNameTo(after) > 0
      : compareRanges(this.page, this.nameStart, this.nameEnd, this.page, nameStart, nameEnd) > 0
    if (!isInOrder) throw damaged("a directory's nodes are not in order")
    this.remaining--
    if (this.remaining === 0 && this.at !== this.page.length) throw damaged('bytes follow the end of a page')
    return true
  }

  /** Nodes that `next` has still to show. */
  get left(): number {
    return this.remaining
  }

  /** The name's bytes, one character each: the order of these texts is that of the names. */
  get name(): string {
    this.key ??= this.page.toString('latin1', this.nameStart, this.nameEnd)
    return this.key
  }

  /** The name's bytes, in memory of their own. */
  nameBytes(): Buffer {
    return Buffer.from(this.page.subarray(this.nameStart, this.nameEnd))
  }

  rawName(): RawName {
    return this.isNamePlain ? this.name : nameFromBytes(this.page.subarray(this.nameStart, this.nameEnd))
  }

  /** The name for looking at only: bytes that are no UTF-8 have become U+FFFD. */
  nameText(): string {
    return this.isNamePlain ? this.name : this.page.toString('utf8', this.nameStart, this.nameEnd)
  }

  get mtimeNs(): bigint {
    return this.wideAt(this.timesAt)
  }

  get ctimeNs(): bigint {
    return this.wideAt(this.timesAt + WIDE_BYTES)
  }

  /** Not of a directory. */
  get inode(): bigint {
    return this.wideAt(this.fieldsAt)
  }

  /** Of a file. */
  get sizeBytes(): bigint {
    return this.wideAt(this.racyAt - WIDE_BYTES)
  }

  /** A page may end after the node shown. */
  get isBoundary(): boolean {
    return isBoundary(boundaryHash(this.page, 0, this.nameStart, this.nameEnd))
  }

  /** The node shown, decoded. Its byte strings are views. */
  decode(): Node {
    return this.hasLists ? this.parse() : decodeStored(this)
  }

  /** One id; a view. */
  idAt(offset: number): ChunkId {
    return this.page.subarray(offset, offset + ID_BYTES) as Uint8Array as ChunkId
  }

  /** Of a directory: the root page of its nodes; a view. */
  tree(): ChunkId {
    return this.idAt(this.treeAt)
  }

  /** Of a file: its list of chunks; a view. */
  content(): ContentRef {
    return { depth: this.depth, ids: this.page.subarray(this.idsStart, this.idsEnd) }
  }

  /** An integer of 64 bits; the place must be one of the node shown. */
  wideAt(at: number): bigint {
    const { page } = this
    this.numbers ??= new DataView(page.buffer, page.byteOffset, page.length)
    return page[at] === 0xcf ? this.numbers.getBigUint64(at + 1) : this.numbers.getBigInt64(at + 1)
  }

  /** True when the nodes are the same, byte for byte. */
  isSame(other: StoredNodes): boolean {
    return isSameRange(this, this.end, other, other.end)
  }

  /** Of two files: true when all but the lists of chunks is the same. */
  isSameButContent(other: StoredNodes): boolean {
    return isSameRange(this, this.contentAt, other, other.contentAt)
  }

  /** In order of the names' bytes: negative, zero or positive. */
  compareName(other: StoredNodes): number {
    return compareRanges(this.page, this.nameStart, this.nameEnd, other.page, other.nameStart, other.nameEnd)
  }

  compareNameTo(name: Uint8Array): number {
    return compareRanges(this.page, this.nameStart, this.nameEnd, name, 0, name.length)
  }

  /** @returns false for another form of a page */
  private begin(): boolean {
    const { page } = this
    if (page[0] !== 0x92 || page[1] !== 0) return false
    try {
      this.count = arrayCount(page, 2)
    } catch (error) {
      if (error === unusual) return false
      throw error
    }
    this.at = afterArrayHead(page, 2)
    this.remaining = this.count
    if (this.at > page.length) return false
    if (this.count === 0 && this.at !== page.length) throw damaged('bytes follow the end of a page')
    return true
  }

  /** Bring the page into its shortest form, which is the usual one. @throws HoldfastError DAMAGED */
  private shorten(): void {
    const shortest = encodeValue(decodeValue(this.page))
    if (shortest.equals(this.page)) throw damaged('a page of nodes is not valid')
    this.page = shortest
    this.numbers = undefined
  }

  /** @returns false for a node in another form */
  private show(): boolean {
    try {
      this.read()
      return true
    } catch (error) {
      if (error === unusual) return false
      throw error
    }
  }

  private read(): void {
    const { page } = this
    const start = this.at
    const typeAt = afterArrayHead(page, start)
    const type = typesByNumber[page[typeAt]!]
    if (type === undefined || arrayCount(page, start) !== fieldCounts[type]) throw unusual
    this.start = start
    this.type = type
    this.readName(typeAt + 1)
    let at = this.nameEnd
    if (uintAt(page, at) > 0o7777) throw damaged('a mode has unknown bits')
    at = afterUint(page, at)
    at = afterUint(page, afterUint(page, at))
    at = afterText(page, afterText(page, at))
    this.timesAt = at
    at = afterWide(page, afterWide(page, at))
    at = page[at] === 0xc0 ? at + 1 : afterWide(page, at)
    const attributes = arrayCount(page, at)
    at = afterArrayHead(page, at)
    this.weight = FIXED_WEIGHT
    this.hasLists = attributes > 0
    for (let index = 0; index < attributes; index++) {
      if (page[at] !== 0x92) throw unusual
      const valueAt = afterBytes(page, at + 1)
      this.weight += valueAt - bytesStart(page, at + 1)
      at = afterBytes(page, valueAt)
      this.weight += at - bytesStart(page, valueAt)
    }
    this.fieldsAt = at
    this.treeAt = -1
    this.racyAt = -1
    this.isRacy = false
    if (type === 'directory') {
      this.treeAt = at + 2
      if (page[at] !== 0xc4 || page[at + 1] !== ID_BYTES) throw unusual
      at = this.treeAt + ID_BYTES
    } else {
      at = afterUint(page, afterSize(page, at))
      at = page[at] === 0xc0 ? at + 1 : afterSize(page, at)
      if (type === 'file') at = this.readFile(at)
      else if (type === 'symlink') {
        const target = bytesStart(page, at)
        at = afterBytes(page, at)
        if (at - target > MAXIMUM_TARGET_BYTES) throw unusual
        this.weight += at - target
      } else if (type === 'character' || type === 'block') at = afterUint(page, afterUint(page, at))
    }
    if (!(at <= page.length)) throw unusual
    this.end = at
    this.at = at
    // Lists are rare, and have rules of their own.
    if (this.hasLists) this.parse()
  }

  private readName(at: number): void {
    const { page } = this
    const start = at + 2
    const length = page[at + 1]!
    const end = start + length
    if (page[at] !== 0xc4 || !(length > 0 && length <= MAXIMUM_NAME_BYTES) || end > page.length) throw unusual
    let isPlain = true
    for (let index = start; index < end; index++) {
      const byte = page[index]!
      if (byte === 0x2f || byte === 0) throw unusual
      if (byte < 0x20 || byte > 0x7e) isPlain = false
    }
    if (page[start] === 0x2e && (length === 1 || (length === 2 && page[start + 1] === 0x2e))) throw unusual
    this.nameStart = start
    this.nameEnd = end
    this.isNamePlain = isPlain
    this.key = undefined
  }

  /** Size, flag, holes and chunk list. @returns the place after them */
  private readFile(from: number): number {
    const { page } = this
    let at = afterSize(page, from)
    this.racyAt = at
    const racy = page[at++]!
    if (racy !== 0xc2 && racy !== 0xc3) throw unusual
    this.isRacy = racy === 0xc3
    const holes = arrayCount(page, at)
    at = afterArrayHead(page, at)
    for (let index = 0; index < holes; index++) at = afterWide(page, at)
    this.hasLists ||= holes > 0
    this.contentAt = at
    this.depth = page[at++]!
    this.idsStart = bytesStart(page, at)
    this.idsEnd = afterBytes(page, at)
    const count = (this.idsEnd - this.idsStart) / ID_BYTES
    const isList = this.depth === 0 ? count <= INLINE_IDS : count === 1 && this.depth <= MAXIMUM_CONTENT_DEPTH
    if (!isList || !Number.isInteger(count)) throw unusual
    this.weight += count * ID_BYTES + (holes / 2) * HOLE_WEIGHT
    return this.idsEnd
  }

  private parse(): Node {
    return parseNode(decodeValue(this.page.subarray(this.start, this.end)))
  }
}

/** In order of bytes. Names are short: a call to the buffer's own compare costs more than looking at them. */
function compareRanges(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): number {
  const [leftLength, rightLength] = [leftEnd - leftStart, rightEnd - rightStart]
  const least = Math.min(leftLength, rightLength)
  for (let index = 0; index < least; index++) {
    const difference = left[leftStart + index]! - right[rightStart + index]!
    if (difference !== 0) return difference
  }
  return leftLength - rightLength
}

/** Bytes of an integer of 64 bits. */
const WIDE_BYTES = 9

function isSameRange(left: StoredNodes, leftEnd: number, right: StoredNodes, rightEnd: number): boolean {
  if (leftEnd - left.start !== rightEnd - right.start) return false
  return left.page.compare(right.page, right.start, rightEnd, left.start, leftEnd) === 0
}

function damaged(problem: string): HoldfastError {
  return new HoldfastError('DAMAGED', problem)
}
