import type { FileId } from '../encoding/index.ts'
import { DamagedError, hasCode } from '../errors/index.ts'
import type { IndexFacts } from '../index/index.ts'
import { parseIndexFile } from './index-file.ts'
import { fileName } from './layout.ts'
import { listFiles, listPacks } from './list.ts'
import type { Repository } from './repository.ts'

export interface LoadOptions {
  /**
   * Go on without index files that are damaged, and say so. For commands that only read: a writer that missed
   * a condemnation could rely on a pack that goes.
   */
  readonly tolerateDamage?: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Take in every fact that is durable when this begins: list `index/`, read every file not read before; a file
 * that is gone meanwhile was merged into another one, so list again (rule R18).
 *
 * @returns true when there was anything new
 */
export async function loadIndex(repository: Repository, options: LoadOptions): Promise<boolean> {
  const { index, backend } = repository
  let isNew = false
  for (;;) {
    const listed = new Set<FileId>()
    for await (const { id } of listFiles(backend, 'index', options.signal)) listed.add(id)
    index.renew()
    const known = index.files()
    repository.loadedGeneration = index.generation
    const fresh = [...listed].filter((id) => !known.has(id))
    const gone = [...known].filter((id) => !listed.has(id))
    if (fresh.length === 0 && gone.length === 0) return isNew
    const taken = { count: 0 }
    try {
      const result = await index.update(
        readIndexFiles(repository, fresh, options, taken),
        gone,
        options.signal,
      )
      if (result === 'updated') return isNew || taken.count > 0
      isNew = true
      // Another process that shares the index has found the same, and is not to be disturbed again.
      if (result === 'reset-meanwhile') continue
      repository.onNotice(
        'the repository is not the one the local index was built from: rebuilding the index',
      )
      await index.reset()
    } catch (error) {
      if (!hasCode(error, 'NO_SUCH_FILE')) throw error
    }
  }
}

async function* readIndexFiles(
  repository: Repository,
  files: readonly FileId[],
  options: LoadOptions,
  taken: { count: number },
): AsyncGenerator<{ file: FileId; facts: IndexFacts }> {
  for (const file of files) {
    try {
      yield {
        file,
        facts: await repository.getValue('index', file, parseIndexFile, { signal: options.signal }),
      }
      taken.count++
    } catch (error) {
      if (!hasCode(error, 'DAMAGED')) throw error
      if (!options.tolerateDamage) {
        throw new DamagedError(fileName('index', file), 'it cannot be used', {
          hint: 'run holdfast repair index; reading and restoring work meanwhile',
          cause: error,
        })
      }
      repository.noticeOnce(`${error.message}; going on without it. Run holdfast repair index`)
    }
  }
}

/**
 * To be asked before anything is taken for lost: where packs are stored that no index file lists, an index file is lost,
 * and what it listed is most likely still there. A backup at work has such packs too, for a while.
 *
 * @throws DamagedError when there are any, by an index that is loaded after they were listed
 */
export async function requireListedPacks(repository: Repository, signal?: AbortSignal): Promise<void> {
  const stored: FileId[] = []
  for await (const { id } of listPacks(repository, signal)) stored.push(id)
  await repository.loadIndex({ tolerateDamage: true, signal })
  const { index } = repository
  const unlisted = stored.filter((id) => index.pack(id) === undefined && !index.isCondemned(id))
  if (unlisted.length === 0) return
  throw new DamagedError(
    'index',
    `it lacks ${unlisted.length} of the packs that are stored, and chunks that are needed`,
    {
      hint: `run holdfast repair index first: what those packs hold is not lost; nothing was changed. For one that it cannot list: holdfast repair packs ${unlisted[0]}`,
    },
  )
}

/** What listing the packs found wrong with those the index relies on. */
export interface PackCheck {
  readonly missing: readonly FileId[]
  readonly wrongSize: readonly FileId[]
}

/**
 * Compare the packs in storage with the index, which must be loaded. Packs that are missing or have another
 * size are marked lost: their chunks count as new for this client, so the next backup stores them again.
 */
export async function markLostPacks(repository: Repository, signal?: AbortSignal): Promise<PackCheck> {
  // Before the packs are listed: another process that shares the index may list one that is put meanwhile.
  const rows = [...repository.index.packs()].filter((row) => row.state !== 'condemned')
  const sizes = new Map<FileId, number>()
  for await (const pack of listPacks(repository, signal)) sizes.set(pack.id, pack.sizeBytes)
  const missing: FileId[] = []
  const wrongSize: FileId[] = []
  const lost: FileId[] = []
  for (const row of rows) {
    const size = sizes.get(row.id)
    if (size === row.sizeBytes) continue
    ;(size === undefined ? missing : wrongSize).push(row.id)
    if (row.state === 'good') lost.push(row.id)
  }
  if (lost.length > 0) repository.index.markLost(lost)
  return { missing, wrongSize }
}
