import type { ChunkId } from '../encoding/index.ts'
import { type Child, openDirectoryPage, type StoredNodes, type TreeSource } from '../tree/index.ts'

/** A page that was not opened yet. */
interface ClosedPage {
  readonly id: ChunkId
  /** undefined for a root. */
  readonly level: number | undefined
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
 * One of two folders that are gone through side by side. It stands before a closed page, on a node, or at its end,
 * where it has neither. Memory: one page a level.
 */
class TreeSide {
  page: ClosedPage | undefined
  node: StoredNodes | undefined
  private readonly source: TreeSource
  private readonly open: OpenPage[] = []

  constructor(source: TreeSource, tree: ChunkId) {
    this.source = source
    this.page = { id: tree, level: undefined, floor: NO_NAME }
  }

  /** Open the page it stands before, and stand at what is first in it. @returns false when it has to be waited for */
  enterNow(): boolean {
    const bytes = this.source.readTreeNow?.(this.page!.id)
    if (bytes !== undefined) this.enter(bytes)
    return bytes !== undefined
  }

  async waitAndEnter(): Promise<void> {
    this.enter(await this.source.readTree(this.page!.id))
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

  private enter(bytes: Uint8Array): void {
    const { level, floor } = this.page!
    const opened = openDirectoryPage(bytes, level, floor)
    this.page = undefined
    if (opened.children !== undefined) {
      this.open.push({ children: opened.children, level: opened.level, floor, at: 0 })
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

export interface PairsOptions {
  readonly before: TreeSource
  readonly after: TreeSource
  /** Also show what both folders have. */
  readonly withShared: boolean
}

/**
 * Steps through what differs between two folders, in order of names, and waits only where a page is not at hand:
 * `while (pairs.next() || (await pairs.wait()))`. Pages that both have are never opened; nor are those of one side
 * while the other's nodes lie before them. What is shown is good until the next step.
 */
export class PairWalk {
  /** A node that one of the folders has, or two of one name. */
  before: StoredNodes | undefined
  after: StoredNodes | undefined
  /** Both folders have it, byte for byte: a page with all that is below it, or the nodes shown. */
  sharedPage: ChunkId | undefined
  areSame = false
  private readonly left: TreeSide
  private readonly right: TreeSide
  private readonly withShared: boolean
  /** Its page has to be waited for. */
  private waiting: TreeSide | undefined

  constructor(before: ChunkId, after: ChunkId, options: PairsOptions) {
    this.left = new TreeSide(options.before, before)
    this.right = new TreeSide(options.after, after)
    this.withShared = options.withShared
  }

  /** Show what is next. @returns false at the end, and where `wait` has to read a page @throws HoldfastError DAMAGED */
  next(): boolean {
    const { left, right } = this
    for (;;) {
      this.leave()
      const closed = this.toOpen()
      if (closed !== undefined) {
        if (closed.enterNow()) continue
        this.waiting = closed
        return false
      }
      if (left.page !== undefined && right.page !== undefined) this.sharedPage = left.page.id
      else if (left.node === undefined && right.node === undefined) return false
      else this.show(left.node, right.node)
      if (this.withShared || !(this.areSame || this.sharedPage !== undefined)) return true
    }
  }

  /** Read the page that `next` stopped at, and go on. @returns false at the end */
  async wait(): Promise<boolean> {
    for (let { waiting } = this; waiting !== undefined; waiting = this.waiting) {
      this.waiting = undefined
      await waiting.waitAndEnter()
      if (this.next()) return true
    }
    return false
  }

  /** The side whose page is to be opened next; undefined where both stand before the same one, or on nodes. */
  private toOpen(): TreeSide | undefined {
    const { left, right } = this
    if (left.page !== undefined && right.page !== undefined) {
      if (Buffer.compare(left.page.id, right.page.id) === 0) return undefined
      return levelOf(left.page) >= levelOf(right.page) ? left : right
    }
    if (left.page !== undefined && !isBefore(right.node, left.page)) return left
    if (right.page !== undefined && !isBefore(left.node, right.page)) return right
    return undefined
  }

  private show(before: StoredNodes | undefined, after: StoredNodes | undefined): void {
    const order = before === undefined ? 1 : after === undefined ? -1 : before.compareName(after)
    if (order <= 0) this.before = before
    if (order >= 0) this.after = after
    this.areSame = order === 0 && before!.isSame(after!)
  }

  /** Go past what was shown. */
  private leave(): void {
    if (this.sharedPage !== undefined) {
      this.left.skipPage()
      this.right.skipPage()
    }
    if (this.before !== undefined) this.left.nextNode()
    if (this.after !== undefined) this.right.nextNode()
    this.before = undefined
    this.after = undefined
    this.sharedPage = undefined
    this.areSame = false
  }
}

/** A root may have any. */
function levelOf({ level }: ClosedPage): number {
  return level ?? Number.POSITIVE_INFINITY
}

/** True for a node whose name comes before everything in the page. */
function isBefore(node: StoredNodes | undefined, page: ClosedPage): boolean {
  return node !== undefined && node.compareNameTo(page.floor) <= 0
}
