import { type ChunkId, chunkId, ID_BYTES, joinName, type RawName, ValueWriter } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'
import {
  type FileStatus,
  type NameKey,
  nameOfKey,
  readNameBatches,
  readNameKeys,
  readStatus,
} from '../filesystem/index.ts'
import type { ChunkStore } from '../repository/worker.ts'
import { DirectoryPages, MAXIMUM_NAME_BYTES, StoredNodes, writeContent, writeNode } from '../tree/index.ts'
import { costsOneFile } from './failure.ts'
import { type FileReaderParts, isUnreadable, type ReadResult, readFile } from './file-reader.ts'
import { createLeftOut, type LeftOut } from './left-out.ts'
import { createNodeMaker, type NodeMaker } from './node-maker.ts'
import { NoteTaker } from './note-taker.ts'
import type { BackupItem } from './options.ts'
import { ParentFolder } from './parent-folder.ts'
import { Level, type Outcome, sameButTree, tableWord } from './scan-level.ts'
import {
  type FolderPart,
  type LargeFilePart,
  type LargeFileTask,
  type NamesTask,
  type Notes,
  ownName,
  type Part,
  type ScanAnswer,
  type ScanRules,
  splitKeys,
} from './scan-task.ts'
import type { Steps } from './steps.ts'
import { isContentStored } from './stored-content.ts'

/** A task ends when what it did costs this much: a file that is read costs so much and its KiB, any other name one. */
const TASK_COST = 4096
const READ_COST = 16

/** Stands where a folder's tree is not known yet. */
const NO_TREE = chunkId(new Uint8Array(ID_BYTES))
const NO_NAMES: Iterator<readonly NameKey[]> = [].values()
const LARGE_DIRECTORY_BYTES = 1n << 20n
const END: Part = { kind: 'end' }
/** A file whose content is the parent's, with metadata of its own. */
const SAME_CONTENT: Outcome = { isReused: false, isUnchanged: true }

export interface ScannerParts {
  readonly rules: ScanRules
  readonly store: ChunkStore
  /** Undefined for one that reads no files. */
  readonly files: FileReaderParts | undefined
  /** Files longer than this are left to be read in segments. */
  readonly segmentBytes: number
  /** Told of each file and folder at once; else the answers tell of them. */
  readonly onItem: ((item: BackupItem) => void) | undefined
}

/**
 * Scans names depth first: reuses what is unchanged since the parent, reads the rest, stores folders that are complete.
 * A task that would take long is handed back in parts, so that others can go on with them.
 */
export class Scanner {
  private readonly parts: ScannerParts
  private readonly leftOut: LeftOut
  private readonly nodes: NodeMaker
  private readonly pages: DirectoryPages
  private readonly writers: ValueWriter[] = []
  private readonly scratch = new ValueWriter()
  private readonly noting: NoteTaker
  private levels: Level[] = []
  private cost = 0
  private device = 0n

  constructor(parts: ScannerParts) {
    this.parts = parts
    this.noting = new NoteTaker(parts.rules.wantsItems, parts.onItem)
    this.leftOut = createLeftOut(parts.rules, this.noting)
    const onWarning = (path: RawName, message: string): void => this.noting.warn(path, message)
    this.nodes = createNodeMaker({ withAtime: parts.rules.withAtime, onWarning })
    this.pages = new DirectoryPages(parts.store)
  }

  /** Scan the names of a task. */
  *scan(task: NamesTask): Steps<ScanAnswer> {
    this.cost = 0
    this.device = task.device
    const path = ownName(task.path)
    const names = task.keys === undefined ? this.namesOf(path, 0n) : [splitKeys(task.keys)].values()
    const top = this.enter(path, names, task.parentTree, undefined)
    try {
      while (this.cost < TASK_COST) {
        const level = this.levels.at(-1)!
        const key = level.nextKey()
        if (key === undefined) {
          if (level === top) break
          yield* this.leave(level)
        } else yield* this.visit(level, key, task.areAsked && level === top)
      }
      return { kind: 'parts', parts: this.handBack(task.areAsked), notes: this.noting.take() }
    } finally {
      for (const level of this.levels) this.writers.push(level.writer)
      this.levels = []
    }
  }

  /** The node of a file that was read in segments. */
  finishLarge(task: LargeFileTask, result: ReadResult): ScanAnswer {
    const { key, parent } = task.file
    const path = ownName(task.file.path)
    const level = this.enter(path, NO_NAMES, undefined, undefined)
    // As a page of this one node, so that it is compared like any other.
    const nodes = parent && showNode(parent)
    this.addRead(level, path, nameOfKey(key), nodes, result)
    const parts = this.handBack(false)
    this.writers.push(level.writer)
    this.levels = []
    return { kind: 'parts', parts, notes: this.noting.take() }
  }

