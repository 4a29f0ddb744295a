import { type ContentStore, createContentStore } from '../backup/index.ts'
import { type ChunkId, compareNames } from '../encoding/index.ts'
import { checkAborted, HoldfastError, isLossOfData } from '../errors/index.ts'
import type { Repository, RunWriter } from '../repository/index.ts'
import { type ChunkSet, createChunkSet } from '../snapshot/index.ts'
import {
  type ContentRef,
  createDirectoryWriter,
  type DirectoryNode,
  type FileNode,
  isSameContentRef,
  type Node,
  readContent,
  readDirectory,
  visitTree,
  writeContent,
} from '../tree/index.ts'

/** One tree in both repositories. */
export interface TreePair {
  readonly source: ChunkId
  readonly target: ChunkId
}

export interface TreeCopierParts {
  readonly source: Repository
  readonly target: Repository
  readonly writer: RunWriter
  /** All that earlier trees of the target name has a good copy, as was looked up or stored since it had its losses. */
  readonly isEarlierWhole: boolean
  /** Told of each node, and of content that was read. */
  readonly onNode: (bytesRead: number) => void
  readonly signal: AbortSignal | undefined
}

/**
 * Copies trees under one session of the target. What an earlier pair of trees has at the same place is not read again.
 * Memory: three pages for each level of directories, and the ids of one file's chunks.
 */
export class TreeCopier {
  private readonly parts: TreeCopierParts
  private readonly contents: ContentStore
  /** Chunks of the target that were looked up; undefined once one was found wanting. */
  private lookedUp: ChunkSet | undefined

  constructor(parts: TreeCopierParts) {
    const { target, writer, signal } = parts
    this.parts = parts
    this.contents = createContentStore(target, writer, signal)
    this.lookedUp = createChunkSet(target)
  }

  /** @returns the tree's id in the target. @throws HoldfastError DAMAGED when something of the source cannot be read */
  async copy(tree: ChunkId, earlier: TreePair | undefined): Promise<ChunkId> {
    if (
      earlier !== undefined &&
      Buffer.compare(tree, earlier.source) === 0 &&
      (await this.isStored(earlier.target))
    ) {
      return earlier.target
    }
    const { source, writer, onNode, signal } = this.parts
    const directory = createDirectoryWriter(writer)
    const before = new EarlierNodes(this.parts, earlier)
    for await (const { nodes } of readDirectory(source, tree)) {
      for (const node of nodes) {
        checkAborted(signal)
        if (node.type === 'file') {
          const pair = await before.find(node)
          directory.add({ ...node, content: await this.copyContent(node, pair) })
        } else if (node.type === 'directory') {
          const pair = await before.find(node)
          directory.add({
            ...node,
            tree: await this.copy(node.tree, pair && { source: pair[0].tree, target: pair[1].tree }),
          })
        } else directory.add(node)
        onNode(0)
      }
      await writer.drained()
    }
    return Uint8Array.from(directory.finish()) as Uint8Array as ChunkId
  }

  /** To be called when all is copied. */
  flush(): void {
    this.contents.flush()
  }

  private async copyContent(
    node: FileNode,
    earlier: readonly [FileNode, FileNode] | undefined,
  ): Promise<ContentRef> {
    if (earlier !== undefined && isSameContentRef(earlier[0].content, node.content)) {
      if (await this.isContentStored(earlier[1].content)) return earlier[1].content
    }
    const { writer } = this.parts
    const { ids, sizeBytes } = await this.contents.store(this.read(node.content))
    if (BigInt(sizeBytes) === node.sizeBytes) return writeContent(writer, ids)
    throw new HoldfastError('DAMAGED', `a file has ${sizeBytes} bytes, not ${node.sizeBytes}`)
  }

  private async *read(content: ContentRef): AsyncGenerator<Buffer> {
    const { source, onNode, signal } = this.parts
    for await (const { ids } of readContent(source, content)) {
      for (const id of ids) {
        const bytes = await source.readChunk('data', id, signal)
        onNode(bytes.length)
        yield bytes
      }
    }
  }

  /** Rule R2 of the prune protocol: whether every chunk below a tree of the target has a good copy. */
  private async isStored(tree: ChunkId): Promise<boolean> {
    if (this.parts.isEarlierWhole) return true
    const { target, writer, signal } = this.parts
    const { lookedUp } = this
    let isWhole = lookedUp !== undefined
    const has = (id: ChunkId): boolean => {
      isWhole &&= writer.isStored(id)
      return isWhole
    }
    if (lookedUp === undefined) return false
    await visitTree(
      target,
      tree,
      {
        enterTree: (id) => has(id) && lookedUp.add(id),
        data: (ids) => void ids.every(has),
        unreadable: () => {
          isWhole = false
        },
      },
      signal,
    )
    // What was entered on the way to what is missing counts as whole no more, and is not to be told from the rest.
    if (!isWhole) this.lookedUp = undefined
    return isWhole
  }

  private async isContentStored(content: ContentRef): Promise<boolean> {
    if (this.parts.isEarlierWhole) return true
    const { target, writer } = this.parts
    try {
      for await (const { ids, pageIds } of readContent(target, content))
        if (![...pageIds, ...ids].every((id) => writer.isStored(id))) return false
      return true
    } catch (error) {
      if (!isLossOfData(error)) throw error
      return false
    }
  }
}

/** Nodes of two directories that have the same names, asked for in order of names. */
class EarlierNodes {
  private readonly sides: readonly NodeCursor[]

  constructor({ source, target }: TreeCopierParts, earlier: TreePair | undefined) {
    this.sides =
      earlier === undefined
        ? []
        : [new NodeCursor(source, earlier.source), new NodeCursor(target, earlier.target)]
  }

  /** What both had under the name of this node, if that was of its kind. */
  async find<Kind extends FileNode | DirectoryNode>(node: Kind): Promise<readonly [Kind, Kind] | undefined> {
    const found: Kind[] = []
    for (const side of this.sides) {
      const one = await side.seek(node)
      if (one?.type === node.type) found.push(one as Kind)
    }
    return found.length === 2 ? [found[0]!, found[1]!] : undefined
  }
}

/** Goes through a directory; what cannot be read of it is not there. */
class NodeCursor {
  private readonly pages: ReturnType<typeof readDirectory>
  private nodes: readonly Node[] = []
  private at = 0
  private isAtEnd = false

  constructor(repository: Repository, tree: ChunkId) {
    this.pages = readDirectory(repository, tree)
  }

  async seek({ name }: Node): Promise<Node | undefined> {
    for (;;) {
      while (this.at < this.nodes.length) {
        const order = compareNames(this.nodes[this.at]!.name, name)
        if (order === 0) return this.nodes[this.at]
        if (order > 0) return undefined
        this.at++
      }
      if (this.isAtEnd) return undefined
      await this.turn()
    }
  }

  private async turn(): Promise<void> {
    this.at = 0
    this.nodes = []
    try {
      const next = await this.pages.next()
      if (next.done === true) this.isAtEnd = true
      else this.nodes = next.value.nodes
    } catch (error) {
      if (!isLossOfData(error)) throw error
      this.isAtEnd = true
    }
  }
}
