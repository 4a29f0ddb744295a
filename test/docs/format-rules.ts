/**
 * What a writer must do alike to find what is stored: where chunks and pages end, and how packs are padded. Written from
 * docs/format.md alone: imports nothing of the program.
 */
import { limitOf } from './format-page.ts'
import { chunkIdOf, hkdf, subkey } from './format-sealed.ts'
import { encode, type Value } from './format-values.ts'

const SEGMENT_BYTES = limitOf('segment, bytes')
const LEAST_ENTRIES = limitOf('entries of a page, least but for the last')
const MOST_ENTRIES = limitOf('entries of a page, most')
const BOUNDARY_MODULUS = limitOf('boundary modulus')
const PAGE_WEIGHT = limitOf('weight that ends a page')

/** "Chunking": the 256 numbers. */
export function gearTable(masterKey: Uint8Array): number[] {
  const bytes = hkdf(subkey(masterKey, 'holdfast chunker'), Buffer.alloc(0), 'gear-nc-1 table', 1024)
  return Array.from({ length: 256 }, (_, at) => bytes.readUInt32LE(at * 4))
}

/**
 * "Chunking": lengths of the chunks of a content, word for word as the page has it, and so slowly.
 *
 * @param numbers of the config
 * @param offset where the content starts in its file: a multiple of a segment
 */
export function cut(
  content: Buffer,
  masterKey: Uint8Array,
  numbers: readonly number[],
  offset = 0,
): number[] {
  const table = gearTable(masterKey)
  const lengths: number[] = []
  for (let at = 0; at < content.length; at += SEGMENT_BYTES) {
    lengths.push(...cutSegment(content.subarray(at, at + SEGMENT_BYTES), table, numbers, offset + at))
  }
  return lengths
}

function cutSegment(segment: Buffer, table: number[], numbers: readonly number[], offset: number): number[] {
  const [minimum, average, maximum, fromMib, ratio, doublings] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  let d = 0
  for (let one = 1; one <= doublings; one++) if (offset >= fromMib * 2 ** 20 * ratio ** (one - 1)) d = one
  const min = minimum * 2 ** d
  const avg = average * 2 ** d
  const max = maximum * 2 ** d
  const normal = (avg * 13) / 16
  const strict = 2 ** 32 / (avg * 4)
  const loose = 2 ** 32 / (avg / 4)
  const hashAt = (e: number): number => {
    let sum = 0
    for (let i = 0; i < 32; i++) sum = (sum + ((table[segment[e - 1 - i]!]! << i) >>> 0)) % 2 ** 32
    return sum
  }
  const lengths: number[] = []
  for (let s = 0; s < segment.length; ) {
    let e = s + min
    while (e < s + max && e < segment.length && !(hashAt(e) < (e <= s + normal ? strict : loose))) e++
    e = Math.min(e, s + max, segment.length)
    lengths.push(e - s)
    s = e
  }
  return lengths
}

/** "Where pages end": the hash. */
export function pageHash(key: Uint8Array, level: number): number {
  let h = (0x811c9dc5 ^ Math.imul(level, 0x9e3779b1)) >>> 0
  for (const byte of key) h = Math.imul(h ^ byte, 0x01000193) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0
  return (h ^ (h >>> 16)) >>> 0
}

interface PageEntry {
  readonly key: Buffer
  readonly weight: number
  readonly value: Value
}

/** "Trees": the root's id and level for a directory's nodes, in order. Nothing is stored. */
export function directoryRoot(
  nodes: readonly Value[][],
  masterKey: Uint8Array,
): { id: Buffer; level: number } {
  const entries = nodes.map((node) => ({ key: node[1] as Buffer, weight: weightOf(node), value: node }))
  return rootOf(entries, masterKey, {
    leaf: (page) => page.map((entry) => entry.value),
    inner: (page) => page.map((entry) => [entry.key, entry.value]),
  })
}

/** "Trees": the root's id and level for a list of chunk ids. */
export function contentRoot(ids: readonly Buffer[], masterKey: Uint8Array): { id: Buffer; level: number } {
  const joined = (page: readonly PageEntry[]): Value =>
    Buffer.concat(page.map((entry) => entry.value as Buffer))
  const entries = ids.map((id) => ({ key: id.subarray(0, 8), weight: 0, value: id }))
  return rootOf(entries, masterKey, { leaf: joined, inner: joined })
}

function rootOf(
  entries: readonly PageEntry[],
  masterKey: Uint8Array,
  encodings: Record<'leaf' | 'inner', (page: readonly PageEntry[]) => Value>,
): { id: Buffer; level: number } {
  let level = 0
  for (let open = entries; ; level++) {
    const pages = cutPages(open, level).map((page): PageEntry => {
      const value: Value = [level, encodings[level === 0 ? 'leaf' : 'inner'](page)]
      const id = chunkIdOf(masterKey, 'tree', encode(value))
      return { key: page.at(-1)?.key ?? Buffer.alloc(0), weight: 0, value: id }
    })
    if (pages.length === 1) return { id: pages[0]!.value as Buffer, level }
    open = pages
  }
}

function cutPages(entries: readonly PageEntry[], level: number): PageEntry[][] {
  const pages: PageEntry[][] = []
  let page: PageEntry[] = []
  let weight = 0
  for (const entry of entries) {
    page.push(entry)
    weight += entry.weight
    const isBoundary = page.length >= LEAST_ENTRIES && pageHash(entry.key, level) % BOUNDARY_MODULUS === 0
    if (page.length < MOST_ENTRIES && weight < PAGE_WEIGHT && !isBoundary) continue
    pages.push(page)
    page = []
    weight = 0
  }
  if (page.length > 0 || pages.length === 0) pages.push(page)
  return pages
}

function weightOf(node: readonly Value[]): number {
  let weight = 256
  for (const [name, value] of node[10] as [Buffer, Buffer][]) weight += name.length + value.length
  if (node[0] === 3) weight += (node[14] as Buffer).length
  if (node[0] === 1) weight += (node[18] as Buffer).length + 9 * (node[16] as Value[]).length
  return weight
}

/** "Size of the last packs". */
export function padmeLength(length: number): number {
  const e = Math.floor(Math.log2(length))
  const s = Math.floor(Math.log2(e)) + 1
  const step = 2 ** Math.max(e - s, 0)
  return Math.ceil(length / step) * step
}
