import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { MAP_BYTES } from './environment.ts'

/**
 * LMDB's file as lmdb 3.5 writes it (data version 2, little-endian, 64 bits): two meta pages, then pages of
 * copy-on-write B+trees. One tree lists free pages by transaction, the main one names the tables.
 */
const PAGE_HEADER_BYTES = 24
const NODE_HEADER_BYTES = 8
const TREE_BYTES = 48
const OVERFLOW_REFERENCE_BYTES = 24
const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const pageFlags = { branch: 1, leaf: 2, overflow: 4, meta: 8 } as const
const nodeFlags = { overflow: 1, table: 2 } as const
const INTEGER_KEY = 8
const NO_ROOT = 0xffff_ffff_ffff_ffffn
const MAXIMUM_DEPTH = 24
/** Pages past the end of the file that may be on no list of free ones. */
const LOST_PAGES = 4096
/** Pages looked at between two turns of the event loop. */
const PAGES_A_TURN = 1024

export interface PageReport {
  /** undefined when every page is sound; else what is wrong, in a few words. */
  readonly problem: string | undefined
  /** Transaction of the state that was looked at; a running writer raises it. */
  readonly transaction: bigint | undefined
}

/**
 * Look through every page that LMDB can reach from the newest state of a data file, with plain reads: damage
 * cannot end this process. Sound means that LMDB can open, read and write the file: all lengths, offsets, page
 * numbers, counts and orders hold, no page is used twice, and no page in use is listed as free.
 *
 * @param acceptsRow false for a row that may not be in this table; its arguments are views
 */
export async function inspectPages(
  path: string,
  acceptsRow: (table: string, key: Buffer, value: Buffer) => boolean,
): Promise<PageReport> {
  const fd = openSync(path, 'r')
  let transaction: bigint | undefined
  try {
    const file = readMeta(fd)
    transaction = file.transaction
    const steps = walkFile(file, acceptsRow)
    for (let page = 1; !steps.next().done; page++) if (page % PAGES_A_TURN === 0) await setImmediate()
    return { problem: undefined, transaction }
  } catch (error) {
    if (error instanceof PageProblem) return { problem: error.message, transaction }
    throw error
  } finally {
    closeSync(fd)
  }
}

/** Transaction of the newest state; undefined when the meta pages make no sense. */
export function newestTransaction(path: string): bigint | undefined {
  const fd = openSync(path, 'r')
  try {
    return readMeta(fd).transaction
  } catch (error) {
    if (error instanceof PageProblem) return undefined
    throw error
  } finally {
    closeSync(fd)
  }
}

class PageProblem extends Error {}

function require(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new PageProblem(problem)
}

interface Tree {
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly entries: number
  /** undefined for an empty tree. */
  readonly root: number | undefined
}

interface DataFile {
  readonly fd: number
  readonly pageBytes: number
  /** Whole pages in the file; the state may count more, which are free then. */
  readonly pages: number
  readonly transaction: bigint
  readonly lastPage: number
  readonly free: Tree
  readonly main: Tree
  /** One bit a page of the file: in use, or listed as free. */
  readonly seen: Uint8Array
}

