import {
  byteStrings,
  type ChunkId,
  chunkId,
  Fields,
  type FileId,
  fromHex,
  ID_BYTES,
  nameBytes,
  nameFromBytes,
  parseSessionId,
  type RawName,
  type SessionId,
  texts,
  toHex,
  type Value,
} from '../encoding/index.ts'
import { HoldfastError, hasCode } from '../errors/index.ts'

/** What a backup did, as its snapshot keeps it. Counts are numbers of files and chunks, sizes are bytes. */
export interface SnapshotSummary {
  readonly filesNew: number
  readonly filesChanged: number
  readonly filesUnmodified: number
  readonly directoriesNew: number
  readonly directoriesChanged: number
  readonly directoriesUnmodified: number
  readonly dataChunks: number
  readonly treeChunks: number
  /** Plaintext of new chunks, and what they take in packs. */
  readonly addedBytes: number
  readonly addedPackedBytes: number
  readonly totalFiles: number
  readonly totalBytes: number
  readonly durationMs: number
  /** Files and folders that could not be read. */
  readonly errors: number
}

/** Where a git work tree stood; read from files, git is never run. */
export interface GitState {
  readonly commit: string
  readonly branch: string
}

/** Everything a snapshot keeps but its own id. */
export interface SnapshotRecord {
  readonly timeMs: number
  /** Minutes ahead of UTC where and when it was made. */
  readonly offsetMinutes: number
  readonly host: string
  readonly user: string
  readonly uid: number
  readonly gid: number
  /** Absolute paths that were backed up, in order. */
  readonly paths: readonly RawName[]
  readonly tags: readonly string[]
  readonly description: string
  readonly excludes: readonly string[]
  readonly programVersion: string
  readonly parent: FileId | null
  /** The snapshot this one was made from by repair, tag, rewrite or copy: for a copy one of another repository. */
  readonly original: FileId | null
  readonly session: SessionId
  readonly tree: ChunkId
  readonly summary: SnapshotSummary
  /** The backup was stopped or a source path was missing: something asked for is not in it. */
  readonly incomplete: boolean
  readonly git: GitState | null
}

export interface Snapshot extends SnapshotRecord {
  readonly id: FileId
}

const MAXIMUM_PATHS = 65_536

/** The stored form: 18 fields (docs/format.md, "Snapshots"). */
export function snapshotValue(record: SnapshotRecord): Value {
  return [
    BigInt(record.timeMs),
    record.offsetMinutes,
    record.host,
    record.user,
    record.uid,
    record.gid,
    record.paths.map(nameBytes),
    record.tags,
    record.description,
    record.excludes,
    record.programVersion,
    record.parent === null ? null : fromHex(record.parent),
    record.original === null ? null : fromHex(record.original),
    fromHex(record.session),
    record.tree,
    summaryValue(record.summary),
    record.incomplete,
    record.git === null ? null : [record.git.commit, record.git.branch],
  ]
}

/**
 * Refuse what could be written but never be read back: too many paths or tags, texts that are too long.
 *
 * @throws HoldfastError USAGE
 */
export function checkSnapshot(record: SnapshotRecord): void {
  try {
    parseSnapshot(snapshotValue(record))
  } catch (error) {
    if (!hasCode(error, 'DAMAGED')) throw error
    throw new HoldfastError('USAGE', `a snapshot cannot hold all that was asked for: ${error.message}`, {
      hint: 'give fewer or shorter paths, tags, excludes and descriptions',
      cause: error,
    })
  }
}

/** @throws HoldfastError DAMAGED */
export function parseSnapshot(value: Value): SnapshotRecord {
  const fields = new Fields(value, 'snapshot', 18)
  const session = parseSessionId(toHex(fields.exactBytes(13, 16)))
  if (session === undefined) throw new HoldfastError('DAMAGED', 'a snapshot names no session')
  return {
    timeMs: fields.size(0),
    offsetMinutes: fields.int(1, -1440, 1440),
    host: fields.text(2),
    user: fields.text(3),
    uid: fields.uint(4),
    gid: fields.uint(5),
    paths: byteStrings(fields.array(6, MAXIMUM_PATHS), 'snapshot paths').map(nameFromBytes),
    tags: texts(fields.array(7, 4096), 'snapshot tags'),
    description: fields.text(8, 65_536),
    excludes: texts(fields.array(9, MAXIMUM_PATHS), 'snapshot excludes'),
    programVersion: fields.text(10, 64),
    parent: fields.isNull(11) ? null : (toHex(fields.exactBytes(11, ID_BYTES)) as FileId),
    original: fields.isNull(12) ? null : (toHex(fields.exactBytes(12, ID_BYTES)) as FileId),
    session,
    tree: chunkId(fields.exactBytes(14, ID_BYTES)),
    summary: parseSummary(fields.array(15, 64)),
    incomplete: fields.boolean(16),
    git: fields.isNull(17) ? null : parseGit(fields.array(17, 2)),
  }
}

function summaryValue(summary: SnapshotSummary): Value {
  return [
    summary.filesNew,
    summary.filesChanged,
    summary.filesUnmodified,
    summary.directoriesNew,
    summary.directoriesChanged,
    summary.directoriesUnmodified,
    summary.dataChunks,
    summary.treeChunks,
    BigInt(summary.addedBytes),
    BigInt(summary.addedPackedBytes),
    summary.totalFiles,
    BigInt(summary.totalBytes),
    summary.durationMs,
    summary.errors,
  ]
}

function parseSummary(value: Value): SnapshotSummary {
  const fields = new Fields(value, 'snapshot summary', 14)
  return {
    filesNew: fields.uint(0),
    filesChanged: fields.uint(1),
    filesUnmodified: fields.uint(2),
    directoriesNew: fields.uint(3),
    directoriesChanged: fields.uint(4),
    directoriesUnmodified: fields.uint(5),
    dataChunks: fields.uint(6),
    treeChunks: fields.uint(7),
    addedBytes: fields.size(8),
    addedPackedBytes: fields.size(9),
    totalFiles: fields.uint(10),
    totalBytes: fields.size(11),
    durationMs: fields.uint(12),
    errors: fields.uint(13),
  }
}

function parseGit(value: Value): GitState {
  const fields = new Fields(value, 'snapshot git state', 2)
  return { commit: fields.text(0, 128), branch: fields.text(1) }
}
