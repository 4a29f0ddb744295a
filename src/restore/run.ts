import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ChunkId, joinName, type RawName } from '../encoding/index.ts'
import { checkAborted, type HoldfastError, systemCode } from '../errors/index.ts'
import type { FileStatus } from '../filesystem/index.ts'
import type { Repository } from '../repository/index.ts'
import { type DirectoryPage, type FileNode, type Node, readDirectory } from '../tree/index.ts'
import type { BatchRunner } from './batch-runner.ts'
import type { ChunkFinder } from './chunk-finder.ts'
import type { Entry } from './entry.ts'
import { findExisting, judge, mayReplace } from './existing.ts'
import { costsOneFile, endOfRun } from './failure.ts'
import { linkKey } from './hard-links.ts'
import type { NodeWriter } from './node-writer.ts'
import type { OverwriteRule, RestoreLimits, RestoreOptions } from './options.ts'
import type { Selection } from './selection.ts'
import type { Tally } from './tally.ts'
import {
  childDirectory,
  enterDirectory,
  lookIntoDirectory,
  type TargetDirectory,
} from './target-directory.ts'
import { FileWindow } from './window.ts'

/** Turns of the event loop are given after so many nodes of the walk. */
const NODES_A_TURN = 512
/** The first window is small, so that writing begins early; each is twice the one before up to the limit. */
const FIRST_WINDOW_NODES = 1024

export interface RunParts {
  readonly repository: Repository
  readonly options: RestoreOptions
  readonly limits: RestoreLimits
  readonly selection: Selection
  readonly finder: ChunkFinder
  readonly writer: NodeWriter
  readonly runner: BatchRunner
  readonly tally: Tally
}

/**
 * One walk through what is to be restored. Folders, links and special files are made as the walk comes to them,
 * files window by window, and the metadata of a folder is set when the last of what is in it is done: deepest
 * first, and in any order of windows. Memory: one window, and one page for each level of the walk.
 */
export class RestoreRun {
  private readonly parts: RunParts
  private readonly rule: OverwriteRule
  private readonly isDryRun: boolean
  private readonly window: FileWindow
  private windowNodes = 0
  private nodesAWindow: number
  private turnNodes = 0
  /** Further names of files whose first name is not whole yet. */
  private waiting: Entry<Node>[] = []
  private end: HoldfastError | undefined

  constructor(parts: RunParts) {
    this.parts = parts
    this.rule = parts.options.overwrite ?? 'always'
    this.isDryRun = parts.options.isDryRun ?? false
    this.nodesAWindow = Math.min(FIRST_WINDOW_NODES, parts.limits.windowNodes)
    this.window = new FileWindow({
      ...parts,
      release: (directory) => this.release(directory),
      fail: (path, error) => this.fail(path, error),
    })
  }

  /** Restore what is in a tree into the target. */
  async restoreAll(tree: ChunkId, top: TargetDirectory): Promise<void> {
    await this.restoreTree(tree, top)
    await this.finish()
  }

  /** Restore one node, no folder, into the target. */
  async restoreOne(node: Node, top: TargetDirectory): Promise<void> {
    await this.restoreNode(top, node, joinName(top.path, node.name))
    this.release(top)
    await this.finish()
  }

  /** Wait until nothing is under way, also after an error. The runner has been closed. */
  async settle(): Promise<void> {
    await this.window.settled().catch(() => {})
  }

  private async finish(): Promise<void> {
    while (!this.window.isEmpty || this.window.isRunning || this.waiting.length > 0) await this.readWindow()
  }

  private async restoreTree(tree: ChunkId, directory: TargetDirectory): Promise<void> {
    const pages = readDirectory(this.parts.repository, tree)
    for (;;) {
      const page = await this.nextPage(pages, directory)
      if (page === undefined) break
      for (const node of page.nodes) {
        checkAborted(this.parts.options.signal)
        const visiting = this.visit(directory, node)
        if (visiting !== undefined) await visiting
      }
    }
    this.release(directory)
  }

  /** Undefined at the end, and where the rest of the folder cannot be read. */
  private async nextPage(
    pages: AsyncGenerator<DirectoryPage>,
    directory: TargetDirectory,
  ): Promise<DirectoryPage | undefined> {
    try {
      const next = await pages.next()
      return next.done === true ? undefined : next.value
    } catch (error) {
      this.fail(directory.path, error)
      return undefined
    }
  }

  /** A promise when it takes time: most files are only planned. */
  private visit(directory: TargetDirectory, node: Node): Promise<void> | undefined {
    const path = joinName(directory.path, node.name)
    const choice = this.parts.selection(path, node.type === 'directory')
    if (choice === 'left-out') return undefined
    if (++this.turnNodes % NODES_A_TURN === 0)
      return nextTurn().then(() => this.take(directory, node, path, choice))
    return this.take(directory, node, path, choice)
  }

