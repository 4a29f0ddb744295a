import { type ChunkId, joinName, type RawName } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import {
  compareNodes,
  isSameContentRef,
  isSameMetadata,
  type Node,
  type NodeChange,
  type NodeType,
  type StoredNodes,
  type TreeSource,
  TreeWalker,
  visitTree,
} from '../tree/index.ts'
import { type Change, type ChangeLog, createChangeLog, type DiffResult } from './changes.ts'
import { AFTER, BEFORE, type ChunkCounts, createChunkCounts, type Side } from './chunk-counts.ts'
import { type ContentCounts, createContentCounts } from './content-counts.ts'
import { type PairsOptions, PairWalk } from './pairs.ts'

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
  private readonly sources: Readonly<Record<Side, TreeSource>>
  private readonly pairs: PairsOptions

  constructor(repository: Repository, options: DiffOptions) {
    const { withMetadata = false, isExact = false, onChanges, signal } = options
    this.repository = repository
    this.signal = signal
    this.withMetadata = withMetadata
    this.log = createChangeLog(onChanges, withMetadata)
    this.counts = createChunkCounts(repository)
    this.contents = createContentCounts(repository, this.counts, { isExact, signal })
    this.sources = { [BEFORE]: this.sourceOf(BEFORE), [AFTER]: this.sourceOf(AFTER) }
    this.pairs = { before: this.sources[BEFORE], after: this.sources[AFTER], withShared: isExact }
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
  private sourceOf(side: Side): TreeSource {
    const { counts, repository, signal } = this
    return {
      async readTree(id) {
        checkAborted(signal)
        counts.add(side, 'tree', id)
        return await repository.readTree(id)
      },
      readTreeNow(id) {
        checkAborted(signal)
        const bytes = repository.readTreeNow(id)
        if (bytes !== undefined) counts.add(side, 'tree', id)
        return bytes
      },
    }
  }

  private async trees(before: ChunkId, after: ChunkId, path: RawName): Promise<void> {
    if (Buffer.compare(before, after) === 0) {
      if (this.pairs.withShared) await this.shareTree(before)
      return
    }
    const pairs = new PairWalk(before, after, this.pairs)
    while (pairs.next() || (await pairs.wait())) {
      const wait = this.pair(pairs, path)
      if (wait !== undefined) await wait
    }
  }

  private pair({ before, after, sharedPage, areSame }: PairWalk, path: RawName): Waiting {
    if (sharedPage !== undefined) return this.shareTree(sharedPage)
    if (areSame) return this.shareNode(before!)
    const below = joinName(path, (before ?? after)!.rawName())
    if (after === undefined) return this.single(BEFORE, before!, below)
    if (before === undefined) return this.single(AFTER, after, below)
    if (before.type !== after.type) return this.types(before, after, below)
    return before.type === 'file' ? this.files(before, after, below) : this.others(before, after, below)
  }

  private async types(before: StoredNodes, after: StoredNodes, path: RawName): Promise<void> {
    await this.log.put({ path, change: 'type', before: before.type, after: after.type })
    await this.content(BEFORE, before, path)
    await this.content(AFTER, after, path)
  }

  private files(before: StoredNodes, after: StoredNodes, path: RawName): Waiting {
    const [old, fresh] = [before.content(), after.content()]
    const isSame = isSameContentRef(old, fresh)
    // Decodes no more than the question takes.
    const isPlain = isSame ? !this.withMetadata : !before.isSameButContent(after)
    const change = !isPlain ? compareNodes(before.decode(), after.decode()) : isSame ? 'same' : 'content'
    const wait = change === 'same' ? undefined : this.log.put({ path, change, before: 'file', after: 'file' })
    if (isSame) return then(wait, () => (this.pairs.withShared ? this.shareNode(before) : undefined))
    return then(wait, () => this.contents.addChanged(old, fresh))
  }

  /** Two folders, or two of what is neither folder nor file. */
  private others(before: StoredNodes, after: StoredNodes, path: RawName): Waiting {
    const { type } = before
    const change = this.changeOf(before, after)
    const wait = change === 'same' ? undefined : this.log.put({ path, change, before: type, after: type })
    if (type !== 'directory') return wait
    return then(wait, () => this.trees(before.tree(), after.tree(), path))
  }

  private changeOf(before: StoredNodes, after: StoredNodes): NodeChange {
    if (before.type !== 'directory') return compareNodes(before.decode(), after.decode())
    // Their content has lines of its own.
    if (!this.withMetadata) return 'same'
    return isSameMetadata(before.decode(), after.decode()) ? 'same' : 'metadata'
  }

  /** A node that only one side has. */
  private single(side: Side, node: StoredNodes, path: RawName): Waiting {
    const wait = this.putSingle(side, node.type, path)
    return then(wait, () => this.content(side, node, path))
  }

  private putSingle(side: Side, type: NodeType, path: RawName): Waiting {
    return side === BEFORE
      ? this.log.put({ path, change: 'removed', before: type, after: undefined })
      : this.log.put({ path, change: 'added', before: undefined, after: type })
  }

  /** What a node of one side holds. */
  private content(side: Side, node: StoredNodes, path: RawName): Waiting {
    if (node.type === 'file') return this.contents.addFile(side, node.content())
    return node.type === 'directory' ? this.below(side, node.tree(), path) : undefined
  }

  /** Everything below a folder of one side. */
  private async below(side: Side, tree: ChunkId, path: RawName): Promise<void> {
    const walker = new TreeWalker(this.sources[side], tree, path, this.signal)
    while (walker.next() || (await walker.wait())) {
      const { nodes } = walker
      const at = joinName(walker.path, nodes.rawName())
      const put = this.putSingle(side, nodes.type, at)
      if (put !== undefined) await put
      if (nodes.type === 'directory') walker.enter(at)
      else if (nodes.type === 'file') {
        const add = this.contents.addFile(side, nodes.content())
        if (add !== undefined) await add
      }
    }
  }

  private shareNode(node: StoredNodes): Waiting {
    if (node.type === 'file') return this.contents.addShared(node.content())
    return node.type === 'directory' ? this.shareTree(node.tree()) : undefined
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

/** A promise only where something has to be waited for: most nodes take no time. */
type Waiting = Promise<void> | undefined

function then(wait: Waiting, next: () => Waiting): Waiting {
  return wait === undefined ? next() : wait.then(next)
}
