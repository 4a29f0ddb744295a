import type { FileId } from '../encoding/index.ts'
import { checkAborted, hasCode } from '../errors/index.ts'
import { directories, fileName, listFiles, listSessions, type Repository } from '../repository/index.ts'
import { parseSnapshot, type Snapshot } from './record.ts'

/** Snapshot files that are read at once. */
const READS = 16

export interface ListedSnapshot extends Snapshot {
  /** False while its session is given up on: it may lack chunks. Shown, but never chosen by itself. */
  readonly isConfirmed: boolean
}

export interface SnapshotList {
  /** Oldest first. */
  readonly snapshots: readonly ListedSnapshot[]
  readonly damaged: readonly { readonly id: FileId; readonly error: unknown }[]
}

/**
 * Every snapshot: `snapshots/` is listed first, `sessions/` after it, so that a snapshot put under a session
 * given up on is never taken for a whole one. To read chunks, load the index before.
 */
export async function listSnapshots(repository: Repository, signal?: AbortSignal): Promise<SnapshotList> {
  const ids: FileId[] = []
  for await (const { id } of listFiles(repository.backend, 'snapshot', signal)) ids.push(id)
  const { over } = await listSessions(repository.backend, signal)
  const snapshots: ListedSnapshot[] = []
  const damaged: { id: FileId; error: unknown }[] = []
  const kept: [name: string, bytes: Buffer][] = []
  const read = async (id: FileId): Promise<void> => {
    try {
      const record = await repository.getValue('snapshot', id, parseSnapshot, {
        isCached: true,
        kept,
        signal,
      })
      snapshots.push({ id, ...record, isConfirmed: !over.has(record.session) })
    } catch (error) {
      if (hasCode(error, 'NO_SUCH_FILE')) return
      if (!hasCode(error, 'DAMAGED')) throw error
      damaged.push({ id, error })
    }
  }
  for (let from = 0; from < ids.length; from += READS) {
    checkAborted(signal)
    await Promise.all(ids.slice(from, from + READS).map(read))
    // One transaction for all of them.
    if (kept.length > 0) repository.index.putCached(kept.splice(0))
  }
  damaged.sort((left, right) => (left.id < right.id ? -1 : 1))
  forgetCached(repository, ids)
  snapshots.sort((left, right) => left.timeMs - right.timeMs || (left.id < right.id ? -1 : 1))
  return { snapshots, damaged }
}

/** Drop cached snapshots that the repository does not have any more. */
function forgetCached(repository: Repository, ids: readonly FileId[]): void {
  const present = new Set(ids.map((id) => fileName('snapshot', id)))
  const gone = [...repository.index.cachedNames()].filter(
    (name) => name.startsWith(`${directories.snapshot}/`) && !present.has(name),
  )
  if (gone.length > 0) repository.index.removeCached(gone)
}