function readMeta(fd: number): DataFile {
  const sizeBytes = fstatSync(fd).size
  const first = readAt(fd, 4096, 0)
  const pageBytes = first.readUInt32LE(48)
  require([4096, 8192, 16_384, 32_768, 65_536].includes(pageBytes), 'its page size is none')
  require(sizeBytes >= 2 * pageBytes, 'it is cut')
  const metas = [first, readAt(fd, 4096, pageBytes)]
  metas.forEach((meta, number) => {
    require(meta.readBigUInt64LE(0) === BigInt(number), 'a meta page has another number')
    require(meta.readUInt16LE(18) === pageFlags.meta, 'a meta page has other flags')
    require(meta.readUInt32LE(24) === MAGIC, 'a meta page has no magic number')
    require(meta.readUInt32LE(28) === DATA_VERSION, 'a meta page is of another version')
    require(meta.readBigUInt64LE(32) === 0n, 'a meta page asks for an address')
    require(meta.readBigUInt64LE(40) <= BigInt(MAP_BYTES) * 64n, 'a meta page asks for too large a map')
    require(meta.readUInt32LE(48) === pageBytes, 'the meta pages disagree on the page size')
    require(meta.readUInt16LE(52) === INTEGER_KEY, 'a meta page has unknown flags')
    require(meta.readUInt32LE(96) === 0 && meta.readUInt16LE(100) === 0, 'the main tree has unknown flags')
  })
  const [even, odd] = metas.map((meta) => meta.readBigUInt64LE(152)) as [bigint, bigint]
  require(even < 2n ** 48n && odd < 2n ** 48n, 'a transaction number is too large')
  require((even & 1n) === 0n, 'a transaction is on the wrong meta page')
  require((odd & 1n) === 1n || odd === 0n, 'a transaction is on the wrong meta page')
  const newest = even >= odd ? first : metas[1]!
  const pages = Math.floor(sizeBytes / pageBytes)
  const lastPage = toNumber(newest.readBigUInt64LE(144))
  require(lastPage >= 1 && lastPage * pageBytes < MAP_BYTES * 64, 'its last page is out of range')
  const seen = new Uint8Array(Math.ceil(pages / 8))
  seen[0] = 3
  return {
    fd,
    pageBytes,
    pages,
    transaction: newest.readBigUInt64LE(152),
    lastPage,
    free: readTree(newest, 48),
    main: readTree(newest, 96),
    seen,
  }
}

function readTree(bytes: Buffer, at: number): Tree {
  const root = bytes.readBigUInt64LE(at + 40)
  return {
    depth: bytes.readUInt16LE(at + 6),
    branchPages: toNumber(bytes.readBigUInt64LE(at + 8)),
    leafPages: toNumber(bytes.readBigUInt64LE(at + 16)),
    overflowPages: toNumber(bytes.readBigUInt64LE(at + 24)),
    entries: toNumber(bytes.readBigUInt64LE(at + 32)),
    root: root === NO_ROOT ? undefined : toNumber(root),
  }
}

/** One step a page. */
function* walkFile(
  file: DataFile,
  acceptsRow: (table: string, key: Buffer, value: Buffer) => boolean,
): Generator<void> {
  const tables: [string, Tree][] = []
  yield* walkTree(file, file.main, Buffer.compare, (key, value, flags) => {
    require(flags === nodeFlags.table &&
      value.length === TREE_BYTES, 'the main tree has something else than a table')
    require(value.readUInt32LE(0) === 0 && value.readUInt16LE(4) === 0, 'a table has unknown flags')
    tables.push([key.toString('latin1').replace(/\0$/, ''), readTree(value, 0)])
  })
  for (const [name, tree] of tables) {
    yield* walkTree(file, tree, Buffer.compare, (key, value, flags) => {
      require(flags === 0 && acceptsRow(name, key, value), `a row of table ${name} is rotten`)
    })
  }
  const freed: Buffer[] = []
  yield* walkTree(file, file.free, compareNumbers, (key, value, flags) => {
    require(flags === 0 && key.length === 8, 'the list of free pages has a wrong key')
    const number = key.readBigUInt64LE(0)
    require(number >= 1n && number <= file.transaction, 'pages are freed by a transaction to come')
    freed.push(Buffer.from(value))
  })
  // Only now is it known which pages are in use.
  let beyond = 0
  for (const list of freed) beyond += takeFree(file, list)
  require(file.lastPage < file.pages + beyond + LOST_PAGES, 'its last page is out of range')
}

interface Totals {
  branchPages: number
  leafPages: number
  overflowPages: number
  entries: number
}

type Compare = (left: Buffer, right: Buffer) => number
type Visit = (key: Buffer, value: Buffer, flags: number) => void

