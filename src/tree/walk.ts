import {
  type ChunkId,
  compareNames,
  joinName,
  nameBytes,
  nameFromBytes,
  type RawName,
} from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import { checkOrder, findInDirectory, parseDirectoryPage, readDirectory } from './directory.ts'
import type { DirectoryNode, Node } from './node.ts'
import type { TreeSource } from './pages.ts'

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
  const walker = new Walker(source, tree, path, options)
  for (;;) {
    const entry = walker.next()
    if (entry === undefined) return
    if (entry === WAIT) await walker.wait()
    else yield entry
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
  const walker = new Walker(source, tree, path, options)
  let batch: WalkEntry[] = []
  try {
    for (;;) {
      const entry = walker.next()
      if (entry === undefined) break
      if (entry === WAIT) await walker.wait()
      else if (batch.push(entry) >= BATCH_ENTRIES) {
        const full = batch
        batch = []
        yield full
      }
    }
  } catch (error) {
    // What comes before a page that cannot be read is given all the same.
    if (batch.length > 0) yield batch
    throw error
  }
  if (batch.length > 0) yield batch
}

const BATCH_ENTRIES = 512
/** The next page has to be waited for. */
const WAIT = Symbol('wait')

/** One walk, which waits only where a page is not at hand. */
class Walker {
  private readonly source: TreeSource
  private readonly options: WalkOptions
  // A stack of our own: directories can be nested deeper than the program's.
  private readonly open: Level[]
  /** Given last, and not entered yet. */
  private entered: WalkEntry | undefined

  constructor(source: TreeSource, tree: ChunkId, path: RawName, options: WalkOptions) {
    this.source = source
    this.options = options
    this.open = [openLevel(tree, path)]
  }

  next(): WalkEntry | typeof WAIT | undefined {
    const { entered, open } = this
    checkAborted(this.options.signal)
    if (entered !== undefined) {
      this.entered = undefined
      if (this.options.enter?.(entered) ?? true) {
        open.push(openLevel((entered.node as DirectoryNode).tree, entered.path))
      }
    }
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const node = top.nodes[top.at]
      if (node !== undefined) {
        top.at++
        const entry = { path: joinName(top.path, node.name), node }
        if (node.type === 'directory') this.entered = entry
        return entry
      }
      const page = top.pages.at(-1)
      if (page === undefined) {
        open.pop()
        continue
      }
      const bytes = this.source.readTreeNow?.(page.id)
      if (bytes === undefined) return WAIT
      takePage(top, bytes)
    }
    return undefined
  }

  /** Read the page that `next` stopped at. */
  async wait(): Promise<void> {
    const top = this.open.at(-1)!
    takePage(top, await this.source.readTree(top.pages.at(-1)!.id))
  }
}

/** A directory that a walk is in. */
interface Level {
  readonly path: RawName
  /** Pages still to be read, the next one last. */
  readonly pages: { readonly id: ChunkId; readonly level: number | undefined }[]
  nodes: readonly Node[]
  at: number
  last: RawName | undefined
}

function openLevel(tree: ChunkId, path: RawName): Level {
  return { path, pages: [{ id: tree, level: undefined }], nodes: [], at: 0, last: undefined }
}

/** @throws HoldfastError DAMAGED */
function takePage(level: Level, bytes: Uint8Array): void {
  const page = parseDirectoryPage(bytes, level.pages.pop()!.level)
  if (page.children === undefined) {
    level.nodes = page.nodes
    level.at = 0
    level.last = checkOrder(page.nodes, level.last)
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
    at = node?.type === 'directory' ? (node as DirectoryNode).tree : undefined
  }
  return node
}

/** Steps through one directory beside another ordered list: names asked for must ascend. */
export interface DirectoryCursor {
  /** The node of this name; undefined when there is none. */
  seek(name: RawName): Promise<Node | undefined>
  /** Read to the end. @returns how many nodes the directory has, and all its pages */
  finish(): Promise<{ readonly count: number; readonly pageIds: readonly ChunkId[] }>
}

export function createDirectoryCursor(source: TreeSource, tree: ChunkId): DirectoryCursor {
  const pages = readDirectory(source, tree)
  const pageIds: ChunkId[] = []
  let nodes: readonly Node[] = []
  let at = 0
  let count = 0
  let ended = false
  const nextPage = async (): Promise<void> => {
    const next = await pages.next()
    if (next.done === true) {
      ended = true
      return
    }
    nodes = next.value.nodes
    pageIds.push(...next.value.pageIds)
    count += nodes.length
    at = 0
  }
  return {
    async seek(name) {
      for (;;) {
        while (at < nodes.length) {
          const order = compareNames(nodes[at]!.name, name)
          if (order > 0) return undefined
          at++
          if (order === 0) return nodes[at - 1]
        }
        if (ended) return undefined
        await nextPage()
      }
    },
    async finish() {
      while (!ended) await nextPage()
      return { count, pageIds }
    },
  }
}
