import { closeSync, readSync } from 'node:fs'
import type { ChunkId, RawName } from '../encoding/index.ts'
import { HoldfastError, hasCode, systemCode } from '../errors/index.ts'
import {
  type FileStatus,
  findHoles,
  type Hole,
  openForReading,
  readXattrs,
  statusOf,
  type Xattr,
} from '../filesystem/index.ts'
import type { BlockBuilder, PlainBlock } from '../repository/worker.ts'
import { type ContentCutter, cutAll, type ReadContent, type TakeChunk } from './content-reader.ts'

/** One file to be read. `key` is the asker's, and comes back. */
export interface ReadRequest {
  readonly key: number
  readonly path: RawName
}

/** A file as it was read: metadata of the open file, and the chunks that hold it. */
interface ReadFile {
  readonly key: number
  readonly status: FileStatus
  readonly sizeBytes: bigint
  readonly ids: Uint8Array
  readonly xattrs: readonly Xattr[]
  readonly holes: readonly Hole[]
  /** Too young to be trusted unchanged next time, or it changed while it was read. */
  readonly racy: boolean
  /** What is to be said about the file although it was read. */
  readonly warnings: readonly string[]
}

export interface UnreadableFile {
  readonly key: number
  /** The system's code, such as EACCES; '' when there is none. */
  readonly code: string
  readonly message: string
}

export type ReadResult = ReadFile | UnreadableFile

export function isUnreadable(result: ReadResult): result is UnreadableFile {
  return 'message' in result
}

/** Younger than this when it was opened: a later change could leave its times as they are. */
const RACY_NS = 2_000_000_000n

export interface FileReaderParts {
  readonly cutter: ContentCutter
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Asked between pieces of large files; true ends the reading with INTERRUPTED. */
  readonly isAborted: () => boolean
}

/** Takes chunks that are new into blocks, and hands full blocks on. */
export function createChunkTaker(
  builder: BlockBuilder,
  isNew: (id: ChunkId) => boolean,
  emit: (block: PlainBlock) => void,
): TakeChunk {
  return (id, bytes) => {
    if (!isNew(id)) return
    if (builder.isFullFor(bytes.length)) emit(builder.take()!)
    builder.add(id, bytes)
  }
}

/** Read one file, with pauses. Errors of this file are its result; it throws only what ends the run. */
export function* readFile(parts: FileReaderParts, request: ReadRequest): Generator<void, ReadResult> {
  const path = typeof request.path === 'string' ? request.path : Buffer.from(request.path)
  try {
    return yield* readOpened(parts, request.key, path)
  } catch (error) {
    if (!isOfFile(error)) throw error
    return { key: request.key, code: systemCode(error) ?? '', message: error.message }
  }
}

/**
 * True for what the system says of this file. Anything else, such as a damaged index or a block that cannot be
 * made, ends the run: a chunk that was reserved might not be stored, and other files refer to it.
 */
function isOfFile(error: unknown): error is Error {
  return hasCode(error, 'UNSUPPORTED') || (error instanceof Error && 'errno' in error)
}

function* readOpened(parts: FileReaderParts, key: number, path: RawName): Generator<void, ReadResult> {
  const openedNs = BigInt(parts.now()) * 1_000_000n
  const fd = openForReading(path)
  try {
    let before = statusOf(fd)
    if (before.type !== 'file') {
      return { key, code: 'ESTALE', message: `it became a ${before.type} while the folder was read` }
    }
    let content = yield* cutFile(parts, fd, before)
    let after = statusOf(fd)
    if (hasChanged(before, after)) {
      before = after
      content = yield* cutFile(parts, fd, before)
      after = statusOf(fd)
    }
    const changed = hasChanged(before, after)
    const { xattrs, problems } = readXattrs(path, fd)
    const youngFromNs = openedNs - RACY_NS
    const warnings = problems.map((problem) => problem.message)
    if (changed) warnings.push('it changed while it was read')
    const sizeBytes = BigInt(content.sizeBytes)
    return {
      key,
      status: before,
      sizeBytes,
      ids: content.ids,
      xattrs,
      holes: sizeBytes === before.sizeBytes ? findHoles(fd, before) : [],
      racy:
        changed ||
        sizeBytes !== before.sizeBytes ||
        before.ctimeNs >= youngFromNs ||
        before.mtimeNs >= youngFromNs,
      warnings,
    }
  } finally {
    closeSync(fd)
  }
}

function* cutFile(parts: FileReaderParts, fd: number, status: FileStatus): Generator<void, ReadContent> {
  let position = 0
  // A file that says it is empty may be one the system makes up as it is read; any other ends at its size, so
  // that one which grows for ever ends too.
  const limit = status.sizeBytes === 0n ? Number.POSITIVE_INFINITY : Number(status.sizeBytes)
  return yield* cutAll(parts.cutter, (room) => {
    if (parts.isAborted()) throw new HoldfastError('INTERRUPTED', 'interrupted')
    const wanted = Math.min(room.length, limit - position)
    if (wanted <= 0) return 0
    const length = readSync(fd, room, 0, wanted, position)
    position += length
    return length
  })
}

function hasChanged(before: FileStatus, after: FileStatus): boolean {
  return (
    before.mtimeNs !== after.mtimeNs ||
    before.ctimeNs !== after.ctimeNs ||
    before.sizeBytes !== after.sizeBytes
  )
}
