import type { ChunkId, RawName } from '../encoding/index.ts'
import { joinName } from '../encoding/index.ts'
import { checkAborted, isLossOfData } from '../errors/index.ts'
import { createDirectoryWriter, openDirectoryPage } from './directory.ts'
import type { DirectoryNode, Node } from './node.ts'
import type { TreeSink, TreeSource } from './pages.ts'

/** What a tree written anew has of the old one. */
export interface RewriteRules {
  /** A node that is no directory: itself, another in its place, or undefined for none. */
  entry(path: RawName, node: Exclude<Node, DirectoryNode>): Promise<Node | undefined>
  /** False leaves out a directory with all below it. Default: all stay. */
  enter?(path: RawName): boolean
  /** A part of a directory that cannot be read is left out; told of its path. Without it the error is thrown. */
  unreadable?(path: RawName, error: unknown): void
  readonly signal?: AbortSignal | undefined
}

/**
 * Write a tree anew, with what the rules leave of it; what stays as it was gets the ids it had. Every page is given
 * to the sink, which stores what is not there yet. Memory: one page for each level of directories.
 *
 * @param path of the tree in the snapshot; `/` for a root
 * @returns the new tree's id, in memory of its own
 */
export async function rewriteTree(
  source: TreeSource,
  sink: TreeSink,
  tree: ChunkId,
  path: RawName,
  rules: RewriteRules,
): Promise<ChunkId> {
  const writer = createDirectoryWriter(sink)
  let last: Uint8Array | undefined
  const visit = async (id: ChunkId, level: number | undefined): Promise<void> => {
    checkAborted(rules.signal)
    let nodes: Node[]
    try {
      const page = openDirectoryPage(source.readTreeNow?.(id) ?? (await source.readTree(id)), level, last)
      if (page.children !== undefined) {
        for (const child of page.children) await visit(child.id, page.level - 1)
        return
      }
      nodes = []
      while (page.nodes.next()) nodes.push(page.nodes.decode())
      if (nodes.length > 0) last = page.nodes.nameBytes()
    } catch (error) {
      if (rules.unreadable === undefined || !isLossOfData(error)) throw error
      rules.unreadable(path, error)
      return
    }
    for (const node of nodes) {
      const below = joinName(path, node.name)
      const kept =
        node.type === 'directory' ? await keepDirectory(below, node) : await rules.entry(below, node)
      if (kept !== undefined) writer.add(kept)
    }
  }
  const keepDirectory = async (below: RawName, node: DirectoryNode): Promise<Node | undefined> => {
    if (rules.enter?.(below) === false) return undefined
    return { ...node, tree: await rewriteTree(source, sink, node.tree, below, rules) }
  }
  await visit(tree, undefined)
  return Uint8Array.from(writer.finish()) as Uint8Array as ChunkId
}
