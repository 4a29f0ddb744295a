import type { ChunkId } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import { parseContentPage, rootPage } from './content.ts'
import { parseDirectoryPage } from './directory.ts'
import type { TreeSource } from './pages.ts'

/** Hears of every chunk that a tree needs. */
export interface ReachVisitor {
  /** A tree chunk: true to go into it, false when that was done before. */
  enterTree(id: ChunkId): boolean
  /** Data chunks of one file or one page of a file, in order. */
  data(ids: readonly ChunkId[]): void
  /** A tree chunk that cannot be read or is no valid page; what is below stays unvisited. Without it the error is thrown. */
  unreadable?(id: ChunkId, error: unknown): void
}

/**
 * Visit every chunk reachable from a tree, each tree chunk at most once as the visitor says. Memory: one page
 * for each level.
 */
export async function visitTree(
  source: TreeSource,
  tree: ChunkId,
  visitor: ReachVisitor,
  signal?: AbortSignal,
): Promise<void> {
  const readPage = async <Page>(
    id: ChunkId,
    parse: (bytes: Uint8Array) => Page,
  ): Promise<Page | undefined> => {
    checkAborted(signal)
    if (!visitor.enterTree(id)) return undefined
    try {
      return parse(source.readTreeNow?.(id) ?? (await source.readTree(id)))
    } catch (error) {
      checkAborted(signal)
      if (visitor.unreadable === undefined) throw error
      visitor.unreadable(id, error)
      return undefined
    }
  }

  const visitContent = async (id: ChunkId, level: number): Promise<void> => {
    const ids = await readPage(id, (bytes) => parseContentPage(bytes, level))
    if (ids === undefined) return
    if (level === 0) visitor.data(ids)
    else for (const child of ids) await visitContent(child, level - 1)
  }

  const visitDirectory = async (id: ChunkId, level: number | undefined): Promise<void> => {
    const page = await readPage(id, (bytes) => parseDirectoryPage(bytes, level))
    if (page === undefined) return
    if (page.children !== undefined) {
      for (const child of page.children) await visitDirectory(child.id, page.level - 1)
      return
    }
    for (const node of page.nodes) {
      if (node.type === 'directory') await visitDirectory(node.tree, undefined)
      if (node.type !== 'file' || node.content.ids.length === 0) continue
      const root = rootPage(node.content)
      if (root.ids !== undefined) visitor.data(root.ids)
      else await visitContent(root.id, root.level)
    }
  }

  await visitDirectory(tree, undefined)
}
