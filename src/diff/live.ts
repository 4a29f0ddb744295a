import { realpathSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { compareNames, joinName, nameBytes, nameFromBytes, type RawName } from '../encoding/index.ts'
import { checkAborted, systemCode } from '../errors/index.ts'
import {
  createExcluder,
  type FileStatus,
  readLink,
  readNames,
  readStatus,
  readXattrs,
} from '../filesystem/index.ts'
import type { Repository } from '../repository/index.ts'
import { isSameMetadata, type Node, readDirectory, walkTree } from '../tree/index.ts'
import { type Change, type ChangeLog, createChangeLog, type DiffResult } from './changes.ts'
import type { DiffOptions, DiffPlace } from './diff.ts'
import { createLiveComparer, type LiveComparer } from './live-content.ts'

export interface LiveDiffOptions extends Pick<DiffOptions, 'withMetadata' | 'onChanges' | 'signal'> {
  /** Patterns as a backup has them: what they match now, and what is below, is left out on both sides. */
  readonly excludes?: readonly string[]
  /** Something of the file system that cannot be read; it is left out. */
  readonly onProblem?: (problem: { readonly path: RawName; readonly message: string }) => void
}

/**
 * Compare places of a snapshot with what is at the same paths of the file system now. A file whose size differs has
 * changed; one whose size, times and inode are equal has not; any other is read and compared chunk by chunk with the
 * ids in the snapshot, whose data is not read. The repository and the cache are left out. The result's bytes are
 * the sizes of files that are new, gone or changed; chunks are not counted. Memory: a page and the names of a folder
 * for each level.
 *
 * @param places that are not there in the snapshot have neither node nor tree
 * @throws HoldfastError DAMAGED, INTERRUPTED
 */
export async function diffLive(
  repository: Repository,
  places: readonly DiffPlace[],
  options: LiveDiffOptions = {},
): Promise<DiffResult> {
  const run = new LiveRun(repository, options)
  for (const { path, node, tree } of places) {
    if (node === undefined && tree !== undefined) await run.folder(path, tree)
    else await run.path(path, node)
  }
  return await run.finish()
}

/** Not to be compared: an own place, or one that cannot be read. */
const LEFT_OUT = 'left-out'

class LiveRun {
  private readonly repository: Repository
  private readonly options: LiveDiffOptions
  private readonly log: ChangeLog
  private readonly isExcluded: ReturnType<typeof createExcluder>
  private readonly ownPlaces: ReadonlySet<string>
  private readonly comparer: LiveComparer
  private addedBytes = 0
  private removedBytes = 0

  constructor(repository: Repository, options: LiveDiffOptions) {
    this.repository = repository
    this.options = options
    this.log = createChangeLog(options.onChanges, options.withMetadata ?? false)
    this.isExcluded = createExcluder({ patterns: options.excludes ?? [] })
    this.ownPlaces = ownPlacesOf(repository)
    this.comparer = createLiveComparer(repository, options.signal)
  }

  async finish(): Promise<DiffResult> {
    await this.log.flush()
    const { added, removed } = this.log.nodes
    const noChunks = { dataChunks: 0, treeChunks: 0 }
    return {
      changedFiles: this.log.changedFiles,
      added: { ...added, ...noChunks, bytes: this.addedBytes },
      removed: { ...removed, ...noChunks, bytes: this.removedBytes },
    }
  }

  /** What is there now; undefined for nothing. */
  private statusOf(path: RawName): FileStatus | undefined | typeof LEFT_OUT {
    try {
      const status = readStatus(path)
      return this.ownPlaces.has(`${status.device}:${status.inode}`) ? LEFT_OUT : status
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
      this.report(path, error)
      return LEFT_OUT
    }
  }

  /** Whatever is at a path. */
  async path(path: RawName, node: Node | undefined): Promise<void> {
    checkAborted(this.options.signal)
    const status = this.statusOf(path)
    if (status === LEFT_OUT) return
    const isFolder = (status?.type ?? node?.type) === 'directory'
    if (!this.isExcluded(path, isFolder)) await this.pair(path, node, status)
  }

  /** A folder that both sides have. */
  async folder(path: RawName, tree: Extract<Node, { type: 'directory' }>['tree']): Promise<void> {
    const names = this.namesOf(path)
    if (names === undefined) return
    let at = 0
    for await (const { nodes } of readDirectory(this.repository, tree)) {
      for (const node of nodes) {
        for (; at < names.length && compareNames(names[at]!, node.name) < 0; at++)
          await this.path(joinName(path, names[at]!), undefined)
        if (at < names.length && compareNames(names[at]!, node.name) === 0) at++
        await this.path(joinName(path, node.name), node)
      }
    }
    for (; at < names.length; at++) await this.path(joinName(path, names[at]!), undefined)
  }

  /** What is at a path in the snapshot, and now. */
  private async pair(path: RawName, node: Node | undefined, status: FileStatus | undefined): Promise<void> {
    if (node === undefined || status === undefined) {
      if (node !== undefined) await this.removed(path, node, 'removed')
      if (status !== undefined) await this.added(path, status, 'added')
    } else if (node.type !== status.type) {
      await this.put({ path, change: 'type', before: node.type, after: status.type })
      await this.removed(path, node, undefined)
      await this.added(path, status, undefined)
    } else {
      const change = await this.compare(path, node, status)
      if (change !== undefined) await this.put({ path, change, before: node.type, after: status.type })
      if (change === 'content' && node.type === 'file') {
        this.addedBytes += Number(status.sizeBytes)
        this.removedBytes += Number(node.sizeBytes)
      }
      if (node.type === 'directory') await this.folder(path, node.tree)
    }
  }

  private async compare(
    path: RawName,
    node: Node,
    status: FileStatus,
  ): Promise<Change['change'] | undefined> {
    try {
      if (!(await this.isSameContent(path, node, status))) return 'content'
      if (!this.options.withMetadata || this.isSameMetadata(path, node, status)) return undefined
      return 'metadata'
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      this.report(path, error)
      return undefined
    }
  }

  private async isSameContent(path: RawName, node: Node, status: FileStatus): Promise<boolean> {
    switch (node.type) {
      case 'file': {
        if (node.sizeBytes !== status.sizeBytes) return false
        const isUntouched =
          !node.racy &&
          node.mtimeNs === status.mtimeNs &&
          node.ctimeNs === status.ctimeNs &&
          node.inode === status.inode
        return isUntouched || (await this.comparer.isSame(path, node))
      }
      case 'symlink':
        return nameBytes(readLink(path)).equals(node.target)
      case 'character':
      case 'block':
        return node.major === status.major && node.minor === status.minor
      default:
        return true
    }
  }

  /** Names of owners are not looked up: their numbers are compared. */
  private isSameMetadata(path: RawName, node: Node, status: FileStatus): boolean {
    const { mode, uid, gid, mtimeNs } = status
    const { user, group } = node
    return isSameMetadata(node, { mode, uid, gid, mtimeNs, user, group, xattrs: readXattrs(path).xattrs })
  }

  private async removed(path: RawName, node: Node, change: 'removed' | undefined): Promise<void> {
    if (change !== undefined) await this.put({ path, change, before: node.type, after: undefined })
    if (node.type === 'file') this.removedBytes += Number(node.sizeBytes)
    if (node.type !== 'directory') return
    for await (const entry of walkTree(this.repository, node.tree, path, { signal: this.options.signal })) {
      if (entry.node.type === 'file') this.removedBytes += Number(entry.node.sizeBytes)
      await this.put({ path: entry.path, change: 'removed', before: entry.node.type, after: undefined })
    }
  }

  private async added(path: RawName, status: FileStatus, change: 'added' | undefined): Promise<void> {
    if (change !== undefined) await this.put({ path, change, before: undefined, after: status.type })
    if (status.type === 'file') this.addedBytes += Number(status.sizeBytes)
    if (status.type !== 'directory') return
    for (const name of this.namesOf(path) ?? []) await this.path(joinName(path, name), undefined)
  }

  private put(change: Change): Promise<void> | void {
    return this.log.put(change)
  }

  private namesOf(path: RawName): RawName[] | undefined {
    try {
      return readNames(path)
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      this.report(path, error)
      return undefined
    }
  }

  private report(path: RawName, error: unknown): void {
    if (systemCode(error) === undefined) throw error
    this.options.onProblem?.({ path, message: (error as Error).message })
  }
}

/** The repository and the folder of caches, by device and inode: a backup leaves them out too. */
function ownPlacesOf({ backend, indexDirectory }: Repository): ReadonlySet<string> {
  const places = indexDirectory === undefined ? [] : [dirname(indexDirectory)]
  if (isAbsolute(backend.location)) places.push(backend.location)
  const found = new Set<string>()
  for (const place of places) {
    try {
      const { device, inode } = readStatus(nameFromBytes(realpathSync(place, { encoding: 'buffer' })))
      found.add(`${device}:${inode}`)
    } catch (error) {
      if (systemCode(error) === undefined) throw error
    }
  }
  return found
}
