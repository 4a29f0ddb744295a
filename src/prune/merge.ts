import type { FileId, SessionId } from '../encoding/index.ts'
import { hasCode } from '../errors/index.ts'
import {
  type IndexFacts,
  listFiles,
  listPacks,
  type NamedFile,
  type PackFacts,
  parseIndexFile,
  type Repository,
} from '../repository/index.ts'
import { putPending } from './mark.ts'
import { listPending } from './pending-files.ts'

/** Index files below this are merged, oldest knowledge first, into files of about the target. */
const SMALL_BYTES = 4 * 1024 * 1024
const TARGET_BYTES = 8 * 1024 * 1024
/** Fewer small files than this are left alone. */
const LEAST_FILES = 8

/**
 * Merge small index files: put the union first, then name what it replaces in a pending file, which is swept
 * like condemned packs (rule R17). Facts are never lost: `condemned` always stays; `holds` goes only for packs
 * that are condemned and deleted.
 *
 * @returns how many files were merged into others
 */
export async function mergeIndexFiles(
  repository: Repository,
  own: SessionId,
  signal?: AbortSignal,
): Promise<number> {
  const waiting = new Set((await listPending(repository, signal)).flatMap((pending) => pending.indexFiles))
  const small: NamedFile[] = []
  for await (const file of listFiles(repository.backend, 'index', signal)) {
    if (file.sizeBytes < SMALL_BYTES && !waiting.has(file.id)) small.push(file)
  }
  if (small.length < LEAST_FILES) return 0
  const stored = new Set<FileId>()
  for await (const pack of listPacks(repository, signal)) stored.add(pack.id)
  let merged = 0
  for (let from = 0; from < small.length; ) {
    let to = from
    for (let bytes = 0; to < small.length && bytes < TARGET_BYTES; to++) bytes += small[to]!.sizeBytes
    const batch = small.slice(from, to)
    if (batch.length > 1)
      merged += await mergeBatch(
        repository,
        own,
        batch.map((file) => file.id),
        stored,
      )
    from = to
  }
  return merged
}

async function mergeBatch(
  repository: Repository,
  own: SessionId,
  files: readonly FileId[],
  stored: ReadonlySet<FileId>,
): Promise<number> {
  const packs = new Map<FileId, PackFacts>()
  const condemned = new Set<FileId>()
  const replaces: FileId[] = []
  const inherited = new Set<FileId>()
  for (const file of files) {
    let facts: IndexFacts
    try {
      facts = await repository.getValue('index', file, parseIndexFile)
    } catch (error) {
      // Another prune has merged it and swept it meanwhile.
      if (hasCode(error, 'NO_SUCH_FILE')) continue
      throw error
    }
    for (const pack of facts.packs) {
      if (stored.has(pack.id) || !repository.index.isCondemned(pack.id)) packs.set(pack.id, pack)
    }
    for (const id of facts.condemned) condemned.add(id)
    for (const id of facts.replaces) inherited.add(id)
    replaces.push(file)
  }
  if (replaces.length < 2) return 0
  // What its sources had replaced is repeated, so that a client which was away for several merges knows its files.
  const facts: IndexFacts = {
    packs: [...packs.values()],
    condemned: [...condemned],
    replaces: [...new Set([...inherited, ...replaces])],
  }
  await repository.putFacts(facts, own)
  await putPending(repository, own, [], replaces)
  return replaces.length
}
