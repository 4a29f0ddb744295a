import { type ChunkId, ID_BYTES } from '../encoding/index.ts'
import type { Repository } from '../repository/index.ts'

type Index = Repository['index']

/** Trees kept: more than a machine has sets of paths. */
const KEPT = 64
const NAME = 'looked-up-trees'
const LOSSES_BYTES = 6
const ENTRY_BYTES = ID_BYTES + LOSSES_BYTES

/**
 * True when every chunk that this tree names, itself included, is known to have a good copy: all were looked up or stored
 * when the index had as many losses as now. Saves the looking up again that rule R2 of the prune protocol asks for.
 */
export function isLookedUp(index: Index, tree: ChunkId): boolean {
  const entry = entryOf(index.losses, tree)
  return read(index).some((one) => one.equals(entry))
}

/**
 * Remember that every chunk of a tree has a good copy.
 *
 * @param losses the index's when the first of them was looked up; nothing is remembered when it has more by now
 */
export function noteLookedUp(index: Index, tree: ChunkId, losses: number): void {
  try {
    index.renew()
    if (index.losses !== losses) return
    const entry = entryOf(losses, tree)
    const others = read(index).filter((one) => !one.equals(entry))
    // Of two that write at once the one is forgotten, which costs its next backup looking up.
    index.putCached([[NAME, Buffer.concat([entry, ...others.slice(0, KEPT - 1)])]])
  } catch (error) {
    // The snapshot is there: a cache that cannot be written, or is damaged, takes nothing from it.
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}

function read(index: Index): Buffer[] {
  const bytes = index.getCached(NAME) ?? Buffer.alloc(0)
  const entries: Buffer[] = []
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    entries.push(bytes.subarray(at, at + ENTRY_BYTES))
  }
  return entries
}

function entryOf(losses: number, tree: ChunkId): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES)
  entry.set(tree)
  entry.writeUIntLE(losses, ID_BYTES, LOSSES_BYTES)
  return entry
}