  private take(
    directory: TargetDirectory,
    node: Node,
    path: RawName,
    choice: 'wanted' | 'leads',
  ): Promise<void> | undefined {
    if (node.type === 'directory') {
      const child = childDirectory(directory, node)
      if (choice === 'wanted' && !this.open(child)) {
        this.release(child)
        return undefined
      }
      return this.restoreTree(node.tree, child)
    }
    if (!this.open(directory)) return undefined
    if (
      node.type === 'file' &&
      directory.isFresh &&
      this.window.addNow({ directory, node, path, found: undefined })
    ) {
      directory.pending++
      return this.isWindowOver() ? this.readWindow() : undefined
    }
    return this.restoreNode(directory, node, path).then(() =>
      this.isWindowOver() ? this.readWindow() : undefined,
    )
  }

  /** Called once a node. */
  private isWindowOver(): boolean {
    return ++this.windowNodes >= this.nodesAWindow || this.window.isFull
  }

  /** Make or enter a folder when something is to be restored into it. @returns false where that failed */
  private open(directory: TargetDirectory): boolean {
    if (directory.state !== 'unopened') return directory.state === 'open'
    directory.state = 'failed'
    if (!this.open(directory.parent!)) return false
    try {
      if (this.isDryRun) lookIntoDirectory(directory, this.rule)
      else enterDirectory(directory, this.rule)
      directory.state = 'open'
    } catch (error) {
      this.fail(directory.path, error)
    }
    if (!this.staysAsItIs(directory)) this.parts.tally.begin(0)
    return directory.state === 'open'
  }

  /** One thing less to be done in a folder; with the last one it is complete, and so may be those above it. */
  private release(directory: TargetDirectory): void {
    for (let at: TargetDirectory | undefined = directory; at !== undefined; at = at.parent) {
      if (--at.pending > 0) return
      this.complete(at)
    }
  }

  private complete(directory: TargetDirectory): void {
    const { path, node, state, isFresh } = directory
    if (state !== 'open' || node === undefined) return
    const staysAsItIs = this.staysAsItIs(directory)
    try {
      if (!staysAsItIs && !this.isDryRun) this.parts.writer.completeDirectory(directory)
    } catch (error) {
      this.fail(path, error)
      return
    }
    if (directory.parent === undefined) return
    directory.held?.close()
    if (staysAsItIs) this.parts.tally.skip(path, 'skipped', 0)
    else this.parts.tally.finish(path, isFresh ? 'restored' : 'updated', 0)
  }

  private staysAsItIs({ isFresh }: TargetDirectory): boolean {
    return this.rule === 'never' && !isFresh
  }

  private async restoreNode(directory: TargetDirectory, node: Node, path: RawName): Promise<void> {
    directory.pending++
    try {
      const found =
        directory.isFresh || directory.held === undefined
          ? undefined
          : findExisting(directory.held.pathOf(node.name))
      await this.restoreEntry({ directory, node, path, found })
    } catch (error) {
      this.fail(path, error)
      this.release(directory)
    }
  }

  /** Ends with the entry planned, waiting, or released. Throws what its caller has to report. */
  private async restoreEntry(entry: Entry<Node>): Promise<void> {
    const { directory, node, path, found } = entry
    if (found !== undefined && !mayReplace(this.rule, node, found)) {
      this.parts.tally.skip(path, 'skipped', sizeOf(node))
      this.release(directory)
      return
    }
    const key = linkKey(node)
    if (key !== undefined && this.window.hasFirstName(key)) {
      this.waiting.push(entry)
      return
    }
    if (key !== undefined && this.parts.writer.link(entry, key)) {
      this.release(directory)
      return
    }
    if (found !== undefined && (await this.isRight(entry, found))) {
      this.parts.writer.refresh(entry)
      this.release(directory)
      return
    }
    if (node.type === 'file') {
      await this.window.add({ ...entry, node })
      return
    }
    this.parts.tally.begin(0)
    this.parts.writer.createOther(entry)
    this.release(directory)
  }

  private async isRight({ directory, node }: Entry<Node>, found: FileStatus): Promise<boolean> {
    const verdict = judge(this.rule, node, found, directory.held!.pathOf(node.name))
    if (verdict !== 'compare') return verdict === 'right'
    try {
      return await this.parts.writer.hasContent(directory.held!.pathOf(node.name), node as FileNode)
    } catch (error) {
      // What may not be read may still be replaced.
      if (systemCode(error) === 'EACCES') return false
      throw error
    }
  }

  /** Deal with the names that waited for the window before, and begin to read what is planned. */
  private async readWindow(): Promise<void> {
    this.windowNodes = 0
    this.nodesAWindow = Math.min(2 * this.nodesAWindow, this.parts.limits.windowNodes)
    const waiting = this.waiting
    this.waiting = []
    for (const entry of waiting) {
      checkAborted(this.parts.options.signal)
      try {
        await this.restoreEntry(entry)
      } catch (error) {
        this.fail(entry.path, error)
        this.release(entry.directory)
      }
    }
    await this.window.start()
  }

  /** Report what costs one file or folder; throw what ends the run, also when it comes by a second time. */
  private fail(path: RawName, error: unknown): void {
    checkAborted(this.parts.options.signal)
    this.end ??= endOfRun(error, this.parts.options.target)
    if (this.end !== undefined) throw this.end
    if (!costsOneFile(error)) throw error
    this.parts.tally.fail(path, error)
  }
}

function sizeOf(node: Node): number {
  return node.type === 'file' ? Number(node.sizeBytes) : 0
}
