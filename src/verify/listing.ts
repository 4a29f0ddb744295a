import type { FileId } from '../encoding/index.ts'
import {
  CONFIG_NAME,
  directories,
  parseName,
  type Repository,
  type StoredName,
  type StoredPack,
} from '../repository/index.ts'
import type { ReportBuilder } from './report.ts'

/** A stored file that is no pack. */
export interface SmallFile {
  readonly name: string
  readonly stored: Exclude<StoredName, { what: 'temporary' | 'foreign' }>
}

/** What is in storage. */
export interface Listing {
  readonly packs: Map<FileId, StoredPack>
  readonly small: readonly SmallFile[]
}

/** List the whole repository once. Says what is there and not ours, and what is not there and should be. */
export async function listRepository(
  repository: Repository,
  report: ReportBuilder,
  signal?: AbortSignal,
): Promise<Listing> {
  const packs = new Map<FileId, StoredPack>()
  const small: SmallFile[] = []
  for await (const { name, sizeBytes } of repository.backend.list('', signal)) {
    const stored = parseName(name)
    if (stored.what === 'temporary') continue
    if (stored.what === 'foreign') report.note('foreign-file', `${name} is not a file of this repository`)
    else if (stored.what === 'file' && (stored.kind === 'data' || stored.kind === 'tree'))
      packs.set(stored.id, { kind: stored.kind, id: stored.id, sizeBytes })
    else small.push({ name, stored })
  }
  if (!small.some(({ stored }) => stored.what === 'config'))
    report.add(CONFIG_NAME, 'missing', 'it is not there; the copy in the key is used')
  if (!small.some(({ stored }) => stored.what === 'file' && stored.kind === 'settings'))
    report.add(directories.settings, 'missing', 'no settings are there; the defaults are used')
  return { packs, small }
}