function* walkTree(file: DataFile, tree: Tree, compare: Compare, visit: Visit): Generator<void> {
  const totals: Totals = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 }
  require(tree.depth <= MAXIMUM_DEPTH, 'a tree is too deep')
  require((tree.root === undefined) === (tree.depth === 0), 'a tree has a wrong depth')
  if (tree.root !== undefined) {
    yield* walkPage(file, { page: tree.root, levels: tree.depth, compare, visit, totals })
  }
  for (const [name, count] of Object.entries(totals)) {
    require(tree[name as keyof Totals] === count, `a tree has a wrong count of ${name}`)
  }
}

interface PageTask {
  readonly page: number
  /** Levels from this page down to the leaves, 1 for a leaf. */
  readonly levels: number
  /** Keys of the page lie between these. */
  readonly least?: Buffer | undefined
  readonly end?: Buffer | undefined
  readonly compare: Compare
  readonly visit: Visit
  readonly totals: Totals
}

function* walkPage(file: DataFile, task: PageTask): Generator<void> {
  const bytes = takePage(file, task.page)
  yield
  const isLeaf = task.levels === 1
  require(bytes.readUInt16LE(18) ===
    (isLeaf ? pageFlags.leaf : pageFlags.branch), 'a page is of another kind')
  const nodes = readNodes(bytes, isLeaf)
  require(isLeaf ? nodes.length > 0 : nodes.length > 1, 'a page has too few nodes')
  nodes.forEach((node, number) => {
    // The first key of a branch page stands for everything below the second.
    if (!isLeaf && number === 0) return
    require(node.key.length > 0 && node.key.length <= 2000, 'a key has no valid length')
    const before = number > (isLeaf ? 0 : 1) ? nodes[number - 1]!.key : undefined
    require(before === undefined || task.compare(before, node.key) < 0, 'keys are out of order')
    require(task.least === undefined || task.compare(task.least, node.key) <= 0, 'a key is on the wrong page')
    require(task.end === undefined || task.compare(node.key, task.end) < 0, 'a key is on the wrong page')
  })
  if (isLeaf) {
    task.totals.leafPages++
    task.totals.entries += nodes.length
    for (const node of nodes) {
      const isOverflow = (node.flags & nodeFlags.overflow) !== 0
      const value = isOverflow ? readOverflow(file, node, task.totals) : node.value
      task.visit(node.key, value, node.flags & ~nodeFlags.overflow)
    }
    return
  }
  task.totals.branchPages++
  for (const [number, node] of nodes.entries()) {
    const least = number === 0 ? task.least : node.key
    const end = nodes[number + 1]?.key ?? task.end
    yield* walkPage(file, { ...task, page: node.child, levels: task.levels - 1, least, end })
  }
}

interface PageNode {
  readonly key: Buffer
  readonly flags: number
  /** Of a leaf: the value, or where it is kept. */
  readonly value: Buffer
  /** Of a leaf: length of the value. */
  readonly valueBytes: number
  /** Of a branch. */
  readonly child: number
}

/** Nodes fill the end of the page without gaps, so their lengths must add up to it. */
function readNodes(page: Buffer, isLeaf: boolean): PageNode[] {
  const room = page.length - PAGE_HEADER_BYTES
  const lower = page.readUInt16LE(20)
  const upper = page.readUInt16LE(22)
  require(lower % 2 === 0 && lower <= upper && upper <= room, 'a page has wrong bounds')
  const nodes: PageNode[] = []
  let usedBytes = 0
  for (let slot = 0; slot < lower; slot += 2) {
    const offset = page.readUInt16LE(PAGE_HEADER_BYTES + slot)
    require(offset >= upper && offset + NODE_HEADER_BYTES <= room, 'a node lies outside its page')
    const at = PAGE_HEADER_BYTES + offset
    const low = page.readUInt32LE(at)
    const flags = page.readUInt16LE(at + 4)
    const keyEnd = at + NODE_HEADER_BYTES + page.readUInt16LE(at + 6)
    const isOverflow = isLeaf && (flags & nodeFlags.overflow) !== 0
    const end = keyEnd + (isOverflow ? OVERFLOW_REFERENCE_BYTES : isLeaf ? low : 0)
    require(end <= page.length, 'a node lies outside its page')
    nodes.push({
      key: page.subarray(at + NODE_HEADER_BYTES, keyEnd),
      flags: isLeaf ? flags : 0,
      value: page.subarray(keyEnd, end),
      valueBytes: low,
      child: isLeaf ? 0 : flags * 2 ** 32 + low,
    })
    usedBytes += (end - at + 1) & ~1
  }
  require(usedBytes === room - upper, 'the nodes of a page do not fill it')
  return nodes
}