  /** A folder that leads to what was asked for; undefined when it is not there. */
  leadingFolder(path: RawName, key: NameKey, nodes: StoredNodes | undefined): FolderPart | undefined {
    const status = this.statusOf(path, true)
    if (status === undefined || !this.canBeKept(path, key) || this.leftOut.isOwnPlace(path, status)) {
      this.noting.notes.isIncomplete = true
      return undefined
    }
    return this.describeFolder(path, nameOfKey(key), status, nodes)
  }

  private describeFolder(
    path: RawName,
    name: RawName,
    status: FileStatus,
    nodes: StoredNodes | undefined,
  ): FolderPart {
    const { scratch } = this
    scratch.length = 0
    const place = writeNode(scratch, this.nodes.directory(path, name, status, NO_TREE))
    const template = Uint8Array.prototype.slice.call(scratch.bytes, 0, scratch.length)
    const isFolder = nodes?.type === 'directory'
    return {
      kind: 'folder',
      path,
      template,
      tableWord: tableWord(place),
      parentTree: isFolder ? Uint8Array.prototype.slice.call(nodes.idAt(nodes.treeAt)) : undefined,
      isSame: isFolder && sameButTree(template, nodes),
    }
  }

  /** What is to be told since the last task. */
  takeNotes(): Notes {
    return this.noting.take()
  }

  private enter(
    path: RawName,
    names: Iterator<readonly NameKey[]>,
    parentTree: Uint8Array | undefined,
    own: FolderPart | undefined,
  ): Level {
    const parent = parentTree && new ParentFolder(chunkId(parentTree))
    const level = new Level(path, names, parent, own, this.writers.pop() ?? new ValueWriter())
    this.levels.push(level)
    return level
  }

  private *visit(level: Level, key: NameKey, isAsked: boolean): Steps<void> {
    this.cost++
    const { parent } = level
    const isFound = parent !== undefined && (parent.find(key) ?? (yield* parent.seek(key)))
    const nodes = isFound ? parent.nodes : undefined
    const name = nameOfKey(key)
    const path = joinName(level.path, name)
    const status = this.statusOf(path, isAsked)
    if (isAsked) {
      if (status === undefined || !this.canBeKept(path, key) || this.leftOut.isOwnPlace(path, status)) {
        this.noting.notes.isIncomplete = true
        level.addNothing()
        return
      }
      this.device = status.device
    } else if (status === undefined) return
    else if (this.leftOut.isLeftOut(path, status) || !this.canBeKept(path, key)) return
    if (status.type === 'file') yield* this.visitFile(level, path, key, status, nodes)
    else if (status.type === 'directory') this.visitFolder(level, path, name, status, nodes)
    else this.visitOther(level, path, name, status, nodes)
  }

  private visitFolder(
    level: Level,
    path: RawName,
    name: RawName,
    status: FileStatus,
    nodes: StoredNodes | undefined,
  ): void {
    let own: FolderPart
    try {
      own = this.describeFolder(path, name, status, nodes)
    } catch (error) {
      if (!costsOneFile(error)) throw error
      this.noting.fail(path, error, 'scan')
      level.addNothing()
      return
    }
    const stays = !(this.parts.rules.oneFileSystem && status.device !== this.device)
    const isEntered = stays && !this.leftOut.isMarked(path)
    this.enter(path, isEntered ? this.namesOf(path, status.sizeBytes) : NO_NAMES, own.parentTree, own)
  }

  private visitOther(
    level: Level,
    path: RawName,
    name: RawName,
    status: FileStatus,
    nodes: StoredNodes | undefined,
  ): void {
    try {
      level.add(this.nodes.other(path, name, status), nodes)
    } catch (error) {
      if (!costsOneFile(error)) throw error
      this.noting.fail(path, error, 'scan')
      level.addNothing()
    }
  }

  private *visitFile(
    level: Level,
    path: RawName,
    key: NameKey,
    status: FileStatus,
    nodes: StoredNodes | undefined,
  ): Steps<void> {
    const parent = nodes?.type === 'file' ? nodes : undefined
    if (
      parent !== undefined &&
      this.isUnchanged(parent, status) &&
      (this.parts.rules.isParentStored || (yield* isContentStored(this.parts.store, parent)))
    ) {
      const { ignoreCtime, withAtime } = this.parts.rules
      const isAsItIs =
        !ignoreCtime && !withAtime && parent.ctimeNs === status.ctimeNs && parent.inode === status.inode
      const sizeBytes = Number(parent.sizeBytes)
      if (isAsItIs) level.addAgain(parent)
      else {
        const node = parent.decode()
        if (node.type !== 'file') throw new Error('a file is a file')
        const made = this.nodes.file(path, node.name, status, node, node.content)
        level.add(made, undefined, SAME_CONTENT)
      }
      this.noting.countFile(path, 'unchanged', sizeBytes)
      return
    }
    this.cost += READ_COST
    if (status.sizeBytes > this.parts.segmentBytes) {
      const stored = nodes && Uint8Array.prototype.slice.call(nodes.page, nodes.start, nodes.end)
      const part: LargeFilePart = { kind: 'large', path, key, status, parent: stored }
      level.addParts([part])
      return
    }
    this.cost += Number(status.sizeBytes) / 1024
    this.addRead(level, path, nameOfKey(key), nodes, yield* readFile(this.parts.files!, path, status))
  }

