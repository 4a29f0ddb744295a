import { type ChunkId, displayName, encodeValue, joinName, type RawName } from '../encoding/index.ts'
import { checkAborted, isLossOfData, systemCode } from '../errors/index.ts'
import { type FileStatus, readNames, readStatus } from '../filesystem/index.ts'
import type { Repository, RunWriter } from '../repository/index.ts'
import {
  type FileNode,
  MAXIMUM_NAME_BYTES,
  type Node,
  nodeValue,
  readContent,
  writeContent,
} from '../tree/index.ts'
import { costsOneFile } from './failure.ts'
import { isUnreadable, type ReadRequest, type ReadResult } from './file-reader.ts'
import { createLeftOut, type LeftOut } from './left-out.ts'
import { createNodeMaker, type NodeMaker } from './node-maker.ts'
import { type FinishedDirectory, NOTHING, OpenDirectory, type Outcome, type Slot } from './open-directory.ts'
import type { BackupOptions } from './options.ts'
import { openParentDirectory } from './parent-directory.ts'
import type { Readers } from './readers.ts'
import type { SourcePlace } from './sources.ts'
import type { Tally } from './tally.ts'

/** Files go to the reading threads in ranges of the walk, so that neighbours share blocks. */
const RANGE_FILES = 256
const RANGE_BYTES = 4 * 1024 * 1024
/** Nodes that may be unknown at once in all open directories, and that one directory may hold back for them. */
const UNKNOWN_NODES = 8192

export interface WalkParts {
  readonly repository: Repository
  readonly writer: RunWriter
  readonly readers: Readers
  readonly tally: Tally
  readonly options: BackupOptions
  /** Device and inode of places that are never backed up, as `device:inode`. */
  readonly ownPlaces: ReadonlySet<string>
}

interface PendingFile {
  readonly request: ReadRequest
  readonly path: RawName
  readonly name: RawName
  readonly slot: Slot
  readonly parent: Node | undefined
}

/** Walks the sources in order, reuses what is unchanged, has the rest read, and stores directories as they end. */
export class SourceWalk {
  private readonly parts: WalkParts
  private readonly leftOut: LeftOut
  private readonly nodes: NodeMaker
  private range: PendingFile[] = []
  private rangeBytes = 0
  private nextKey = 0
  private unknown = 0
  private readonly running = new Set<Promise<void>>()
  private failure: { readonly error: unknown } | undefined
  private rejectRun: (error: unknown) => void = () => {}

  constructor(parts: WalkParts) {
    this.parts = parts
    const { excludes = {}, withAtime = false } = parts.options
    this.leftOut = createLeftOut(excludes, parts.ownPlaces, parts.tally)
    const onWarning = (path: RawName, message: string): void => parts.tally.warn(path, message)
    this.nodes = createNodeMaker({ withAtime, onWarning })
  }

  /** Walk everything. @returns the root directory */
  async run(root: SourcePlace, parentTree: ChunkId | undefined): Promise<FinishedDirectory> {
    let resolveRun: (root: FinishedDirectory) => void = () => {}
    const done = new Promise<FinishedDirectory>((resolve, reject) => {
      resolveRun = resolve
      this.rejectRun = reject
    })
    // A failure that comes before the walk has ended is told by the walk.
    done.catch(() => {})
    const directory = this.openDirectory(parentTree, (finished) => resolveRun(finished))
    await this.walkRoot(root, directory)
    return await done
  }

  private async walkRoot(root: SourcePlace, directory: Opened): Promise<void> {
    if (root.isWanted) await this.walkDirectory('/', directory, readStatus('/').device)
    else await this.walkPlaces(root, directory)
    this.sendRange()
    while (this.running.size > 0) await Promise.race(this.running)
    this.throwFailure()
  }

  /** Folders that only lead to what is wanted: their own metadata is kept, nothing else of them. */
  private async walkPlaces(place: SourcePlace, directory: Opened): Promise<void> {
    for (const below of place.below) {
      this.checkGoingOn()
      const parent = await directory.parentNode(below.name!)
      const slot = directory.reserve()
      const status = this.statusOf(below.path, true)
      const isLost = status === undefined || !this.canBeKept(below.path, below.name!)
      if (isLost || this.leftOut.isOwnPlace(below.path, status)) {
        this.parts.tally.isIncomplete = true
        slot.fill(NOTHING)
      } else if (below.isWanted) {
        await this.walkNode(below.path, below.name!, status, slot, parent, status.device)
      } else {
        const inner = this.directoryFor(below.path, below.name!, status, slot, parent)
        await this.walkPlaces(below, inner)
      }
    }
    directory.complete()
  }

