import { closeSync, readSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
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
import type { ContentCutter } from './content-reader.ts'
import type { Steps } from './steps.ts'

/** A file as it was read: metadata of the open file, and the chunks that hold it. */
interface ReadFile {
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
  /** The system's code, such as EACCES; '' when there is none. */
  readonly code: string
  readonly message: string
}

export type ReadResult = ReadFile | UnreadableFile

export function isUnreadable(result: object): result is UnreadableFile {
  return 'message' in result
}

/** One part of a file that is read by several. */
export interface ReadSegment {
  /** Of the open file, before its part was read. */
  readonly status: FileStatus
  /** Milliseconds since 1970, before it was opened. */
  readonly openedMs: number
  /** Other than expected, or other after reading than before. */
  readonly hasChanged: boolean
  readonly sizeBytes: number
  readonly ids: Uint8Array
}

export interface SegmentRequest {
  readonly path: RawName
  /** What the file was when its reading began; a file that is another now is read only when `isLastTry`. */
  readonly expected: FileStatus
  readonly isLastTry: boolean
  readonly offsetBytes: number
  readonly lengthBytes: number
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

/**
 * Read one file, with pauses. Errors of this file are its result; it throws only what ends the run.
 *
 * @param found the file as its folder's scan found it: where the open file is still the same after it was read, it
 * was so all the time between, and need not be asked for its status before
 */
export function* readFile(parts: FileReaderParts, path: RawName, found: FileStatus): Steps<ReadResult> {
  const openedMs = parts.now()
  let before = found
  let fd = -1
  try {
    fd = openForReading(path)
    const reading: Reading = { fd, position: 0, end: endOf(before) }
    while (!readPiece(parts, reading)) yield undefined
    let content = parts.cutter.finish()
    let after = statusOf(fd)
    if (after.type !== 'file') return notAFile(after)
    if (isOther(before, after)) {
      before = after
      reading.position = 0
      reading.end = endOf(before)
      while (!readPiece(parts, reading)) yield undefined
      content = parts.cutter.finish()
      after = statusOf(fd)
    }
    return describe(path, fd, {
      before,
      openedMs,
      hasChanged: hasChanged(before, after),
      sizeBytes: BigInt(content.sizeBytes),
      ids: content.ids,
    })
  } catch (error) {
    if (!isOfFile(error)) throw error
    return unreadable(error)
  } finally {
    parts.cutter.reset()
    if (fd >= 0) closeSync(fd)
  }
}

/** Read one segment of a large file, with pauses. Errors as `readFile`. */
export function* readSegment(
  parts: FileReaderParts,
  request: SegmentRequest,
): Steps<ReadSegment | UnreadableFile> {
  const { path, expected, isLastTry, offsetBytes, lengthBytes } = request
  const openedMs = parts.now()
  let fd = -1
  try {
    fd = openForReading(path)
    const status = statusOf(fd)
    if (status.type !== 'file') return notAFile(status)
    if (isOther(expected, status) && !isLastTry) {
      return { status, openedMs, hasChanged: true, sizeBytes: 0, ids: new Uint8Array(0) }
    }
    parts.cutter.startAt(offsetBytes)
    const reading: Reading = { fd, position: offsetBytes, end: offsetBytes + lengthBytes }
    while (!readPiece(parts, reading)) yield undefined
    const { ids, sizeBytes } = parts.cutter.finish()
    const after = statusOf(fd)
    const changed = isOther(expected, after) || sizeBytes !== lengthBytes
    return { status: changed ? after : status, openedMs, hasChanged: changed, sizeBytes, ids }
  } catch (error) {
    if (!isOfFile(error)) throw error
    return unreadable(error)
  } finally {
    parts.cutter.reset()
    if (fd >= 0) closeSync(fd)
  }
}

/** What is said of a file besides its content, once that is read in segments. Errors as `readFile`. */
export function describeSegmented(path: RawName, read: SegmentedContent): ReadResult {
  let fd = -1
  try {
    fd = openForReading(path)
    const after = statusOf(fd)
    if (after.type !== 'file') return notAFile(after)
    return describe(path, fd, { ...read, hasChanged: read.hasChanged || isOther(read.before, after) })
  } catch (error) {
    if (!isOfFile(error)) throw error
    return unreadable(error)
  } finally {
    if (fd >= 0) closeSync(fd)
  }
}

export interface SegmentedContent {
  readonly before: FileStatus
  /** Milliseconds since 1970. */
  readonly openedMs: number
  readonly hasChanged: boolean
  readonly sizeBytes: bigint
  readonly ids: Uint8Array
}

function describe(path: RawName, fd: number, read: SegmentedContent): ReadFile {
  const { before, sizeBytes, ids } = read
  const { xattrs, problems } = readXattrs(path, fd)
  const youngFromNs = BigInt(read.openedMs) * 1_000_000n - RACY_NS
  const warnings = problems.map((problem) => problem.message)
  if (read.hasChanged) warnings.push('it changed while it was read')
  return {
    status: before,
    sizeBytes,
    ids,
    xattrs,
    holes: sizeBytes === before.sizeBytes ? findHoles(fd, before) : [],
    racy:
      read.hasChanged ||
      sizeBytes !== before.sizeBytes ||
      before.ctimeNs >= youngFromNs ||
      before.mtimeNs >= youngFromNs,
    warnings,
  }
}

interface Reading {
  readonly fd: number
  position: number
  /** Where to stop. */
  end: number
}

/** Fill the cutter's window once. @returns true at the end of what is to be read */
function readPiece(parts: FileReaderParts, reading: Reading): boolean {
  const { cutter } = parts
  for (;;) {
    if (parts.isAborted()) throw new HoldfastError('INTERRUPTED', 'interrupted')
    const room = cutter.roomEnd - cutter.roomStart
    const wanted = Math.min(room, reading.end - reading.position)
    if (wanted <= 0) return true
    const length = readSync(reading.fd, cutter.window, cutter.roomStart, wanted, reading.position)
    if (length === 0) return true
    reading.position += length
    cutter.advance(length)
    if (length === room) return false
  }
}

/**
 * A file that says it is empty may be one the system makes up as it is read; any other ends at its size, so that
 * one which grows for ever ends too.
 */
function endOf(status: FileStatus): number {
  return status.sizeBytes === 0n ? Number.POSITIVE_INFINITY : Number(status.sizeBytes)
}

/**
 * True for what the system says of this file. Anything else, such as a damaged index or a block that cannot be
 * made, ends the run: a chunk that was reserved might not be stored, and other files refer to it.
 */
function isOfFile(error: unknown): error is Error {
  return hasCode(error, 'UNSUPPORTED') || (error instanceof Error && 'syscall' in error)
}

function unreadable(error: Error): UnreadableFile {
  return { code: systemCode(error) ?? '', message: error.message }
}

function notAFile(status: FileStatus): UnreadableFile {
  return { code: 'ESTALE', message: `it became a ${status.type} while the folder was read` }
}

function isOther(expected: FileStatus, found: FileStatus): boolean {
  return (
    expected.device !== found.device ||
    expected.inode !== found.inode ||
    // The clock of a file system may stand still between two changes.
    expected.mode !== found.mode ||
    expected.uid !== found.uid ||
    expected.gid !== found.gid ||
    hasChanged(expected, found)
  )
}

function hasChanged(before: FileStatus, after: FileStatus): boolean {
  return (
    before.mtimeNs !== after.mtimeNs ||
    before.ctimeNs !== after.ctimeNs ||
    before.sizeBytes !== after.sizeBytes
  )
}
