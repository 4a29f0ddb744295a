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

export interface Child {
  readonly lastKey: Uint8Array
  readonly id: ChunkId
}

/**
 * Index pages above the lowest level of a prolly tree: pages end where a hash of an entry's key says so, on every
 * level. The tree depends on the entries alone, and one changed entry rewrites about one page a level. Memory: one
 * open page a level.
 */
export class UpperPages {
  private readonly sink: TreeSink
  private readonly encode: (children: readonly Child[]) => Value
  private readonly levels: Child[][] = []

  /** @param encode children of a level above: the key of each one's last entry, and its id */
  constructor(sink: TreeSink, encode: (children: readonly Child[]) => Value) {
    this.sink = sink
    this.encode = encode
  }

  get isEmpty(): boolean {
    return this.levels.length === 0
  }

  /** A page of this level is stored. */
  add(level: number, child: Child): void {
    this.levels[level] ??= []
    const children = this.levels[level]
    children.push(child)
    const hash = boundaryHash(child.lastKey, level + 1)
    if (endsPage(children.length, 0, isBoundary(hash))) this.close(level)
  }

  /** Write what is open. @returns the root page and the number of levels below it */
  finish(): { readonly id: ChunkId; readonly levels: number } {
    for (let level = 0; ; level++) {
      const children = this.levels[level]!
      const isTop = level === this.levels.length - 1
      if (isTop && children.length === 1) return { id: children[0]!.id, levels: level }
      if (children.length > 0) this.close(level)
    }
  }

  private close(level: number): void {
    const children = this.levels[level]!
    const id = this.sink.saveTree(encodeValue([level + 1, this.encode(children)]))
    this.levels[level] = []
    this.add(level + 1, { lastKey: children.at(-1)!.lastKey, id })
  }
}

/** Whether a page of the lowest level ends after so many entries of so many bytes, given what `isBoundary` says. */
export function endsPage(count: number, bytes: number, endsHere: boolean): boolean {
  if (count >= MAXIMUM_ENTRIES || bytes >= PAGE_BYTES) return true
  return endsHere && count >= MINIMUM_ENTRIES
}

/** True when a page that is long enough ends after the entry whose key has this hash. */
export function isBoundary(hash: number): boolean {
  return hash % BOUNDARY_MODULUS === 0
}

/** FNV-1a over the key, begun with the level, then MurmurHash3's 32-bit finaliser. */
export function boundaryHash(key: Uint8Array, level: number, start = 0, end: number = key.length): number {
  let hash = (0x811c9dc5 ^ Math.imul(level, 0x9e3779b1)) >>> 0
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ key[index]!, 0x01000193)
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
