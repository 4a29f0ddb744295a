import type { FileId } from '../encoding/index.ts'
import { checkAborted, HoldfastError } from '../errors/index.ts'
import { fileName, type Repository } from '../repository/index.ts'
import { type ListedSnapshot, listSnapshots, matchesFilter, type SnapshotFilter } from '../snapshot/index.ts'
import { applyPolicy, type GroupKey, groupSnapshots, type KeepPolicy, type KeptSnapshot } from './policy.ts'

export interface ForgetOptions extends SnapshotFilter {
  readonly policy: KeepPolicy
  /** Rules are applied to each group by itself. Default: host and paths. */
  readonly groupBy?: readonly GroupKey[]
  /** Default: now. */
  readonly nowMs?: number
  readonly signal?: AbortSignal | undefined
}

/** What a policy does to one group of snapshots. */
export interface ForgetGroup {
  readonly host: string | undefined
  readonly paths: ListedSnapshot['paths'] | undefined
  readonly tags: readonly string[] | undefined
  readonly keep: readonly KeptSnapshot<ListedSnapshot & { readonly countable: boolean }>[]
  readonly remove: readonly ListedSnapshot[]
}

/** Apply a policy to the snapshots that match the filter. Changes nothing. */
export async function planForget(repository: Repository, options: ForgetOptions): Promise<ForgetGroup[]> {
  const { snapshots } = await listSnapshots(repository, options.signal)
  const candidates = snapshots
    .filter((snapshot) => matchesFilter(snapshot, options))
    .map((snapshot) => ({ ...snapshot, countable: snapshot.isConfirmed }))
  const nowMs = options.nowMs ?? Date.now()
  return groupSnapshots(candidates, options.groupBy ?? ['host', 'paths']).map((group) => {
    const { host, paths, tags } = group
    return { host, paths, tags, ...applyPolicy(group.snapshots, options.policy, nowMs) }
  })
}

export interface RemovedSnapshots {
  readonly removed: readonly FileId[]
  readonly failed: readonly { readonly id: FileId; readonly error: unknown }[]
}

/** Remove snapshots; what only they need is removed by the next prune. One that cannot be removed costs only itself. */
export async function removeSnapshots(
  repository: Repository,
  ids: readonly FileId[],
  signal?: AbortSignal,
): Promise<RemovedSnapshots> {
  repository.checkWritable()
  const removed: FileId[] = []
  const failed: { id: FileId; error: unknown }[] = []
  for (const id of ids) {
    checkAborted(signal)
    try {
      await repository.backend.remove(fileName('snapshot', id))
      removed.push(id)
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error
      failed.push({ id, error })
    }
  }
  return { removed, failed }
}
