import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type BackupOptions, type BackupResult, backup } from '../../../src/backup/index.ts'
import {
  type ChunkId,
  compareNames,
  displayName,
  type FileId,
  joinName,
  nameBytes,
  type RawName,
  toHex,
} from '../../../src/encoding/index.ts'
import type { Repository, RunWriter } from '../../../src/repository/index.ts'
import { commitSnapshot, listSnapshots, type Snapshot } from '../../../src/snapshot/index.ts'
import {
  createDirectoryWriter,
  type FileNode,
  findNode,
  type Node,
  readContent,
  readDirectory,
  splitPath,
  walkTree,
} from '../../../src/tree/index.ts'
import { createStore, type MemoryStore } from '../repository/scene.ts'

/** A new directory that goes when the test is over. */
export function tempDirectory(parent: string = tmpdir()): string {
  const path = mkdtempSync(join(parent, 'holdfast-backup-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

export interface Scene {
  readonly store: MemoryStore
  readonly repository: Repository
  /** The directory that is backed up. */
  readonly source: string
  /** Back up the source, in this thread, with every error and warning collected. */
  run(options?: BackupOptions, paths?: readonly RawName[]): Promise<Outcome>
}

export interface Outcome extends BackupResult {
  /** As `path: message`, paths from the source on. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  readonly snapshot: Snapshot
}

export async function createScene(): Promise<Scene> {
  const store = createStore()
  const repository = await store.create()
  const source = tempDirectory()
  const run = async (options: BackupOptions = {}, paths: readonly RawName[] = [source]): Promise<Outcome> => {
    const errors: string[] = []
    const warnings: string[] = []
    const text = (path: RawName, message: string) => `${displayName(path).replace(source, '')}: ${message}`
    const result = await backup(repository, paths, {
      threads: 0,
      onError: ({ path, message }) => errors.push(text(path, message)),
      onWarning: ({ path, message }) => warnings.push(text(path, message)),
      ...options,
    })
    const { snapshots } = await listSnapshots(repository)
    const snapshot = snapshots.find((one) => one.id === result.snapshotId)!
    return { ...result, errors, warnings, snapshot }
  }
  return { store, repository, source, run }
}

/** Every node below a folder of a snapshot, by its path from there. */
export async function nodesOf(
  repository: Repository,
  tree: ChunkId,
  folder: RawName = '/',
): Promise<Map<string, Node>> {
  const found = new Map<string, Node>()
  const top = nameBytes(folder).length === 1 ? undefined : await findNode(repository, tree, folder)
  const start = top === undefined ? tree : top.type === 'directory' ? top.tree : undefined
  if (start === undefined) throw new Error(`${displayName(folder)} is no folder of the snapshot`)
  for await (const { path, node } of walkTree(repository, start)) found.set(displayName(path), node)
  return found
}

/** The id of a folder's tree: that of the root also follows the folders that lead to it, which others change. */
export async function treeIdOf(repository: Repository, tree: ChunkId, folder: RawName): Promise<string> {
  const node = await findNode(repository, tree, folder)
  if (node?.type !== 'directory') throw new Error(`${displayName(folder)} is no folder of the snapshot`)
  return toHex(node.tree)
}

/** The bytes of a file of a snapshot. */
export async function contentOf(repository: Repository, node: Node | undefined): Promise<Buffer> {
  if (node?.type !== 'file') throw new Error('it is no file')
  const parts: Buffer[] = []
  for await (const run of readContent(repository, node.content)) {
    for (const id of run.ids) parts.push(await repository.readChunk('data', id))
  }
  return Buffer.concat(parts)
}

/** Ids of a file's chunks. */
export async function chunkIdsOf(repository: Repository, node: Node | undefined): Promise<string[]> {
  if (node?.type !== 'file') throw new Error('it is no file')
  const ids: string[] = []
  for await (const run of readContent(repository, node.content)) ids.push(...run.ids.map(toHex))
  return ids
}

/** Every file of a snapshot with its content, by path. */
export async function filesOf(
  repository: Repository,
  tree: ChunkId,
  folder: RawName = '/',
): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const [path, node] of await nodesOf(repository, tree, folder)) {
    if (node.type === 'file') files.set(path, await contentOf(repository, node))
  }
  return files
}

/** A path below a folder, with a name that is raw bytes. */
export function rawPath(folder: string, name: Uint8Array): Buffer {
  return Buffer.from(joinName(folder, Buffer.from(name)) as Buffer)
}

/** Commit a snapshot anew with the node of one file changed. */
export async function commitChanged(
  repository: Repository,
  snapshot: Snapshot,
  path: RawName,
  change: Partial<FileNode>,
): Promise<FileId> {
  const rewrite = async (writer: RunWriter, tree: ChunkId, parts: readonly RawName[]): Promise<ChunkId> => {
    const directory = createDirectoryWriter(writer)
    for await (const { nodes } of readDirectory(repository, tree)) {
      for (const node of nodes) {
        const isOnPath = parts.length > 0 && compareNames(node.name, parts[0]!) === 0
        if (isOnPath && node.type === 'directory')
          directory.add({ ...node, tree: await rewrite(writer, node.tree, parts.slice(1)) })
        else directory.add(isOnPath && node.type === 'file' ? { ...node, ...change } : node)
      }
    }
    return Uint8Array.from(directory.finish()) as ChunkId
  }
  const options = { operation: 'test', nowMs: snapshot.timeMs }
  const id = await commitSnapshot(repository, options, async (writer) => {
    const tree = await rewrite(writer, snapshot.tree, splitPath(path))
    return { ...snapshot, tree, timeMs: Date.now() }
  })
  return id!
}
