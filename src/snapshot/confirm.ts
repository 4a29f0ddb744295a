import type { SessionId } from '../encoding/index.ts'
import { isOver, overName, type Repository } from '../repository/index.ts'
import type { ListedSnapshot } from './list.ts'
import { isTreeWhole } from './reachable.ts'

/**
 * Take back the mark of a session given up on when its snapshot is whole by an index that is loaded here, after the
 * snapshot was listed.
 *
 * @param own session of who asks: while it is given up on itself, what it loads may have been overtaken
 * @returns whether the snapshot is confirmed now; undefined when somebody gave up on `own`, or the local index was rebuilt
 *   meanwhile, and nothing is known
 */
export async function confirmSnapshot(
  repository: Repository,
  snapshot: ListedSnapshot,
  own: SessionId,
  signal?: AbortSignal,
): Promise<boolean | undefined> {
  await repository.loadIndex({ signal })
  const { index, loadedGeneration } = repository
  if (!(await isTreeWhole(repository, snapshot.tree, signal))) return false
  index.renew()
  if (index.generation !== loadedGeneration) return undefined
  // As before anything is deleted: this load may have been overtaken.
  if (await isOver(repository.backend, own)) return undefined
  await repository.backend.remove(overName(snapshot.session))
  return true
}
