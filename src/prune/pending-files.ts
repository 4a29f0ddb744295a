import type { FileId } from '../encoding/index.ts'
import { hasCode } from '../errors/index.ts'
import { listFiles, type Pending, parsePending, type Repository } from '../repository/index.ts'

export interface PendingFile extends Pending {
  readonly id: FileId
}

/**
 * Read every file of `pending/`; one that another prune has dealt with meanwhile is left out.
 *
 * @param onDamaged hears of files that cannot be read. What they name is condemned and in no pending file that can:
 *   the mark names it anew, and may remove them then
 */
export async function listPending(
  repository: Repository,
  signal?: AbortSignal,
  onDamaged?: (id: FileId) => void,
): Promise<PendingFile[]> {
  const found: PendingFile[] = []
  for await (const { id } of listFiles(repository.backend, 'pending', signal)) {
    try {
      found.push({ id, ...(await repository.getValue('pending', id, parsePending, { signal })) })
    } catch (error) {
      if (hasCode(error, 'NO_SUCH_FILE')) continue
      if (!hasCode(error, 'DAMAGED')) throw error
      repository.noticeOnce(`${error.message}; what it names is taken up anew`)
      onDamaged?.(id)
    }
  }
  return found
}
