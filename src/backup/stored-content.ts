import { type ChunkId, ID_BYTES } from '../encoding/index.ts'
import { isLossOfData } from '../errors/index.ts'
import type { ChunkStore } from '../repository/worker.ts'
import { parseContentPage, type StoredNodes } from '../tree/index.ts'
import type { Steps } from './steps.ts'

/**
 * Rule R2: every chunk the snapshot will name is looked up, also below a node of the parent.
 *
 * @param node shows a file
 */
export function* isContentStored(store: ChunkStore, node: StoredNodes): Steps<boolean> {
  if (node.depth > 0) return yield* isListStored(store, node.idAt(node.idsStart), node.depth - 1)
  for (let at = node.idsStart; at < node.idsEnd; at += ID_BYTES) {
    if (!store.isStored(node.idAt(at))) return false
  }
  return true
}

function* isListStored(store: ChunkStore, id: ChunkId, level: number): Steps<boolean> {
  const page = yield id
  if (page === undefined || !store.isStored(id)) return false
  let ids: readonly ChunkId[]
  try {
    ids = parseContentPage(page, level)
  } catch (error) {
    if (!isLossOfData(error)) throw error
    return false
  }
  if (level === 0) return ids.every((one) => store.isStored(one))
  for (const child of ids) if (!(yield* isListStored(store, child, level - 1))) return false
  return true
}
