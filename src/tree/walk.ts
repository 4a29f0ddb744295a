import {
  type ChunkId,
  compareNames,
  joinName,
  nameBytes,
  nameFromBytes,
  type RawName,
} from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import { type DirectoryPage, findInDirectory, readDirectory } from './directory.ts'
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
  // A stack of our own: directories can be nested deeper than the program's.
  const open = [openLevel(source, tree, path)]
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const node = top.nodes[top.at++]
    if (node === undefined) {
      const next = await top.pages.next()
      if (next.done === true) open.pop()
      else {
        top.nodes = next.value.nodes
        top.at = 0
      }
      continue
    }
    checkAborted(options.signal)
    const entry = { path: joinName(top.path, node.name), node }
    yield entry
    if (node.type === 'directory' && (options.enter?.(entry) ?? true)) {
      open.push(openLevel(source, node.tree, entry.path))
    }
  }
}

/** A directory that a walk is in. */
interface Level {
  readonly path: RawName
  readonly pages: AsyncGenerator<DirectoryPage>
  nodes: readonly Node[]
  at: number
}

function openLevel(source: TreeSource, tree: ChunkId, path: RawName): Level {
  return { path, pages: readDirectory(source, tree), nodes: [], at: 0 }
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
