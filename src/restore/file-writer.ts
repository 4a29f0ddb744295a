import { randomBytes } from 'node:crypto'
import { closeSync, constants, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'
import { createFile } from '../filesystem/index.ts'
import type { PendingFile } from './entry.ts'
import { dataStretches } from './sparse.ts'

/** Files open at a time; others are opened again when more of them comes. */
const OPEN_FILES = 64
const REOPEN = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0)

/** Writes files under temporary names, which start with a random prefix of the run. */
export class FileWriter {
  private readonly prefix = `.holdfast-${randomBytes(6).toString('hex')}-`
  private readonly isSparse: boolean
  private count = 0
  private readonly open = new Set<PendingFile>()
  private readonly started = new Set<PendingFile>()

  /** @param isSparse leave out every run of zeros, not only the holes that are known */
  constructor(isSparse: boolean) {
    this.isSparse = isSparse
  }

  /** A name that nothing in the target has. */
  temporaryName(): string {
    return `${this.prefix}${(this.count++).toString(36)}`
  }

  /** Write bytes at a place of the file. Throws the system's errors. */
  write(file: PendingFile, offset: number, bytes: Buffer): void {
    const fd = this.descriptor(file)
    const holes = this.isSparse ? 'any' : file.node.holes
    if (holes.length === 0) writeAll(fd, bytes, offset)
    else {
      for (const [from, to] of dataStretches(bytes, offset, holes)) {
        writeAll(fd, bytes.subarray(from, to), offset + from)
      }
    }
    file.missingBytes -= bytes.length
  }

  /** Make sure that there is a file, also for one without content, and close it. @returns its path */
  finish(file: PendingFile): RawName {
    if (file.temporary === undefined) this.descriptor(file)
    this.close(file)
    return file.directory.held!.pathOf(file.temporary!)
  }

  /** The file has its name now. */
  forget(file: PendingFile): void {
    this.started.delete(file)
    file.temporary = undefined
  }

  /** Remove what was written of it, if anything. */
  discard(file: PendingFile): void {
    this.close(file)
    if (file.temporary === undefined) return
    removeIfThere(file.directory.held!.pathOf(file.temporary))
    this.forget(file)
  }

  /** Files begun that have no name yet. */
  unfinished(): readonly PendingFile[] {
    return [...this.started]
  }

  private close(file: PendingFile): void {
    if (file.fd === undefined) return
    const { fd } = file
    file.fd = undefined
    this.open.delete(file)
    closeSync(fd)
  }

  private descriptor(file: PendingFile): number {
    if (file.fd !== undefined) return file.fd
    for (const oldest of this.open) {
      if (this.open.size < OPEN_FILES) break
      this.close(oldest)
    }
    file.fd = file.temporary === undefined ? this.create(file) : openSync(this.pathOf(file), REOPEN)
    this.open.add(file)
    return file.fd
  }

  private create(file: PendingFile): number {
    const temporary = this.temporaryName()
    const fd = createFile(file.directory.held!.pathOf(temporary))
    file.temporary = temporary
    this.started.add(file)
    if (!this.isSparse && file.node.holes.length === 0) return fd
    try {
      ftruncateSync(fd, file.sizeBytes)
      return fd
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  private pathOf(file: PendingFile): RawName {
    return file.directory.held!.pathOf(file.temporary!)
  }
}

export function removeIfThere(path: RawName): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

function writeAll(fd: number, bytes: Buffer, offset: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(fd, bytes, written, bytes.length - written, offset + written)
  }
}
