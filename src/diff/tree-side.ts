import type { ChunkId } from '../encoding/index.ts'
import { type Child, type NodeCursor, openDirectoryPage } from '../tree/index.ts'

/** Reads a page of a folder, and takes note of it. */
export type ReadPage = (id: ChunkId) => Promise<Uint8Array>

/** A page that was not opened yet. */
interface ClosedPage {
  readonly id: ChunkId
  readonly level: number
  /** Every name in it comes after this one. */
  readonly floor: Uint8Array
}

interface OpenPage {
  readonly children: readonly Child[]
  readonly level: number
  readonly floor: Uint8Array
  at: number
}

const NO_NAME = new Uint8Array(0)

/**
 * One of two folders that are gone through side by side. It stands before a closed page, on a node, or at its end:
 * exactly one of `page`, `node` and `isEnd` holds. Memory: one page a level.
 */
class TreeSide {
  page: ClosedPage | undefined
  node: NodeCursor | undefined
  private readonly read: ReadPage
  private readonly open: OpenPage[] = []

  constructor(read: ReadPage) {
    this.read = read
  }

  get isEnd(): boolean {
    return this.page === undefined && this.node === undefined
  }

  /** Stand at the beginning of a folder. Its root page is opened. */
  async start(tree: ChunkId): Promise<void> {
    await this.enter({ id: tree, level: 0, floor: NO_NAME }, undefined)
  }

  /** Open the page it stands before, and stand at what is first in it. */
  async enterPage(): Promise<void> {
    await this.enter(this.page!, this.page!.level)
  }

  /** Leave out the page it stands before. */
  skipPage(): void {
    this.page = undefined
    this.advance()
  }

  /** Leave the node it stands on. */
  nextNode(): void {
    if (this.node!.next()) return
    this.node = undefined
    this.advance()
  }

  private async enter(page: ClosedPage, level: number | undefined): Promise<void> {
    const opened = openDirectoryPage(await this.read(page.id), level)
    this.page = undefined
    if (opened.children !== undefined) {
      this.open.push({ children: opened.children, level: opened.level, floor: page.floor, at: 0 })
    } else if (opened.nodes.next()) {
      this.node = opened.nodes
      return
    }
    this.advance()
  }

  /** Stand before the next closed page, or at the end. */
  private advance(): void {
    for (let top = this.open.at(-1); top !== undefined; top = this.open.at(-1)) {
      const child = top.children[top.at]
      if (child !== undefined) {
        const floor = top.at === 0 ? top.floor : top.children[top.at - 1]!.lastKey
        this.page = { id: child.id, level: top.level - 1, floor }
        top.at++
        return
      }
      this.open.pop()
    }
  }
}

/** A node that one of two folders has, or that both have under one name. */
export type Pair =
  | { readonly before: NodeCursor; readonly after: undefined }
  | { readonly before: undefined; readonly after: NodeCursor }
  | { readonly before: NodeCursor; readonly after: NodeCursor }

export interface PairsOptions {
  readonly readBefore: ReadPage
  readonly readAfter: ReadPage
  /** A page that both folders have, and that is left out with all that is below it. */
  readonly onSharedPage?: ((id: ChunkId) => Promise<void>) | undefined
  /** A node that both folders have, byte for byte; it is left out too. */
  readonly onSharedNode?: ((node: NodeCursor) => Promise<void>) | undefined
}

/**
 * What differs between two folders, in order of names. Pages that both have are never opened; nor are those of one
 * side while the other's nodes lie before them. What a pair's cursors stand on is read before the next step.
 *
 * @throws HoldfastError DAMAGED
 */
export async function* pairNodes(
  beforeTree: ChunkId,
  afterTree: ChunkId,
  options: PairsOptions,
): AsyncGenerator<Pair> {
  const { onSharedPage, onSharedNode } = options
  const before = new TreeSide(options.readBefore)
  const after = new TreeSide(options.readAfter)
  await before.start(beforeTree)
  await after.start(afterTree)
  while (!before.isEnd || !after.isEnd) {
    if (before.page !== undefined && after.page !== undefined) {
      if (Buffer.compare(before.page.id, after.page.id) === 0) {
        await onSharedPage?.(before.page.id)
        before.skipPage()
        after.skipPage()
        continue
      }
      const [left, right] = [before.page.level, after.page.level]
      if (left >= right) await before.enterPage()
      if (right >= left) await after.enterPage()
    } else if (before.page !== undefined && !isBefore(after.node, before.page)) await before.enterPage()
    else if (after.page !== undefined && !isBefore(before.node, after.page)) await after.enterPage()
    else {
      const [left, right] = [before.node, after.node]
      const order = left === undefined ? 1 : right === undefined ? -1 : left.compareName(right)
      if (order < 0) yield { before: left!, after: undefined }
      else if (order > 0) yield { before: undefined, after: right! }
      else if (!left!.isSame(right!)) yield { before: left!, after: right! }
      else if (onSharedNode !== undefined) await onSharedNode(left!)
      if (order <= 0) before.nextNode()
      if (order >= 0) after.nextNode()
    }
  }
}

/** True for a node whose name comes before everything in the page. */
function isBefore(node: NodeCursor | undefined, page: ClosedPage): boolean {
  return node !== undefined && node.compareNameTo(page.floor) <= 0
}

/** Every node of a folder in order of names. */
export async function* eachNode(tree: ChunkId, read: ReadPage): AsyncGenerator<NodeCursor> {
  const side = new TreeSide(read)
  await side.start(tree)
  while (!side.isEnd) {
    if (side.page !== undefined) await side.enterPage()
    else {
      yield side.node!
      side.nextNode()
    }
  }
}
