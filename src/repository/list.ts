import type { Backend } from '../backend/index.ts'
import type { FileId } from '../encoding/index.ts'
import { directories, type NamedKind, type PackKind, parseName } from './layout.ts'
import type { Repository } from './repository.ts'

/** A file named by the hash of its bytes, as it lies in storage. */
export interface NamedFile {
  readonly kind: NamedKind
  readonly id: FileId
  readonly sizeBytes: number
}

/** A pack as it lies in storage. */
export interface StoredPack extends NamedFile {
  readonly kind: PackKind
}

/** The files of one kind, in the order storage lists them. What this program does not write is passed over. */
export async function* listFiles<Kind extends NamedKind>(
  backend: Backend,
  kind: Kind,
  signal?: AbortSignal,
): AsyncGenerator<NamedFile & { readonly kind: Kind }> {
  for await (const { name, sizeBytes } of backend.list(directories[kind], signal)) {
    const stored = parseName(name)
    if (stored.what === 'file') yield { kind, id: stored.id, sizeBytes }
  }
}

/** True once anything has been stored with a key. */
export async function holdsData(backend: Backend): Promise<boolean> {
  for (const kind of ['data', 'tree', 'index', 'snapshot', 'pending'] as const)
    for await (const _ of listFiles(backend, kind)) return true
  return false
}

/** Whether a file is listed. One listing of its kind. */
export async function isListed(repository: Repository, kind: NamedKind, id: FileId): Promise<boolean> {
  for await (const file of listFiles(repository.backend, kind)) if (file.id === id) return true
  return false
}

/** List `data/` and `trees/`. */
export async function* listPacks(repository: Repository, signal?: AbortSignal): AsyncGenerator<StoredPack> {
  yield* listFiles(repository.backend, 'data', signal)
  yield* listFiles(repository.backend, 'tree', signal)
}
