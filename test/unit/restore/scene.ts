import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createMemoryBackend } from '../../../src/backend/index.ts'
import { backup, chunkerConfig } from '../../../src/backup/index.ts'
import { type ChunkId, displayName, joinName, nameBytes, type RawName } from '../../../src/encoding/index.ts'
import {
  type FileStatus,
  readLink,
  readNames,
  readStatus,
  readXattrs,
} from '../../../src/filesystem/index.ts'
import { createRepository, openRepository, type Repository } from '../../../src/repository/index.ts'
import type {
  RestoreItem,
  RestoreOptions,
  RestoreProblem,
  RestoreResult,
} from '../../../src/restore/index.ts'
import { restore } from '../../../src/restore/index.ts'
import { listSnapshots, type Snapshot } from '../../../src/snapshot/index.ts'
import { findNode, readContent } from '../../../src/tree/index.ts'

const secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 7) } as const

/** Chunks of 1 to 16 KiB, so that small files have several. */
export const CHUNK_AVERAGE_BYTES = 4096

/** A new directory that goes when the test is over, whatever is in it. */
export function tempDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-'))
  onTestFinished(() => removeTree(path))
  return path
}

export function removeTree(path: string): void {
  spawnSync('rm', ['-rf', '--', path])
}

/** A repository in memory; `files` are its files by name. @param onRead hears of every read of a part of a file */
export async function makeRepository(
  onRead: (name: string) => void = () => {},
): Promise<{ repository: Repository; files: Map<string, Buffer> }> {
  const files = new Map<string, Buffer>()
  const onCall = async (operation: string, name: string): Promise<void> => {
    if (operation === 'getRange') onRead(name)
  }
  const repository = await createRepository(createMemoryBackend({ files, onCall }), {
    secret,
    cacheDirectory: null,
    chunker: chunkerConfig(CHUNK_AVERAGE_BYTES),
    nowMs: Date.now(),
  })
  return { repository, files }
}

/** Another client of the repository, which knows nothing yet. */
export async function openAgain(files: Map<string, Buffer>): Promise<Repository> {
  return await openRepository(createMemoryBackend({ files }), { secret, cacheDirectory: null })
}

/** Back up one path. */
export async function takeSnapshot(repository: Repository, path: RawName): Promise<Snapshot> {
  const { snapshotId } = await backup(repository, [path], { threads: 0 })
  const { snapshots } = await listSnapshots(repository)
  return snapshots.find((one) => one.id === snapshotId)!
}

export interface Restored {
  readonly result: RestoreResult
  readonly errors: readonly RestoreProblem[]
  readonly warnings: readonly RestoreProblem[]
  readonly items: readonly RestoreItem[]
  /** What was done, by path. */
  readonly actions: Readonly<Record<string, string>>
}

/** Restore and collect what is told. */
export async function restoreTold(
  repository: Repository,
  snapshot: Snapshot,
  options: RestoreOptions,
): Promise<Restored> {
  const errors: RestoreProblem[] = []
  const warnings: RestoreProblem[] = []
  const items: RestoreItem[] = []
  const result = await restore(repository, snapshot, {
    ...options,
    onError: (problem) => errors.push(problem),
    onWarning: (problem) => warnings.push(problem),
    onItem: (item) => items.push(item),
  })
  const actions = Object.fromEntries(items.map(({ path, action }) => [displayName(path), action]))
  return { result, errors, warnings, items, actions }
}

/** Write files by their paths below a directory. */
export function writeTree(directory: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
}

/** Bytes that are the same every time and do not compress. */
export function noise(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = (seed * 2_654_435_761 + 1) >>> 0
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

/** Where a file's chunk lies in the repository. */
export async function placeOfChunk(
  repository: Repository,
  snapshot: Snapshot,
  path: string,
  number = 0,
): Promise<{ readonly pack: string; readonly offsetBytes: number; readonly storedBytes: number }> {
  const node = await findNode(repository, snapshot.tree, path)
  if (node?.type !== 'file') throw new Error(`${path} is no file`)
  const ids: ChunkId[] = []
  for await (const run of readContent(repository, node.content)) ids.push(...run.ids)
  const { block } = (repository.index.find(ids[number]!) ?? repository.index.findAll(ids[number]!)[0])!
  const pack = `data/${block.pack.slice(0, 2)}/${block.pack}`
  return { pack, offsetBytes: block.offsetBytes, storedBytes: block.storedBytes }
}

/** Flip a bit in the block that holds a file's chunk. */
export async function damageChunk(
  files: Map<string, Buffer>,
  repository: Repository,
  snapshot: Snapshot,
  path: string,
  number = 0,
): Promise<void> {
  const { pack, offsetBytes, storedBytes } = await placeOfChunk(repository, snapshot, path, number)
  const bytes = Buffer.from(files.get(pack)!)
  bytes[offsetBytes + (storedBytes >> 1)]! ^= 1
  files.set(pack, bytes)
}

/** What of a node has to come back. Names of one file share a number of `sameAs`. */
export interface NodeFacts {
  readonly path: string
  readonly type: string
  readonly mode: number
  readonly owner: string
  readonly mtimeNs: bigint
  readonly device: string
  readonly content: string
  readonly xattrs: readonly string[]
  readonly sameAs: string
}

/** Everything below a directory in order, read by the system's calls alone; names in hex. */
export function readTree(directory: RawName): NodeFacts[] {
  const facts: NodeFacts[] = []
  const firstNames = new Map<bigint, string>()
  const visit = (folder: RawName, above: string): void => {
    for (const name of readNames(folder)) {
      const path = joinName(folder, name)
      const shown = `${above}/${nameBytes(name).toString('hex')}`
      const status = readStatus(path)
      if (!firstNames.has(status.inode)) firstNames.set(status.inode, shown)
      facts.push(factsOf(path, shown, status, firstNames.get(status.inode)!))
      if (status.type === 'directory') visit(path, shown)
    }
  }
  visit(directory, '')
  return facts
}

function factsOf(path: RawName, shown: string, status: FileStatus, firstName: string): NodeFacts {
  const { type, mode, uid, gid, mtimeNs, major, minor } = status
  return {
    path: shown,
    type,
    mode: type === 'symlink' ? 0 : mode,
    owner: `${uid}:${gid}`,
    mtimeNs,
    device: `${major}:${minor}`,
    content: contentOf(path, type),
    xattrs: readXattrs(path).xattrs.map(
      ([name, value]) => `${name.toString('hex')}=${value.toString('hex')}`,
    ),
    sameAs: firstName,
  }
}

function contentOf(path: RawName, type: string): string {
  if (type === 'symlink') return nameBytes(readLink(path)).toString('hex')
  if (type === 'file') return createHash('sha256').update(readFileSync(path)).digest('hex')
  return ''
}
