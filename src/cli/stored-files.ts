import { HoldfastError } from '../errors/index.ts'
import {
  displayName,
  listFiles,
  listPacks,
  type NamedFile,
  type NamedKind,
  type Repository,
} from '../index.ts'

/** What a user can list of files named by their hash. */
export type ListedKind = 'snapshots' | 'packs' | 'index' | 'keys' | 'settings' | 'pending'

/** In the order of the help, with the kind of file each but `packs` stands for. */
export const listedKinds: Readonly<Record<ListedKind, NamedKind | undefined>> = {
  snapshots: 'snapshot',
  packs: undefined,
  index: 'index',
  keys: 'key',
  settings: 'settings',
  pending: 'pending',
}

/** The stored files of a kind, in no order. */
export function listStoredFiles(
  repository: Repository,
  listed: ListedKind,
  signal: AbortSignal,
): AsyncGenerator<NamedFile> {
  const kind = listedKinds[listed]
  return kind === undefined ? listPacks(repository, signal) : listFiles(repository.backend, kind, signal)
}

/** The one file of a kind whose id begins so. @throws HoldfastError USAGE when there is none, or several */
export async function findFile(
  repository: Repository,
  listed: ListedKind,
  wanted: string,
  signal: AbortSignal,
): Promise<NamedFile> {
  const found: NamedFile[] = []
  for await (const file of listStoredFiles(repository, listed, signal)) {
    if (file.id.startsWith(wanted)) found.push(file)
  }
  if (found.length === 1) return found[0]!
  const noun = listed.replace(/s$/, '')
  throw new HoldfastError(
    'USAGE',
    found.length === 0
      ? `there is no ${noun} ${displayName(wanted)}`
      : `${displayName(wanted)} is the beginning of ${found.length} ids`,
    {
      hint: found.length === 0 ? `holdfast list ${listed} shows what is there` : 'give more digits of the id',
    },
  )
}
