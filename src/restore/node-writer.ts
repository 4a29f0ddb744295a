import { closeSync, linkSync, renameSync, rmdirSync } from 'node:fs'
import { displayName, joinName, nameFromBytes, type RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import {
  createSpecialFile,
  createSymlink,
  type FileStatus,
  givesAcl,
  type HeldDirectory,
  holdDirectory,
  type Owner,
  openForReading,
  readStatus,
} from '../filesystem/index.ts'
import type { FileNode } from '../tree/index.ts'
import type { ContentComparer } from './content-comparer.ts'
import { type Entry, factsOf, NO_BATCH, type NodeFacts, type PendingFile } from './entry.ts'
import { costsOneFile, describeFailure, endOfRun } from './failure.ts'
import { FileWriter, removeIfThere } from './file-writer.ts'
import { createLinkRegister, type LinkRegister, linkKey } from './hard-links.ts'
import { createMetadataWriter, type MetadataWriter } from './metadata.ts'
import type { RestoreOptions } from './options.ts'
import type { Tally } from './tally.ts'
import type { TargetDirectory } from './target-directory.ts'
import { pathBelowTarget, withNodeBelow } from './target-paths.ts'

export interface NodeWriterParts {
  /** The target; undefined in a dry run where it is not there. */
  readonly target: HeldDirectory | undefined
  readonly options: RestoreOptions
  /** First names of hard links kept in memory. */
  readonly linkEntries: number
  readonly comparer: ContentComparer
  readonly tally: Tally
}

/**
 * Makes nodes in the target. Each is made under a temporary name beside its place and gets its metadata there, so
 * that what has its name is whole, and what it replaces stays until then. Methods throw the system's errors.
 */
export class NodeWriter {
  private readonly parts: NodeWriterParts
  private readonly files: FileWriter
  private readonly setMetadata: MetadataWriter
  private readonly links: LinkRegister
  /** The target once more, for the first names of hard links: two folders held together can close each other. */
  private linkSources: HeldDirectory | undefined

  constructor(parts: NodeWriterParts) {
    this.parts = parts
    this.files = new FileWriter(parts.options.sparse ?? false)
    this.links = createLinkRegister(parts.linkEntries)
    this.setMetadata = createMetadataWriter(parts.options)
  }

  beginFile(entry: Entry<FileNode>): PendingFile {
    const sizeBytes = Number(entry.node.sizeBytes)
    if (!Number.isSafeInteger(sizeBytes)) throw new HoldfastError('DAMAGED', 'its size is beyond all files')
    const { directory, node, path, found } = entry
    return {
      directory,
      node: factsOf(node),
      content: this.parts.options.verify === true ? node.content : undefined,
      path,
      found,
      sizeBytes,
      missingBytes: sizeBytes,
      isPlanned: false,
      cutBytes: 0,
      state: 'pending',
      temporary: undefined,
      batch: NO_BATCH,
      row: -1,
    }
  }

  /** Of all files that are not whole. */
  get temporaryPrefix(): string {
    return this.files.prefix
  }

  /** Make sure that there is a file under a temporary name. */
  begin(file: PendingFile): void {
    this.files.begin(file)
  }

  /** The owner that a node gets. */
  ownerOf(node: NodeFacts): Owner {
    return this.setMetadata.ownerOf(node)
  }

  write(file: PendingFile, offset: number, bytes: Buffer): void {
    this.files.write(file, offset, bytes)
  }

  /** Read back a file that is whole but has no name. @throws HoldfastError FAILED when it is not what it should be */
  async verify(file: PendingFile): Promise<void> {
    const { node, content } = file
    if (await this.hasContent(this.files.finish(file), { ...node, content: content! })) return
    throw new HoldfastError('FAILED', 'what was read back is not what was written', {
      hint: 'check the disk of the target',
    })
  }

  /** Whether the file at this path has the node's content. */
  async hasContent(path: RawName, node: Pick<FileNode, 'sizeBytes' | 'content'>): Promise<boolean> {
    const fd = openForReading(path)
    try {
      return await this.parts.comparer.isSame(fd, node)
    } finally {
      closeSync(fd)
    }
  }

  /** Give a whole file its metadata and its name. */
  publish(file: PendingFile): void {
    this.applyMetadata(this.files.finish(file), file)
    this.place(file, file.temporary!)
    this.files.forget(file)
  }

  /** Remove what was written of a file. Never throws for what the system says. */
  discard(file: PendingFile): void {
    try {
      this.files.discard(file)
    } catch (error) {
      if (!costsOneFile(error)) throw error
      const name = displayName(joinName(file.directory.path, file.temporary ?? ''))
      this.parts.tally.warn(
        file.path,
        `its incomplete copy ${name} cannot be removed: ${describeFailure(error)}`,
      )
    }
  }

  /** Make a link or a special file. */
  createOther(entry: Entry): void {
    const { directory, node, path, found } = entry
    if (!this.parts.options.isDryRun) {
      const held = directory.held!
      const temporary = this.files.temporaryName()
      createNode(held.pathOf(temporary), node)
      try {
        this.applyMetadata(held.pathOf(temporary), entry)
        this.place(entry, temporary)
      } catch (error) {
        removeIfThere(held.pathOf(temporary))
        throw error
      }
    }
    this.rememberName(entry)
    this.parts.tally.finish(path, found === undefined ? 'restored' : 'updated', 0)
  }

  /** Its content is right: set the metadata only. What has further names was found to have the right ones (`judge`). */
  refresh(entry: Entry): void {
    const { directory, node, path, found } = entry
    const isShared = found !== undefined && found.links > 1
    if (!this.parts.options.isDryRun && !isShared)
      this.applyMetadata(directory.held!.pathOf(node.name), entry)
    this.rememberName(entry)
    this.parts.tally.skip(path, 'unchanged', node.type === 'file' ? Number(node.sizeBytes) : 0)
  }

  /**
   * Make the entry a further name of a node that was restored before.
   *
   * @returns false when there is none, or the file system cannot: it has to be restored by itself
   */
  link(entry: Entry, key: string): boolean {
    const first = this.links.find(key)
    if (first === undefined) return false
    const { path, found } = entry
    try {
      if (!this.parts.options.isDryRun && !this.makeLink(entry, first)) {
        this.parts.tally.skip(path, 'unchanged', 0)
        return true
      }
    } catch (error) {
      if (!costsOneFile(error) || endOfRun(error, this.parts.options.target)) throw error
      const reason = describeFailure(error)
      this.parts.tally.warn(
        path,
        `it became a file of its own, no further name of ${displayName(first)}: ${reason}`,
      )
      return false
    }
    this.parts.tally.begin(0)
    this.parts.tally.finish(path, found === undefined ? 'restored' : 'updated', 0)
    return true
  }

  /** Further names can be made of what has its name now. */
  rememberName(entry: Entry): void {
    const key = linkKey(entry.node)
    if (key !== undefined) this.links.add(key, pathBelowTarget(entry))
  }

  completeDirectory(directory: TargetDirectory): void {
    const { held, node, parent, path, isFresh } = directory
    if (isFresh && node !== undefined) {
      const address = held!.pin()
      try {
        directory.isBare ??= !givesAcl(address)
        const messages = this.setMetadata.applyToFolder(address, directory.isBare, node)
        for (const message of messages) this.parts.tally.warn(path, message)
      } finally {
        held!.unpin()
      }
      return
    }
    const target = parent === undefined ? held!.path() : parent.held!.pathOf(node!.name)
    this.applyMetadata(target, { node: node!, path })
  }

  /** Remove all that is not whole, and let go of everything. */
  async close(): Promise<void> {
    for (const file of this.files.unfinished()) this.discard(file)
    this.linkSources?.close()
    await this.links.close()
  }

  private applyMetadata(target: RawName, { node, path }: Pick<Entry, 'node' | 'path'>): void {
    for (const message of this.setMetadata.apply(target, node)) this.parts.tally.warn(path, message)
  }

  /** @returns false when the entry's place is a name of it already */
  private makeLink(entry: Entry, first: RawName): boolean {
    this.linkSources ??= holdDirectory(this.parts.target!.path(), { maxOpen: 2 })
    const held = entry.directory.held!
    return withNodeBelow(this.linkSources, first, (source) => {
      if (entry.found !== undefined && isSameNode(entry.found, readStatus(source()))) return false
      const temporary = this.files.temporaryName()
      linkSync(source(), held.pathOf(temporary))
      try {
        this.place(entry, temporary)
      } catch (error) {
        removeIfThere(held.pathOf(temporary))
        throw error
      }
      return true
    })
  }

  private place({ directory, node, found }: Entry, temporary: string): void {
    const held = directory.held!
    if (found?.type === 'directory') rmdirSync(held.pathOf(node.name))
    renameSync(held.pathOf(temporary), held.pathOf(node.name))
  }
}

function createNode(path: RawName, node: NodeFacts): void {
  switch (node.type) {
    case 'symlink':
      createSymlink(path, nameFromBytes(node.target))
      break
    case 'character':
    case 'block':
      createSpecialFile(path, node.type, node)
      break
    case 'fifo':
    case 'socket':
      createSpecialFile(path, node.type)
      break
    default:
      throw new Error(`a ${node.type} is not made here`)
  }
}

function isSameNode(left: FileStatus, right: FileStatus): boolean {
  return left.device === right.device && left.inode === right.inode
}
