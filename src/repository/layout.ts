import { type FileId, parseFileId, parseSessionId, type SessionId } from '../encoding/index.ts'

/** Files named by the hash of their bytes, with the directory each kind lives in. */
export const directories = {
  settings: 'settings',
  key: 'keys',
  data: 'data',
  tree: 'trees',
  index: 'index',
  snapshot: 'snapshots',
  pending: 'pending',
} as const

export type NamedKind = keyof typeof directories
export type PackKind = 'data' | 'tree'

export const CONFIG_NAME = 'config'
export const SESSIONS_DIRECTORY = 'sessions'
export const TEMPORARY_DIRECTORY = 'tmp'

/** What is at the top of a repository. */
export const TOP_NAMES: readonly string[] = [
  ...Object.values(directories),
  CONFIG_NAME,
  SESSIONS_DIRECTORY,
  TEMPORARY_DIRECTORY,
]

/** Name of a file in the repository. Packs are spread over 256 directories. */
export function fileName(kind: NamedKind, id: FileId): string {
  if (kind === 'data' || kind === 'tree') return `${directories[kind]}/${id.slice(0, 2)}/${id}`
  return `${directories[kind]}/${id}`
}

export function sessionName(session: SessionId): string {
  return `${SESSIONS_DIRECTORY}/${session}`
}

/** The mark that a session was given up on. */
export function overName(session: SessionId): string {
  return `${SESSIONS_DIRECTORY}/${session}.over`
}

/** What a name in the repository stands for. */
export type StoredName =
  | { readonly what: 'config' }
  | { readonly what: 'temporary' }
  | { readonly what: 'session' | 'over'; readonly session: SessionId }
  | { readonly what: 'file'; readonly kind: NamedKind; readonly id: FileId }
  | { readonly what: 'foreign' }

const kindsByDirectory = new Map(
  (Object.keys(directories) as NamedKind[]).map((kind) => [directories[kind] as string, kind]),
)

/** Read a name back; anything this program does not write is `foreign`. */
export function parseName(name: string): StoredName {
  if (name === CONFIG_NAME) return { what: 'config' }
  const parts = name.split('/')
  const last = parts.at(-1)!
  if (parts[0] === TEMPORARY_DIRECTORY) return { what: 'temporary' }
  if (parts[0] === SESSIONS_DIRECTORY && parts.length === 2) {
    const over = last.endsWith('.over')
    const session = parseSessionId(over ? last.slice(0, -'.over'.length) : last)
    return session === undefined ? { what: 'foreign' } : { what: over ? 'over' : 'session', session }
  }
  const kind = kindsByDirectory.get(parts[0]!)
  const id = parseFileId(last)
  if (kind === undefined || id === undefined || fileName(kind, id) !== name) return { what: 'foreign' }
  return { what: 'file', kind, id }
}
