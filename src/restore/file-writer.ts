import { closeSync, constants, ftruncateSync, openSync, unlinkSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'
import { createFile } from '../filesystem/index.ts'
import type { PendingFile } from './entry.ts'
import { temporaryPrefix } from './leftovers.ts'
import { dataStretches, writeAll } from './sparse.ts'

const REOPEN = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0)

/** Files under temporary names, which begin with a prefix of the run. None stays open. */
export class FileWriter {
  readonly prefix: string = temporaryPrefix()
  private readonly isSparse: boolean
  private count = 0
  private readonly started = new Set<PendingFile>()

  /** @param isSparse leave out every run of zeros, not only the holes that are known */
  constructor(isSparse: boolean) {
    this.isSparse = isSparse
  }

  /** A name that nothing in the target has. */
  temporaryName(): string {
    return `${this.prefix}${(this.count++).toString(36)}`
  }

  /** Make the file, unless there is one. Throws the system's errors. */
  begin(file: PendingFile): void {
    if (file.temporary !== undefined) return
    const temporary = this.temporaryName()
    const fd = createFile(file.directory.held!.pathOf(temporary))
    file.temporary = temporary
    this.started.add(file)
    try {
      if (this.isSparse || file.node.holes.length > 0) ftruncateSync(fd, file.sizeBytes)
    } finally {
      closeSync(fd)
    }
  }

  /** Write bytes at a place of the file. Throws the system's errors. */
  write(file: PendingFile, offset: number, bytes: Buffer): void {
    this.begin(file)
    const fd = openSync(file.directory.held!.pathOf(file.temporary!), REOPEN)
    try {
      const holes = this.isSparse ? 'any' : file.node.holes
      for (const [from, to] of dataStretches(bytes, offset, holes)) {
        writeAll(fd, bytes, from, to - from, offset + from)
      }
    } finally {
      closeSync(fd)
    }
  }

  /** Make sure that there is a file, also for one without content. @returns its path */
  finish(file: PendingFile): RawName {
    this.begin(file)
    return file.directory.held!.pathOf(file.temporary!)
  }

  /** The file has its name now. */
  forget(file: PendingFile): void {
    this.started.delete(file)
    file.temporary = undefined
  }

  /** Remove what was written of it, if anything. */
  discard(file: PendingFile): void {
    if (file.temporary === undefined) return
    removeIfThere(file.directory.held!.pathOf(file.temporary))
    this.forget(file)
  }

  /** Files begun that have no name yet. */
  unfinished(): readonly PendingFile[] {
    return [...this.started]
  }
}

export function removeIfThere(path: RawName): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
