import { type ChunkId, type FileId, ID_BYTES, nameBytes } from '../encoding/index.ts'
import { checkAborted, HoldfastError } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import { createChunkSet, type ListedSnapshot, listSnapshots } from '../snapshot/index.ts'
import { type FileNode, readContent, visitTree, type WalkEntry, walkTree } from '../tree/index.ts'
import { createFingerprintSet } from './fingerprints.ts'

/**
 * What is counted.
 * - restore-size: what restoring every snapshot would write; a file with more links once a snapshot.
 * - files-by-contents: files with different contents, each content once.
 * - chunks-per-file: the different chunks of those files, each once a path.
 * - raw-data: the chunks that snapshots need, data and trees, as they are stored.
 */
export type StatsMode = 'restore-size' | 'files-by-contents' | 'chunks-per-file' | 'raw-data'

export interface StatsOptions {
  readonly mode: StatsMode
  /** Default: all; ids that are not there count nothing. */
  readonly snapshots?: readonly FileId[] | undefined
  /** Snapshots done, of how many. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Sizes in bytes. Fields that a mode does not count are undefined. */
export interface Stats {
  readonly snapshotCount: number
  /** raw-data: what the chunks take in packs, each its share of its block. */
  readonly totalBytes: number
  /** restore-size: nodes of every type. Else regular files. */
  readonly fileCount: number | undefined
  readonly chunkCount: number | undefined
  readonly uncompressedBytes: number | undefined
  /** Uncompressed through stored. */
  readonly compressionRatio: number | undefined
  /** Share of the uncompressed bytes that is saved, in percent. */
  readonly spaceSavingPercent: number | undefined
}

interface Counts {
  bytes: number
  files: number
  chunks: number
}

/**
 * Count what snapshots hold. Memory: a bit for each chunk; files-by-contents and chunks-per-file keep 32 bytes
 * for each content of several chunks, or chunk of a path; restore-size for each file with several links.
 *
 * @throws HoldfastError INTERRUPTED; DAMAGED when something needed cannot be read
 */
export async function stats(repository: Repository, options: StatsOptions): Promise<Stats> {
  const { mode, signal } = options
  const listed = await listSnapshots(repository, signal)
  await repository.loadIndex({ tolerateDamage: true, signal })
  const snapshots = choose(listed.snapshots, options.snapshots)
  const damaged = listed.damaged.find(({ id }) => options.snapshots?.includes(id) ?? true)
  if (damaged !== undefined) throw damaged.error
  const countSnapshot = counters[mode](repository, signal)
  const counts = { bytes: 0, files: 0, chunks: 0, plainBytes: 0 }
  let done = 0
  for (const snapshot of snapshots) {
    checkAborted(signal)
    await countSnapshot(snapshot, counts)
    options.onProgress?.({ done: ++done, total: snapshots.length })
  }
  const { bytes, files, chunks, plainBytes } = counts
  const isRaw = mode === 'raw-data'
  return {
    snapshotCount: snapshots.length,
    totalBytes: Math.round(bytes),
    fileCount: isRaw ? undefined : files,
    chunkCount: mode === 'chunks-per-file' || isRaw ? chunks : undefined,
    uncompressedBytes: isRaw ? plainBytes : undefined,
    compressionRatio: isRaw && bytes > 0 ? plainBytes / bytes : undefined,
    spaceSavingPercent: isRaw && plainBytes > 0 ? (1 - bytes / plainBytes) * 100 : undefined,
  }
}

interface RawCounts extends Counts {
  plainBytes: number
}

/** Adds what one snapshot holds; what an earlier one has added is known where the mode counts it once. */
type Counter = (snapshot: ListedSnapshot, counts: RawCounts) => Promise<void>
type MakeCounter = (repository: Repository, signal: AbortSignal | undefined) => Counter

const counters: Readonly<Record<StatsMode, MakeCounter>> = {
  'restore-size': (repository, signal) => async (snapshot, counts) => {
    const links = createFingerprintSet()
    for await (const { node } of walkTree(repository, snapshot.tree, '/', { signal })) {
      counts.files++
      if (node.type !== 'file') continue
      const isFirstLink =
        node.links <= 1 || links.add(Buffer.from(`${node.fileSystem ?? ''}:${node.inode}`, 'latin1'))
      if (isFirstLink) counts.bytes += Number(node.sizeBytes)
    }
  },
  'files-by-contents': (repository, signal) => {
    const walkNewContents = createContentWalk(repository, signal)
    return async (snapshot, counts) => {
      for await (const { node } of walkNewContents(snapshot)) {
        counts.files++
        counts.bytes += Number(node.sizeBytes)
      }
    }
  },
  'chunks-per-file': (repository, signal) => {
    const walkNewContents = createContentWalk(repository, signal)
    const pathChunks = createFingerprintSet()
    const paths = createFingerprintSet()
    return async (snapshot, counts) => {
      for await (const { path, node } of walkNewContents(snapshot)) {
        const name = nameBytes(path)
        if (node.content.ids.length > 0 && paths.add(name)) counts.files++
        for await (const { ids } of readContent(repository, node.content)) {
          for (const id of ids) {
            if (!pathChunks.add(id, name)) continue
            counts.chunks++
            counts.bytes += sizeOf(repository, id).plainBytes
          }
        }
      }
    }
  },
  'raw-data': (repository, signal) => {
    const seen = createChunkSet(repository)
    return async (snapshot, counts) => {
      const count = (id: ChunkId): boolean => {
        if (!seen.add(id)) return false
        const { plainBytes, storedBytes } = sizeOf(repository, id)
        counts.chunks++
        counts.plainBytes += plainBytes
        counts.bytes += storedBytes
        return true
      }
      const data = (ids: readonly ChunkId[]): void => ids.forEach(count)
      await visitTree(repository, snapshot.tree, { enterTree: count, data }, signal)
      if (!seen.isValid()) throw rebuilt()
    }
  },
}

/** Walks regular files with a content that was not met before. Trees met before are not walked again. */
function createContentWalk(
  repository: Repository,
  signal: AbortSignal | undefined,
): (snapshot: ListedSnapshot) => AsyncGenerator<WalkEntry & { readonly node: FileNode }> {
  const trees = createChunkSet(repository)
  // One chunk, or one root page, is a content's own name: a bit each. Only lists in nodes need fingerprints.
  const single = createChunkSet(repository)
  const lists = createFingerprintSet()
  let hadEmpty = false
  const isNew = ({ content }: FileNode): boolean => {
    if (content.ids.length === 0) {
      const isFirst = !hadEmpty
      hadEmpty = true
      return isFirst
    }
    return content.ids.length === ID_BYTES ? single.add(content.ids as ChunkId) : lists.add(content.ids)
  }
  return async function* (snapshot) {
    if (!trees.add(snapshot.tree)) return
    const enter = ({ node }: WalkEntry): boolean => node.type === 'directory' && trees.add(node.tree)
    for await (const { path, node } of walkTree(repository, snapshot.tree, '/', { enter, signal })) {
      if (node.type === 'file' && isNew(node)) yield { path, node }
    }
    if (!trees.isValid()) throw rebuilt()
  }
}

/** A chunk's plaintext, and its share of what its block takes. */
function sizeOf(repository: Repository, id: ChunkId): { plainBytes: number; storedBytes: number } {
  const place = repository.index.find(id) ?? repository.index.findAll(id)[0]
  if (place === undefined) {
    throw new HoldfastError('DAMAGED', 'a snapshot needs a chunk that is in no index file', {
      hint: 'run holdfast verify',
    })
  }
  const { block, lengthBytes } = place
  const share = block.plainBytes === 0 ? 0 : lengthBytes / block.plainBytes
  return { plainBytes: lengthBytes, storedBytes: block.storedBytes * share }
}

function choose(
  snapshots: readonly ListedSnapshot[],
  chosen: readonly FileId[] | undefined,
): readonly ListedSnapshot[] {
  return chosen === undefined ? snapshots : snapshots.filter((snapshot) => chosen.includes(snapshot.id))
}

function rebuilt(): HoldfastError {
  return new HoldfastError('FAILED', 'the local index was rebuilt meanwhile', {
    hint: 'run the command again',
  })
}