  private async walkDirectory(path: RawName, directory: Opened, device: bigint): Promise<void> {
    for (const name of this.namesOf(path)) {
      this.checkGoingOn()
      const child = joinName(path, name)
      const parent = await directory.parentNode(name)
      const status = this.statusOf(child, false)
      if (status === undefined) continue
      if (this.leftOut.isLeftOut(child, status) || !this.canBeKept(child, name)) continue
      if (this.unknown > UNKNOWN_NODES) await this.settle(UNKNOWN_NODES / 2)
      if (directory.waiting() > UNKNOWN_NODES) await this.settle(0)
      await this.walkNode(child, name, status, directory.reserve(), parent, device)
    }
    directory.complete()
  }

  private async walkNode(
    path: RawName,
    name: RawName,
    status: FileStatus,
    slot: Slot,
    parent: Node | undefined,
    device: bigint,
  ): Promise<void> {
    if (status.type === 'file') {
      await this.walkFile(path, name, status, slot, parent)
    } else if (status.type === 'directory') {
      const directory = this.directoryFor(path, name, status, slot, parent)
      const stays = !(this.parts.options.oneFileSystem && status.device !== device)
      if (stays && !this.leftOut.isMarked(path)) await this.walkDirectory(path, directory, device)
      else directory.complete()
    } else {
      this.fillOther(path, name, status, slot, parent)
    }
  }

  private async walkFile(
    path: RawName,
    name: RawName,
    status: FileStatus,
    slot: Slot,
    parent: Node | undefined,
  ): Promise<void> {
    if (parent?.type === 'file' && this.isUnchanged(parent, status) && (await this.isStored(parent))) {
      const { ignoreCtime, withAtime } = this.parts.options
      const asItIs =
        !ignoreCtime && !withAtime && parent.ctimeNs === status.ctimeNs && parent.inode === status.inode
      const read = { ...parent, xattrs: parent.xattrs }
      const node = asItIs ? parent : this.nodes.file(path, name, status, read)
      this.parts.tally.countFile(path, 'unchanged', Number(parent.sizeBytes))
      slot.fill({ node, isReused: asItIs, isUnchanged: true })
      return
    }
    this.unknown++
    this.range.push({ request: { key: this.nextKey++, path }, path, name, slot, parent })
    this.rangeBytes += Number(status.sizeBytes)
    if (this.range.length >= RANGE_FILES || this.rangeBytes >= RANGE_BYTES) {
      this.sendRange()
      await this.settleRanges()
    }
  }

  private isUnchanged(parent: FileNode, status: FileStatus): boolean {
    const { ignoreInode, ignoreCtime } = this.parts.options
    return (
      !parent.racy &&
      parent.mtimeNs === status.mtimeNs &&
      parent.sizeBytes === status.sizeBytes &&
      (ignoreCtime || parent.ctimeNs === status.ctimeNs) &&
      (ignoreInode || parent.inode === status.inode)
    )
  }

  /** Rule R2: every chunk the snapshot will name is looked up, also below a node of the parent. */
  private async isStored(node: FileNode): Promise<boolean> {
    const { repository, writer } = this.parts
    try {
      for await (const run of readContent(repository, node.content)) {
        if (!run.pageIds.every((id) => writer.isStored(id))) return false
        if (!run.ids.every((id) => writer.isStored(id))) return false
      }
      return true
    } catch (error) {
      checkAborted(this.parts.options.signal)
      if (!isLossOfData(error)) throw error
      return false
    }
  }

  private fillOther(
    path: RawName,
    name: RawName,
    status: FileStatus,
    slot: Slot,
    parent: Node | undefined,
  ): void {
    try {
      slot.fill(compareNodes(parent, this.nodes.other(path, name, status)))
    } catch (error) {
      this.failNode(path, error, 'scan')
      slot.fill(NOTHING)
    }
  }

  /** Open a directory whose own node goes into `slot` once everything below it is known. */
  private directoryFor(
    path: RawName,
    name: RawName,
    status: FileStatus,
    slot: Slot,
    parent: Node | undefined,
  ): Opened {
    const parentTree = parent?.type === 'directory' ? parent.tree : undefined
    this.unknown++
    const onFinished = (finished: FinishedDirectory): void => {
      this.unknown--
      const node = this.nodes.directory(path, name, status, finished.tree)
      const isSame = parentTree !== undefined && sameNode(parent, { ...node, tree: parentTree })
      const isUnchanged = finished.isUnchanged && isSame
      const action = parentTree === undefined ? 'new' : isUnchanged ? 'unchanged' : 'modified'
      this.parts.tally.countDirectory(path, action)
      slot.fill({ node, isReused: finished.isReused && isSame, isUnchanged })
    }
    return this.openDirectory(parentTree, onFinished)
  }

