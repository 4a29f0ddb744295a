import type { ChunkId, FileId, SessionId } from '../../../src/encoding/index.ts'
import type { Repository, RunWriter } from '../../../src/repository/index.ts'
import {
  commitSnapshot,
  type ListedSnapshot,
  type SnapshotDraft,
  type SnapshotRecord,
} from '../../../src/snapshot/index.ts'
import { createDirectoryWriter, writeContent } from '../../../src/tree/index.ts'
import { ownId } from '../repository/scene.ts'
import { fileNode } from '../tree/nodes.ts'

export const summary: SnapshotRecord['summary'] = {
  filesNew: 1,
  filesChanged: 0,
  filesUnmodified: 0,
  directoriesNew: 0,
  directoriesChanged: 0,
  directoriesUnmodified: 0,
  dataChunks: 1,
  treeChunks: 1,
  addedBytes: 10,
  addedPackedBytes: 20,
  totalFiles: 1,
  totalBytes: 10,
  durationMs: 5,
  errors: 0,
}

export function recordOf(change: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return {
    timeMs: 1_700_000_000_000,
    offsetMinutes: 60,
    host: 'alpha',
    user: 'user',
    uid: 1000,
    gid: 1000,
    paths: ['/home'],
    tags: [],
    description: '',
    excludes: [],
    programVersion: '0.1.0',
    parent: null,
    original: null,
    session: '0'.repeat(32) as SessionId,
    tree: Buffer.alloc(32) as Uint8Array as ChunkId,
    summary,
    incomplete: false,
    git: null,
    ...change,
  }
}

export function listedOf(id: string, change: Partial<ListedSnapshot> = {}): ListedSnapshot {
  return { ...recordOf(), id: id.padEnd(64, '0') as FileId, isConfirmed: true, ...change }
}

/** Store a directory of files with these contents, one chunk each. */
export function saveFiles(
  repository: Repository,
  writer: RunWriter,
  files: Readonly<Record<string, string | Buffer>>,
): ChunkId {
  const directory = createDirectoryWriter(writer)
  for (const name of Object.keys(files).sort()) {
    const content = files[name]!
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const id = ownId(repository, 'data', bytes)
    if (!writer.isStored(id)) writer.saveChunk('data', id, bytes)
    directory.add(fileNode(name, { sizeBytes: BigInt(bytes.length), content: writeContent(writer, id) }))
  }
  return Uint8Array.from(directory.finish()) as ChunkId
}

export function draftOf(tree: ChunkId, timeMs = 1_700_000_000_000): NonNullable<SnapshotDraft> {
  const { session: _, ...draft } = recordOf({ tree, timeMs })
  return draft
}

/** Commit a snapshot of a directory with these files. */
export async function commitFiles(
  repository: Repository,
  files: Readonly<Record<string, string>>,
  options: { readonly timeMs?: number; readonly signal?: AbortSignal } = {},
): Promise<FileId> {
  const { timeMs = 1_700_000_000_000, signal } = options
  const session = { operation: 'backup', nowMs: timeMs, signal }
  const id = await commitSnapshot(repository, session, async (writer) =>
    draftOf(saveFiles(repository, writer, files), timeMs),
  )
  return id!
}
