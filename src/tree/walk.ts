import { type ChunkId, joinName, nameBytes, nameFromBytes, type RawName } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import { findInDirectory, openDirectoryPage } from './directory.ts'
import type { Node } from './node.ts'
import type { TreeSource } from './pages.ts'
import type { StoredNodes } from './stored-nodes.ts'

export interface WalkEntry {
  /** Absolute in the snapshot: `/usr/share/doc`. */
  readonly path: RawName
  readonly node: Node
}

export interface WalkOptions {
  /** False leaves out what is below a directory. Asked after the directory itself was given. */
  readonly enter?: (entry: WalkEntry) => boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Everything below a tree, directories before what is in them, names in byte order. Memory: one page for each
 * level of directories.
 *
 * @param path of the tree in the snapshot; `/` for a root
 */
export async function* walkTree(
  source: TreeSource,
  tree: ChunkId,
  path: RawName = '/',
  options: WalkOptions = {},
): AsyncGenerator<WalkEntry> {
  const walker = new TreeWalker(source, tree, path, options.signal)
  while (walker.next() || (await walker.wait())) {
    const entry = entryOf(walker)
    yield entry
    enterOf(walker, entry, options)
  }
}

/**
 * The same, many entries at a time: for who takes each as it comes, without a promise for each. `enter` is asked
 * before the directory itself is given.
 *
 * @returns lists of one entry up to some hundreds, owned by the caller
 */
export async function* walkTreeInBatches(
  source: TreeSource,
  tree: ChunkId,
  path: RawName = '/',
  options: WalkOptions = {},
): AsyncGenerator<readonly WalkEntry[]> {
  const walker = new TreeWalker(source, tree, path, options.signal)
  let batch: WalkEntry[] = []
  try {
    while (walker.next() || (await walker.wait())) {
      const entry = entryOf(walker)
      enterOf(walker, entry, options)
      if (batch.push(entry) < BATCH_ENTRIES) continue
      const full = batch
      batch = []
      yield full
    }
  } catch (error) {
    // What comes before a page that cannot be read is given all the same.
    if (batch.length > 0) yield batch
    throw error
  }
  if (batch.length > 0) yield batch
}

const BATCH_ENTRIES = 512

function entryOf({ path, nodes }: TreeWalker): WalkEntry {
  const node = nodes.decode()
  return { path: joinName(path, node.name), node }
}

function enterOf(walker: TreeWalker, entry: WalkEntry, { enter }: WalkOptions): void {
  if (entry.node.type === 'directory' && (enter?.(entry) ?? true)) walker.enter(entry.path)
}

/**
 * One walk, which shows node after node where it lies and waits only where a page is not at hand:
 * `while (walker.next() || (await walker.wait()))`. What is below a directory is shown next when it is entered.
 */
export class TreeWalker {
  private readonly source: TreeSource
  private readonly signal: AbortSignal | undefined
  // A stack of our own: directories can be nested deeper than the program's.
  private readonly open: Level[]
  private top: Level | undefined

  /** @param path of the tree in the snapshot */
  constructor(source: TreeSource, tree: ChunkId, path: RawName, signal: AbortSignal | undefined) {
    this.source = source
    this.signal = signal
    this.top = openLevel(tree, path)
    this.open = [this.top]
  }

  /** Shows the node that `next` or `wait` came to. */
  get nodes(): StoredNodes {
    return this.top!.nodes!
  }

  /** Of the directory that the node is in. */
  get path(): RawName {
    return this.top!.path
  }

  /** Directories that the walk is in: 1 at the tree it began with. */
  get depth(): number {
    return this.open.length
  }

  /** Go to the next node. @returns false at the end, and where `wait` has to read a page @throws HoldfastError DAMAGED */
  next(): boolean {
    for (let { top } = this; top !== undefined; top = this.top) {
      if (top.nodes?.next()) return true
      const page = top.pages.at(-1)
      if (page === undefined) {
        this.open.pop()
        this.top = this.open.at(-1)
        continue
      }
      checkAborted(this.signal)
      const bytes = this.source.readTreeNow?.(page.id)
      if (bytes === undefined) return false
      takePage(top, bytes)
    }
    return false
  }

  /** Read the page that `next` stopped at, and go on. @returns false at the end */
  async wait(): Promise<boolean> {
    for (let { top } = this; top !== undefined; top = this.top) {
      checkAborted(this.signal)
      takePage(top, await this.source.readTree(top.pages.at(-1)!.id))
      if (this.next()) return true
    }
    return false
  }

  /** Go into the directory shown. @param path its own */
  enter(path: RawName): void {
    this.top = openLevel(this.nodes.tree(), path)
    this.open.push(this.top)
  }
}

/** A directory that a walk is in. */
interface Level {
  readonly path: RawName
  /** Pages still to be read, the next one last. */
  readonly pages: { readonly id: ChunkId; readonly level: number | undefined }[]
  nodes: StoredNodes | undefined
}

function openLevel(tree: ChunkId, path: RawName): Level {
  return { path, pages: [{ id: tree, level: undefined }], nodes: undefined }
}

/** @throws HoldfastError DAMAGED */
function takePage(level: Level, bytes: Uint8Array): void {
  const page = openDirectoryPage(bytes, level.pages.pop()!.level, level.nodes?.nameBytes())
  if (page.children === undefined) {
    level.nodes = page.nodes
    return
  }
  for (let at = page.children.length - 1; at >= 0; at--) {
    level.pages.push({ id: page.children[at]!.id, level: page.level - 1 })
  }
}

/** Components of a path; empty and `.` ones are dropped, `..` is not special: no node has that name. */
export function splitPath(path: RawName): RawName[] {
  if (typeof path === 'string') return path.split('/').filter((part) => part !== '' && part !== '.')
  const parts: RawName[] = []
  let from = 0
  const bytes = nameBytes(path)
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== 0x2f) continue
    const part = bytes.subarray(from, at)
    if (part.length > 0 && !part.equals(Buffer.from('.'))) parts.push(nameFromBytes(part))
    from = at + 1
  }
  return parts
}

/** The node at a path below a tree; undefined when there is none. The tree itself has no node. */
export async function findNode(source: TreeSource, tree: ChunkId, path: RawName): Promise<Node | undefined> {
  const parts = splitPath(path)
  let at: ChunkId | undefined = tree
  let node: Node | undefined
  for (const part of parts) {
    if (at === undefined) return undefined
    node = await findInDirectory(source, at, part)
    at = node?.type === 'directory' ? node.tree : undefined
  }
  return node
}
