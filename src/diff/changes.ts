import type { RawName } from '../encoding/index.ts'
import type { NodeChange, NodeType } from '../tree/index.ts'
import type { ChunkTotals } from './chunk-counts.ts'

/** One line of a comparison. */
export interface Change {
  /** From the compared folders on, with `/` at its start. */
  readonly path: RawName
  readonly change: 'added' | 'removed' | Exclude<NodeChange, 'same'>
  /** What is there on each side. */
  readonly before: NodeType | undefined
  readonly after: NodeType | undefined
}

/** What one side has that the other has not. */
export interface DiffTotals extends Readonly<ChunkTotals> {
  readonly files: number
  readonly directories: number
  readonly others: number
}

export interface DiffResult {
  /** Regular files whose content differs. */
  readonly changedFiles: number
  readonly added: DiffTotals
  readonly removed: DiffTotals
}

/** Collects changes into batches, and counts nodes. */
export interface ChangeLog {
  readonly nodes: Readonly<Record<'added' | 'removed', NodeCounts>>
  readonly changedFiles: number
  put(change: Change): Promise<void> | undefined
  /** Hand on what is left. */
  flush(): Promise<void>
}

interface NodeCounts {
  files: number
  directories: number
  others: number
}

const BATCH = 256

/** @param onChanges called with some changes in order; waited for */
export function createChangeLog(
  onChanges: ((changes: readonly Change[]) => Promise<void> | void) | undefined,
  withMetadata: boolean,
): ChangeLog {
  const nodes = {
    added: { files: 0, directories: 0, others: 0 },
    removed: { files: 0, directories: 0, others: 0 },
  }
  let changedFiles = 0
  let batch: Change[] = []
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    const changes = batch
    batch = []
    await onChanges?.(changes)
  }
  return {
    nodes,
    get changedFiles() {
      return changedFiles
    },
    put(one) {
      const { change, before, after } = one
      if (change === 'added') nodes.added[classOf(after)]++
      else if (change === 'removed') nodes.removed[classOf(before)]++
      else if ((change === 'content' || change === 'silent') && after === 'file') changedFiles++
      // A folder's content has lines of its own.
      const isShown = change === 'metadata' ? withMetadata : !(change === 'content' && after === 'directory')
      if (!isShown || onChanges === undefined) return undefined
      batch.push(one)
      return batch.length >= BATCH ? flush() : undefined
    },
    flush,
  }
}

function classOf(type: NodeType | undefined): keyof NodeCounts {
  if (type === 'file') return 'files'
  return type === 'directory' ? 'directories' : 'others'
}
