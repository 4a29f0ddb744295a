import { type ChunkId, ID_BYTES, toHex } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import { type ContentRef, parseContentPage, rootPage, splitIds } from '../tree/index.ts'
import { AFTER, BEFORE, type ChunkCounts, type Side } from './chunk-counts.ts'

/** Takes what holds a file's chunks: pages, and chunks. @returns false where it need not be looked into */
interface ContentTaker {
  page(id: ChunkId): boolean
  data(id: ChunkId): void
}

/** Counts the chunks of files, for one side or the other. Pages of a long list are read; content never is. */
export interface ContentCounts {
  /** A file that one side has. */
  addFile(side: Side, content: ContentRef): Promise<void> | undefined
  /** A file whose lists differ: of long lists only the pages that one side has are read, unless it is to be exact. */
  addChanged(before: ContentRef, after: ContentRef): Promise<void> | undefined
  /** A file that both sides have. */
  addShared(content: ContentRef): Promise<void> | undefined
}

export function createContentCounts(
  repository: Repository,
  counts: ChunkCounts,
  { isExact, signal }: { readonly isExact: boolean; readonly signal: AbortSignal | undefined },
): ContentCounts {
  const readPage = (id: ChunkId): Uint8Array | Promise<Uint8Array> =>
    repository.readTreeNow(id) ?? repository.readTree(id)
  const pages = async (id: ChunkId, level: number, taker: ContentTaker): Promise<void> => {
    checkAborted(signal)
    if (!taker.page(id)) return
    const ids = parseContentPage(await readPage(id), level)
    if (level === 0) for (const chunk of ids) taker.data(chunk)
    else for (const child of ids) await pages(child, level - 1, taker)
  }
  const take = (content: ContentRef, taker: ContentTaker): Promise<void> | undefined => {
    if (content.ids.length === 0) return undefined
    if (content.depth === 0) {
      // Most files have one chunk: the list is its id.
      if (content.ids.length === ID_BYTES) taker.data(content.ids as ChunkId)
      else for (const id of splitIds(content.ids)) taker.data(id)
      return undefined
    }
    const root = rootPage(content)
    return root.ids === undefined ? pages(root.id, root.level, taker) : undefined
  }
  const takerOf = (side: Side): ContentTaker => ({
    page: (id) => counts.add(side, 'tree', id),
    data: (id) => void counts.add(side, 'data', id),
  })
  const before = takerOf(BEFORE)
  const after = takerOf(AFTER)
  const shared: ContentTaker = {
    page: (id) => counts.addShared('tree', id),
    data: (id) => void counts.addShared('data', id),
  }
  /** Ids of the pages one level below a list's root. */
  const childrenOf = async (content: ContentRef): Promise<ReadonlySet<string>> => {
    const root = rootPage(content)
    if (root.ids !== undefined || root.level === 0) return new Set()
    return new Set(parseContentPage(await readPage(root.id), root.level).map(toHex))
  }
  const addChangedPages = async (left: ContentRef, right: ContentRef): Promise<void> => {
    // Below roots of one level the same pages stand for the same stretches; a root itself is one side's own.
    const isLevel = left.depth === right.depth
    const [inLeft, inRight] = isLevel
      ? [await childrenOf(left), await childrenOf(right)]
      : [new Set<string>(), new Set<string>()]
    const without = (taker: ContentTaker, others: ReadonlySet<string>): ContentTaker => ({
      page: (id) => !others.has(toHex(id)) && taker.page(id),
      data: taker.data,
    })
    await take(left, without(before, inRight))
    await take(right, without(after, inLeft))
  }
  return {
    addFile: (side, content) => take(content, side === BEFORE ? before : after),
    addChanged(left, right) {
      if (!isExact && left.depth > 0 && right.depth > 0) return addChangedPages(left, right)
      const first = take(left, before)
      return first === undefined ? take(right, after) : first.then(() => take(right, after))
    },
    addShared: (content) => take(content, shared),
  }
}