  private openDirectory(
    parentTree: ChunkId | undefined,
    onFinished: (finished: FinishedDirectory) => void,
  ): Opened {
    const { repository, writer, options } = this.parts
    const parent = parentTree && openParentDirectory(repository, parentTree, options.signal)
    const directory = new OpenDirectory(writer, parent, onFinished, (error) => this.fail(error))
    return {
      reserve: () => directory.reserve(),
      complete: () => directory.complete(),
      waiting: () => directory.waiting,
      parentNode: async (name) => await parent?.node(name),
    }
  }

  private namesOf(path: RawName): RawName[] {
    try {
      return readNames(path)
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      this.failNode(path, error, 'scan')
      return []
    }
  }

  /** @param isAsked a path that was asked for: its absence is an error; a name that is gone again is not */
  private statusOf(path: RawName, isAsked: boolean): FileStatus | undefined {
    try {
      return readStatus(path)
    } catch (error) {
      if (!costsOneFile(error)) throw error
      if (isAsked || systemCode(error) !== 'ENOENT') this.failNode(path, error, 'scan')
      return undefined
    }
  }

  /** NTFS, exFAT and network file systems count characters, so that a name can have more bytes than a tree holds. */
  private canBeKept(path: RawName, name: RawName): boolean {
    if (Buffer.byteLength(name) <= MAXIMUM_NAME_BYTES) return true
    this.failNode(path, new Error(`its name has more than ${MAXIMUM_NAME_BYTES} bytes`), 'scan')
    return false
  }

  private sendRange(): void {
    if (this.range.length === 0) return
    const files = this.range
    this.range = []
    this.rangeBytes = 0
    const work = this.readRange(files)
      .catch((error: unknown) => this.fail(error))
      .finally(() => this.running.delete(work))
    this.running.add(work)
  }

  private async readRange(files: readonly PendingFile[]): Promise<void> {
    await this.parts.writer.drained()
    const results = await this.parts.readers.run(files.map((file) => file.request))
    files.forEach((file, index) => {
      this.unknown--
      this.fillFile(file, results[index]!)
    })
  }

  private fillFile(file: PendingFile, result: ReadResult): void {
    const { tally, writer } = this.parts
    const { path, name, slot, parent } = file
    if (isUnreadable(result)) {
      if (result.code !== 'ENOENT') tally.fail(path, result.message, 'read')
      slot.fill(NOTHING)
      return
    }
    for (const warning of result.warnings) tally.warn(path, warning)
    const content = writeContent(writer, result.ids)
    const node = this.nodes.file(path, name, result.status, { ...result, content })
    const outcome = compareNodes(parent, node)
    const action = parent?.type !== 'file' ? 'new' : outcome.isUnchanged ? 'unchanged' : 'modified'
    tally.countFile(path, action, Number(result.sizeBytes))
    slot.fill(outcome)
  }

  private failNode(path: RawName, error: unknown, during: 'scan' | 'read'): void {
    this.parts.tally.fail(path, error instanceof Error ? error.message : displayName(String(error)), during)
  }

  /** Wait until at most so many ranges are under way. */
  private async settleRanges(): Promise<void> {
    while (this.running.size >= this.parts.readers.depth) await Promise.race(this.running)
    this.throwFailure()
  }

  private async settle(unknown: number): Promise<void> {
    this.sendRange()
    while (this.unknown > unknown && this.running.size > 0) await Promise.race(this.running)
    this.throwFailure()
  }

  /** End the run: a directory may fail when the walk itself has come to its end already. */
  private fail(error: unknown): void {
    this.failure ??= { error }
    this.rejectRun(error)
  }

  private checkGoingOn(): void {
    checkAborted(this.parts.options.signal)
    this.throwFailure()
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.error
  }
}

interface Opened {
  reserve(): Slot
  complete(): void
  /** Places held back until an earlier one is filled. */
  waiting(): number
  /** The node of this name in the parent snapshot. Names must ascend. */
  parentNode(name: RawName): Promise<Node | undefined>
}

/** What has become of the parent's node. A file's racy flag alone is no change, though it is stored. */
function compareNodes(parent: Node | undefined, node: Node): Outcome {
  if (parent?.type !== 'file' || node.type !== 'file') {
    const isReused = sameNode(parent, node)
    return { node, isReused, isUnchanged: isReused }
  }
  const isUnchanged = sameNode(parent, { ...node, racy: parent.racy })
  return { node, isReused: isUnchanged && node.racy === parent.racy, isUnchanged }
}

function sameNode(parent: Node | undefined, node: Node): boolean {
  return (
    parent !== undefined &&
    parent.type === node.type &&
    encodeValue(nodeValue(parent)).equals(encodeValue(nodeValue(node)))
  )
}