function readOverflow(file: DataFile, node: PageNode, totals: Totals): Buffer {
  const first = toNumber(node.value.readBigUInt64LE(0))
  const count = toNumber(node.value.readBigUInt64LE(16))
  const needed = Math.ceil((PAGE_HEADER_BYTES + node.valueBytes) / file.pageBytes)
  require(count >= needed && first + count <= file.pages, 'a long value has a wrong length')
  require(node.value.readBigUInt64LE(8) <= file.transaction, 'a long value is of a transaction to come')
  for (let page = first; page < first + count; page++) claim(file, page)
  totals.overflowPages += count
  const bytes = readAt(file.fd, count * file.pageBytes, first * file.pageBytes)
  checkHeader(file, bytes, first)
  require(bytes.readUInt16LE(18) === pageFlags.overflow, 'a long value is on another kind of page')
  require(bytes.readUInt32LE(20) === count, 'a long value has a wrong length')
  return bytes.subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + node.valueBytes)
}

function takePage(file: DataFile, page: number): Buffer {
  claim(file, page)
  const bytes = readAt(file.fd, file.pageBytes, page * file.pageBytes)
  checkHeader(file, bytes, page)
  return bytes
}

/** A page of a transaction to come would be taken for one that may be changed in place. */
function checkHeader(file: DataFile, bytes: Buffer, page: number): void {
  require(toNumber(bytes.readBigUInt64LE(0)) === page, 'a page has another number')
  require(bytes.readBigUInt64LE(8) <= file.transaction, 'a page is of a transaction to come')
  require(bytes.readUInt16LE(16) === 0, 'a page has unknown fields')
}

function claim(file: DataFile, page: number): void {
  require(page >= 2 && page <= file.lastPage && page < file.pages, 'a page is missing')
  const bit = 1 << (page & 7)
  require((file.seen[page >> 3]! & bit) === 0, 'a page is used twice')
  file.seen[page >> 3]! |= bit
}

/**
 * A list: its length, then pages, runs of pages (minus their count, then the first) and empty places.
 * @returns how many of its pages lie past the end of the file: they were never written, and are not in use
 */
function takeFree(file: DataFile, list: Buffer): number {
  let beyond = 0
  require(list.length >= 8 && list.length % 8 === 0, 'a list of free pages has a wrong length')
  const words = toNumber(list.readBigUInt64LE(0))
  require(words <= list.length / 8 - 1, 'a list of free pages has a wrong length')
  for (let word = 1; word <= words; word++) {
    const value = list.readBigInt64LE(word * 8)
    if (value === 0n) continue
    const count = value < 0n ? toNumber(-value) : 1
    if (value < 0n) require(++word <= words, 'a list of free pages has a wrong length')
    const first = value < 0n ? toNumber(list.readBigUInt64LE(word * 8)) : toNumber(value)
    require(first >= 2 &&
      count <= file.lastPage &&
      first + count - 1 <= file.lastPage, 'a free page is out of range')
    const end = first + count
    for (let page = first; page < Math.min(end, file.pages); page++) claim(file, page)
    beyond += Math.max(0, end - Math.max(first, file.pages))
  }
  return beyond
}

function compareNumbers(left: Buffer, right: Buffer): number {
  require(left.length === 8 && right.length === 8, 'the list of free pages has a wrong key')
  const difference = left.readBigUInt64LE(0) - right.readBigUInt64LE(0)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** Out of any range where it does not fit. */
function toNumber(value: bigint): number {
  return value < 2n ** 53n ? Number(value) : Number.MAX_SAFE_INTEGER
}

function readAt(fd: number, length: number, position: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, position + done)
    if (count === 0) throw new PageProblem('it is cut')
    done += count
  }
  return bytes
}
