import { type ChunkId, joinName, type RawName } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import {
  compareNodes,
  isSameContentRef,
  isSameMetadata,
  type Node,
  type NodeChange,
  type NodeCursor,
  visitTree,
} from '../tree/index.ts'
import { type Change, type ChangeLog, createChangeLog, type DiffResult } from './changes.ts'
import { AFTER, BEFORE, type ChunkCounts, createChunkCounts, type Side } from './chunk-counts.ts'
import { type ContentCounts, createContentCounts } from './content-counts.ts'
import { eachNode, type PairsOptions, pairNodes, type ReadPage } from './tree-side.ts'

/** A folder or a file of a snapshot, as `resolvePath` gives it. */
export interface DiffPlace {
  readonly path: RawName
  /** Undefined for the root. */
  readonly node: Node | undefined
  /** What is in it; undefined for what is no folder. */
  readonly tree: ChunkId | undefined
}

export interface DiffOptions {
  /** Also report what differs in metadata alone. Default false. */
  readonly withMetadata?: boolean
  /**
   * Look into what is equal too, so that a chunk which is also there is neither added nor removed. Costs a walk of
   * everything. Default false: chunks are compared with those of what differs.
   */
  readonly isExact?: boolean
  /** Some changes in order of the walk; the comparison waits for it. */
  readonly onChanges?: ((changes: readonly Change[]) => Promise<void> | void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Compare two places of snapshots. Load the index before. Folders and pages that both have are not opened, and no
 * content is read. Memory: two pages a level, and a few bits for each chunk of the repository.
 *
 * @throws HoldfastError DAMAGED, INTERRUPTED; FAILED when the local index was rebuilt meanwhile
 */
export async function diff(
  repository: Repository,
  before: DiffPlace,
  after: DiffPlace,
  options: DiffOptions = {},
): Promise<DiffResult> {
  const run = new DiffRun(repository, options)
  await run.places(before, after)
  return await run.finish()
}

class DiffRun {
  private readonly repository: Repository
  private readonly signal: AbortSignal | undefined
  private readonly withMetadata: boolean
  private readonly log: ChangeLog
  private readonly counts: ChunkCounts
  private readonly contents: ContentCounts
  private readonly readBefore: ReadPage
  private readonly readAfter: ReadPage
  private readonly pairs: PairsOptions

  constructor(repository: Repository, options: DiffOptions) {
    const { withMetadata = false, isExact = false, onChanges, signal } = options
    this.repository = repository
    this.signal = signal
    this.withMetadata = withMetadata
    this.log = createChangeLog(onChanges, withMetadata)
    this.counts = createChunkCounts(repository)
    this.contents = createContentCounts(repository, this.counts, { isExact, signal })
    this.readBefore = this.reader(BEFORE)
    this.readAfter = this.reader(AFTER)
    const { readBefore, readAfter } = this
    this.pairs = isExact
      ? {
          readBefore,
          readAfter,
          onSharedPage: async (id) => await this.shareTree(id),
          onSharedNode: async (node) => await this.shareNode(node),
        }
      : { readBefore, readAfter }
  }

  async places(before: DiffPlace, after: DiffPlace): Promise<void> {
    if (before.tree !== undefined && after.tree !== undefined) {
      if (before.node !== undefined && after.node !== undefined && !isSameMetadata(before.node, after.node)) {
        await this.log.put({ path: '/', change: 'metadata', before: 'directory', after: 'directory' })
      }
      await this.trees(before.tree, after.tree, '/')
      return
    }
    // A file, or a file and a folder: the root of a snapshot has no node.
    const path = joinName('/', after.node?.name ?? before.node?.name ?? '')
    const change =
      before.node === undefined || after.node === undefined ? 'type' : compareNodes(before.node, after.node)
    const [left, right] = [before.node?.type ?? 'directory', after.node?.type ?? 'directory']
    if (change !== 'same') await this.log.put({ path, change, before: left, after: right })
    if (before.node?.type === 'file' && after.node?.type === 'file') {
      if (change !== 'same' && change !== 'metadata')
        await this.contents.addChanged(before.node.content, after.node.content)
      return
    }
    for (const [side, place] of [[BEFORE, before] as const, [AFTER, after] as const]) {
      if (place.node?.type === 'file') await this.contents.addFile(side, place.node.content)
      if (place.tree !== undefined) await this.below(side, place.tree, path)
    }
  }

  async finish(): Promise<DiffResult> {
    await this.log.flush()
    this.counts.check()
    const { added, removed } = this.log.nodes
    return {
      changedFiles: this.log.changedFiles,
      added: { ...added, ...this.counts.added },
      removed: { ...removed, ...this.counts.removed },
    }
  }

  /** Reads pages of one side and counts them. */
  private reader(side: Side): ReadPage {
    return async (id) => {
      checkAborted(this.signal)
      this.counts.add(side, 'tree', id)
      return await this.repository.readTree(id)
    }
  }

  private async trees(before: ChunkId, after: ChunkId, path: RawName): Promise<void> {
    if (Buffer.compare(before, after) === 0) {
      await this.pairs.onSharedPage?.(before)
      return
    }
    for await (const pair of pairNodes(before, after, this.pairs)) {
      const below = joinName(path, (pair.before ?? pair.after).name())
      if (pair.after === undefined) await this.single(BEFORE, pair.before, below)
      else if (pair.before === undefined) await this.single(AFTER, pair.after, below)
      else await this.nodes(pair.before, pair.after, below)
    }
  }

  /** Two nodes of a name that are not the same byte for byte. */
  private async nodes(before: NodeCursor, after: NodeCursor, path: RawName): Promise<void> {
    const [left, right] = [before.type, after.type]
    if (left !== right) {
      await this.log.put({ path, change: 'type', before: left, after: right })
      await this.content(BEFORE, before, path)
      await this.content(AFTER, after, path)
      return
    }
    if (left === 'file') {
      await this.files(before, after, path)
      return
    }
    const change = this.changeOf(before, after)
    if (change !== 'same') await this.log.put({ path, change, before: left, after: right })
    if (left === 'directory') await this.trees(before.tree(), after.tree(), path)
  }

  private async files(before: NodeCursor, after: NodeCursor, path: RawName): Promise<void> {
    const [old, fresh] = [before.content(), after.content()]
    const isSame = isSameContentRef(old, fresh)
    // Decodes no more than the question takes.
    const isPlain = isSame ? !this.withMetadata : !before.isSameButContent(after)
    const change = !isPlain ? compareNodes(before.node(), after.node()) : isSame ? 'same' : 'content'
    if (change !== 'same') {
      const wait = this.log.put({ path, change, before: 'file', after: 'file' })
      if (wait !== undefined) await wait
    }
    if (isSame) await this.pairs.onSharedNode?.(before)
    else {
      const wait = this.contents.addChanged(old, fresh)
      if (wait !== undefined) await wait
    }
  }

  private changeOf(before: NodeCursor, after: NodeCursor): NodeChange {
    if (before.type !== 'directory') return compareNodes(before.node(), after.node())
    // Their content has lines of its own.
    if (!this.withMetadata) return 'same'
    return isSameMetadata(before.node(), after.node()) ? 'same' : 'metadata'
  }

  /** A node that only one side has. */
  private async single(side: Side, node: NodeCursor, path: RawName): Promise<void> {
    const { type } = node
    const sides = side === BEFORE ? { before: type, after: undefined } : { before: undefined, after: type }
    await this.log.put({ path, change: side === BEFORE ? 'removed' : 'added', ...sides })
    await this.content(side, node, path)
  }

  /** What a node of one side holds. */
  private async content(side: Side, node: NodeCursor, path: RawName): Promise<void> {
    if (node.type === 'file') await this.contents.addFile(side, node.content())
    else if (node.type === 'directory') await this.below(side, node.tree(), path)
  }

  /** Everything below a folder of one side. */
  private async below(side: Side, tree: ChunkId, path: RawName): Promise<void> {
    const read = side === BEFORE ? this.readBefore : this.readAfter
    for await (const node of eachNode(tree, read)) await this.single(side, node, joinName(path, node.name()))
  }

  private async shareNode(node: NodeCursor): Promise<void> {
    if (node.type === 'file') await this.contents.addShared(node.content())
    else if (node.type === 'directory') await this.shareTree(node.tree())
  }

  private async shareTree(tree: ChunkId): Promise<void> {
    const { counts, repository, signal } = this
    await visitTree(
      repository,
      tree,
      {
        enterTree: (id) => counts.addShared('tree', id),
        data: (ids) => {
          for (const id of ids) counts.addShared('data', id)
        },
      },
      signal,
    )
  }
}
