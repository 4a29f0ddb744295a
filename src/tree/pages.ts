import {
  type ChunkId,
  chunkId,
  decodeValue,
  encodeValue,
  Fields,
  ID_BYTES,
  type Value,
} from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'

/** Stores one tree chunk and gives its id. */
export interface TreeSink {
  saveTree(bytes: Uint8Array): ChunkId
}

/** Reads one tree chunk, authenticated and checked against its id. */
export interface TreeSource {
  readTree(id: ChunkId): Promise<Uint8Array>
  /** The same where it is at hand without waiting; undefined sends the caller to `readTree`. */
  readTreeNow?(id: ChunkId): Uint8Array | undefined
}

const MINIMUM_ENTRIES = 64
const MAXIMUM_ENTRIES = 1024
/** One entry in so many ends a page, once it has the least number. */
const BOUNDARY_MODULUS = 192
/** A page of long entries ends after this many bytes. */
const PAGE_BYTES = 512 * 1024
/** 64 entries a page at the least: 12 levels hold more than any directory or file. */
const MAXIMUM_LEVELS = 12

/** What a level's pages are made of: entries are encoded by the caller. */
interface PageCodec<Entry> {
  /** Encode a page of entries of the lowest level. */
  leaf(entries: readonly Entry[]): Value
  /** Bytes that decide whether a page ends after this entry. */
  key(entry: Entry): Uint8Array
  /** Length in bytes, or an estimate; only long entries matter. */
  weight(entry: Entry): number
  /** Encode children of an upper level: the key of each one's last entry, and its id. */
  inner(children: readonly Child[]): Value
}

export interface Child {
  readonly lastKey: Uint8Array
  readonly id: ChunkId
}

/**
 * Writes entries, given in order, as pages of a prolly tree: pages end where a hash of an entry's key says
 * so, index pages above are cut the same way. The tree depends on the entries alone, and one changed entry
 * rewrites about one page a level. Memory: one open page a level.
 */
export class PageWriter<Entry> {
  private readonly sink: TreeSink
  private readonly codec: PageCodec<Entry>
  private leaf: Entry[] = []
  private leafBytes = 0
  private readonly upper: Child[][] = []

  constructor(sink: TreeSink, codec: PageCodec<Entry>) {
    this.sink = sink
    this.codec = codec
  }

  add(entry: Entry): void {
    this.leaf.push(entry)
    this.leafBytes += this.codec.weight(entry)
    if (endsPage(this.leaf.length, this.leafBytes, this.codec.key(entry), 0)) this.closeLeaf()
  }

  /** Write what is open. @returns the root page and the number of levels below it */
  finish(): { readonly id: ChunkId; readonly levels: number } {
    if (this.leaf.length > 0 || this.upper.length === 0) this.closeLeaf()
    for (let level = 0; ; level++) {
      const children = this.upper[level]!
      const isTop = level === this.upper.length - 1
      if (isTop && children.length === 1) return { id: children[0]!.id, levels: level }
      if (children.length > 0) this.closeUpper(level)
    }
  }

  private closeLeaf(): void {
    const last = this.leaf.at(-1)
    const id = this.sink.saveTree(encodeValue([0, this.codec.leaf(this.leaf)]))
    const lastKey = last === undefined ? new Uint8Array(0) : this.codec.key(last)
    this.leaf = []
    this.leafBytes = 0
    this.addChild(0, { lastKey, id })
  }

  private addChild(level: number, child: Child): void {
    this.upper[level] ??= []
    const children = this.upper[level]
    children.push(child)
    if (endsPage(children.length, 0, child.lastKey, level + 1)) this.closeUpper(level)
  }

  private closeUpper(level: number): void {
    const children = this.upper[level]!
    const id = this.sink.saveTree(encodeValue([level + 1, this.codec.inner(children)]))
    this.upper[level] = []
    this.addChild(level + 1, { lastKey: children.at(-1)!.lastKey, id })
  }
}

function endsPage(count: number, bytes: number, key: Uint8Array, level: number): boolean {
  if (count >= MAXIMUM_ENTRIES || bytes >= PAGE_BYTES) return true
  return count >= MINIMUM_ENTRIES && boundaryHash(key, level) % BOUNDARY_MODULUS === 0
}

/** FNV-1a over the key, begun with the level, then MurmurHash3's 32-bit finaliser. */
export function boundaryHash(key: Uint8Array, level: number): number {
  let hash = (0x811c9dc5 ^ Math.imul(level, 0x9e3779b1)) >>> 0
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key[index]!, 0x01000193)
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A decoded page: its level, and its entries still to be read by the caller. */
export interface Page {
  readonly level: number
  readonly body: Value
}

/** @param expectedLevel level the page must have; undefined for a root @throws HoldfastError DAMAGED */
export function parsePage(bytes: Uint8Array, expectedLevel: number | undefined): Page {
  const value = decodeValue(bytes)
  const fields = new Fields(value, 'page', 2)
  const level = fields.uint(0, MAXIMUM_LEVELS)
  if (expectedLevel !== undefined && level !== expectedLevel) {
    throw new HoldfastError('DAMAGED', `a page has level ${level}, not ${expectedLevel}`)
  }
  return { level, body: (value as readonly Value[])[1]! }
}

/** Ids that lie end to end; views. @throws HoldfastError DAMAGED when the length is no multiple of 32 */
export function splitIds(bytes: Uint8Array): ChunkId[] {
  if (bytes.length % ID_BYTES !== 0) throw new HoldfastError('DAMAGED', 'a list of ids is cut')
  const ids: ChunkId[] = []
  for (let at = 0; at < bytes.length; at += ID_BYTES) ids.push(chunkId(bytes.subarray(at, at + ID_BYTES)))
  return ids
}
