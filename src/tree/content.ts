import { type ChunkId, encodeValue, ID_BYTES } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { type ContentRef, INLINE_IDS } from './node.ts'
import {
  boundaryHash,
  endsPage,
  isBoundary,
  parsePage,
  splitIds,
  type TreeSink,
  type TreeSource,
  UpperPages,
} from './pages.ts'

/** Bytes of an id that decide where a page of ids ends. */
const KEY_BYTES = 8

/**
 * Keep a file's list of chunk ids: in the node when it is short, else in pages of their own.
 *
 * @param ids n × 32 bytes; borrowed when short
 */
export function writeContent(sink: TreeSink, ids: Uint8Array): ContentRef {
  if (ids.length <= INLINE_IDS * ID_BYTES) return { depth: 0, ids }
  const upper = new UpperPages(sink, (children) => Buffer.concat(children.map((child) => child.id)))
  const addPage = (start: number, end: number): void => {
    const id = sink.saveTree(encodeValue([0, ids.subarray(start, end)]))
    upper.add(0, { lastKey: ids.subarray(end - ID_BYTES, end - ID_BYTES + KEY_BYTES), id })
  }
  let start = 0
  for (let at = 0; at < ids.length; at += ID_BYTES) {
    const end = at + ID_BYTES
    const endsHere = isBoundary(boundaryHash(ids, 0, at, at + KEY_BYTES))
    if (!endsPage((end - start) / ID_BYTES, end - start, endsHere)) continue
    addPage(start, end)
    start = end
  }
  if (start < ids.length) addPage(start, ids.length)
  const root = upper.finish()
  return { depth: root.levels + 1, ids: root.id }
}

/** One run of a file's chunk ids in order, with the ids of the pages passed to reach it. */
export interface ContentRun {
  readonly ids: readonly ChunkId[]
  readonly pageIds: readonly ChunkId[]
}

/** What a node keeps of its list: the ids themselves, or the root page and its level. */
export function rootPage(
  content: ContentRef,
):
  | { readonly ids: readonly ChunkId[] }
  | { readonly ids: undefined; readonly id: ChunkId; readonly level: number } {
  const ids = splitIds(content.ids)
  return content.depth === 0 ? { ids } : { ids: undefined, id: ids[0]!, level: content.depth - 1 }
}

/** The ids of a page: of chunks at level 0, of pages one level down above it. @throws HoldfastError DAMAGED */
export function parseContentPage(bytes: Uint8Array, level: number): readonly ChunkId[] {
  const page = parsePage(bytes, level)
  if (!(page.body instanceof Uint8Array)) throw new HoldfastError('DAMAGED', 'a page has no list of ids')
  if (page.body.length === 0) throw new HoldfastError('DAMAGED', 'a page of ids is empty')
  return splitIds(page.body)
}

/** Read a file's chunk ids in order, a page at a time. @throws HoldfastError DAMAGED */
export async function* readContent(source: TreeSource, content: ContentRef): AsyncGenerator<ContentRun> {
  const root = rootPage(content)
  if (root.ids !== undefined) {
    if (root.ids.length > 0) yield { ids: root.ids, pageIds: [] }
    return
  }
  let passed: ChunkId[] = []
  async function* descend(id: ChunkId, level: number): AsyncGenerator<ContentRun> {
    const ids = parseContentPage(source.readTreeNow?.(id) ?? (await source.readTree(id)), level)
    passed.push(id)
    if (level === 0) {
      const pageIds = passed
      passed = []
      yield { ids, pageIds }
      return
    }
    for (const child of ids) yield* descend(child, level - 1)
  }
  yield* descend(root.id, root.level)
}