  private addRead(
    level: Level,
    path: RawName,
    name: RawName,
    nodes: StoredNodes | undefined,
    result: ReadResult,
  ): void {
    if (isUnreadable(result)) {
      if (result.code !== 'ENOENT') this.noting.fail(path, new Error(result.message), 'read')
      level.addNothing()
      return
    }
    for (const message of result.warnings) this.noting.warn(path, message)
    const content = writeContent(this.parts.store, result.ids)
    const node = this.nodes.file(path, name, result.status, result, content)
    const outcome = level.add(node, nodes)
    const action = nodes?.type !== 'file' ? 'new' : outcome.isUnchanged ? 'unchanged' : 'modified'
    this.noting.countFile(path, action, Number(result.sizeBytes))
  }

  private isUnchanged(parent: StoredNodes, status: FileStatus): boolean {
    const { ignoreInode, ignoreCtime } = this.parts.rules
    return (
      !parent.isRacy &&
      parent.mtimeNs === status.mtimeNs &&
      parent.sizeBytes === status.sizeBytes &&
      (ignoreCtime || parent.ctimeNs === status.ctimeNs) &&
      (ignoreInode || parent.inode === status.inode)
    )
  }

  /** A folder below the task's own has no names left. */
  private *leave(level: Level): Steps<void> {
    this.levels.pop()
    const above = this.levels.at(-1)!
    const own = level.own!
    if (level.parts.length > 0) {
      above.addParts([own, ...level.handBack(this.device, false), END])
      this.writers.push(level.writer)
      return
    }
    const { parent } = level
    const whole = level.isUnchanged && parent !== undefined ? yield* parent.finish() : undefined
    let isUnchanged = whole?.count === level.count
    let isReused = false
    let tree: ChunkId
    // Rule R2: pages of a reused folder are looked up like every other chunk the snapshot names.
    const arePagesStored = (): boolean =>
      this.parts.rules.isParentStored || whole!.pageIds.every((id) => this.parts.store.isStored(id))
    if (level.isReused && isUnchanged && arePagesStored()) {
      tree = parent!.tree
      isReused = true
    } else {
      tree = level.writePages(this.pages)
      isReused = parent !== undefined && Buffer.compare(tree, parent.tree) === 0
      isUnchanged ||= isReused
    }
    const action = parent === undefined ? 'new' : isUnchanged && own.isSame ? 'unchanged' : 'modified'
    this.noting.countDirectory(own.path, action)
    above.addFolder(own, tree, { isReused: isReused && own.isSame, isUnchanged: isUnchanged && own.isSame })
    this.writers.push(level.writer)
  }

  /** Parts of all open levels, the lower inside the upper. */
  private handBack(areAsked: boolean): Part[] {
    let below: Part[] = []
    for (let at = this.levels.length - 1; at >= 0; at--) {
      const level = this.levels[at]!
      if (below.length > 0) level.addParts(below)
      const parts = level.handBack(this.device, areAsked && at === 0)
      below = level.own === undefined ? parts : [level.own, ...parts, END]
    }
    return below
  }

  /** @param directoryBytes what the folder takes by its status, which tells of many names on most file systems */
  private namesOf(path: RawName, directoryBytes: bigint): Iterator<readonly NameKey[]> {
    try {
      return directoryBytes >= LARGE_DIRECTORY_BYTES ? readNameBatches(path) : [readNameKeys(path)].values()
    } catch (error) {
      if (!costsOneFile(error)) throw error
      this.noting.fail(path, error, 'scan')
      return NO_NAMES
    }
  }

  /** @param isAsked a path that was asked for: its absence is an error; a name that is gone again is not */
  private statusOf(path: RawName, isAsked: boolean): FileStatus | undefined {
    try {
      return readStatus(path)
    } catch (error) {
      if (!costsOneFile(error)) throw error
      if (isAsked || systemCode(error) !== 'ENOENT') this.noting.fail(path, error, 'scan')
      return undefined
    }
  }

  /** NTFS, exFAT and network file systems count characters, so that a name can have more bytes than a tree holds. */
  private canBeKept(path: RawName, key: NameKey): boolean {
    if (key.length <= MAXIMUM_NAME_BYTES) return true
    this.noting.fail(path, new Error(`its name has more than ${MAXIMUM_NAME_BYTES} bytes`), 'scan')
    return false
  }
}

/** A page of one node, that shows it. */
function showNode(stored: Uint8Array): StoredNodes {
  const nodes = new StoredNodes(Buffer.concat([Buffer.from([0x92, 0, 0x91]), stored]))
  nodes.next()
  return nodes
}
