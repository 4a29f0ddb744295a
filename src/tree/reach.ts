import type { ChunkId } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import { parseContentPage, rootPage } from './content.ts'
import { openDirectoryPage } from './directory.ts'
import type { ContentRef } from './node.ts'
import type { Child, TreeSource } from './pages.ts'

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
    const page = await readPage(id, (bytes) => readLinks(bytes, level))
    if (page === undefined) return
    if (page.children !== undefined) {
      for (const child of page.children) await visitDirectory(child.id, page.level - 1)
      return
    }
    for (const link of page.links) {
      if (!('depth' in link)) {
        await visitDirectory(link, undefined)
        continue
      }
      const root = rootPage(link)
      if (root.ids !== undefined) visitor.data(root.ids)
      else await visitContent(root.id, root.level)
    }
  }

  await visitDirectory(tree, undefined)
}

type Links =
  | { readonly level: number; readonly children: readonly Child[] }
  | { readonly children: undefined; readonly links: readonly (ChunkId | ContentRef)[] }

/** What a page leads to: pages one level down, or the trees of directories and the lists of files. */
function readLinks(bytes: Uint8Array, level: number | undefined): Links {
  const page = openDirectoryPage(bytes, level)
  if (page.children !== undefined) return page
  const { nodes } = page
  const links: (ChunkId | ContentRef)[] = []
  while (nodes.next()) {
    if (nodes.type === 'directory') links.push(nodes.tree())
    else if (nodes.type === 'file' && nodes.idsEnd > nodes.idsStart) links.push(nodes.content())
  }
  return { children: undefined, links }
}
