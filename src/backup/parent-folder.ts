import type { ChunkId } from '../encoding/index.ts'
import { isLossOfData } from '../errors/index.ts'
import type { NameKey } from '../filesystem/index.ts'
import { openDirectoryPage, StoredNodes } from '../tree/index.ts'
import type { Steps } from './steps.ts'

/** An index page that the way down leads through. */
interface Frame {
  readonly children: readonly { readonly lastKey: Uint8Array; readonly id: ChunkId }[]
  readonly level: number
  at: number
}

/**
 * A folder as the parent snapshot has it, beside the scan: names asked for must ascend. What cannot be read any
 * more has no nodes from there on: what is below counts as new, which heals it.
 */
export class ParentFolder {
  readonly tree: ChunkId
  /** After a find: shows the node. Replaced as pages end. */
  nodes: StoredNodes | undefined
  /** Its node is still to be passed. */
  private isPending = false
  private frames: Frame[] | undefined
  private isLost = false
  private hasSkipped = false
  private count = 0
  private readonly pageIds: ChunkId[] = []

  constructor(tree: ChunkId) {
    this.tree = tree
  }

  /** Show the node of this name; undefined when a page is needed to know: then `seek` says. */
  find(key: NameKey): boolean | undefined {
    if (this.isLost) return false
    const { nodes } = this
    if (nodes === undefined) return undefined
    try {
      while (this.isPending || nodes.next()) {
        this.isPending = nodes.name > key
        if (this.isPending) return false
        if (nodes.name === key) return true
      }
    } catch (error) {
      this.lose(error)
      return false
    }
    return this.frames?.length === 0 ? false : undefined
  }

  /** Show the node of this name. @returns false when there is none */
  *seek(key: NameKey): Steps<boolean> {
    for (;;) {
      const found = this.find(key)
      if (found !== undefined) return found
      if (!(yield* this.nextPage(key))) return false
    }
  }

  /** Read to the end. @returns how many nodes it has, and all its pages; undefined when not all were read */
  *finish(): Steps<{ readonly count: number; readonly pageIds: readonly ChunkId[] } | undefined> {
    while (yield* this.nextPage(undefined));
    return this.isLost || this.hasSkipped ? undefined : { count: this.count, pageIds: this.pageIds }
  }

  /** Go to the next leaf that can hold this name. @returns false at the end */
  private *nextPage(key: NameKey | undefined): Steps<boolean> {
    while (!this.isLost) {
      const next = this.nextChild(key)
      if (next === undefined) return false
      const page = yield next.id
      if (page === undefined) {
        this.isLost = true
        return false
      }
      this.pageIds.push(next.id)
      try {
        if (page[1] !== 0) {
          const { level, children } = openDirectoryPage(page, next.level)
          if (children !== undefined) this.frames!.push({ level, children, at: 0 })
        } else if (next.level !== undefined && next.level !== 0) {
          openDirectoryPage(page, next.level)
        } else {
          this.nodes = new StoredNodes(page)
          this.isPending = false
          this.count += this.nodes.left
          return true
        }
      } catch (error) {
        this.lose(error)
      }
    }
    return false
  }

  private nextChild(
    key: NameKey | undefined,
  ): { readonly id: ChunkId; readonly level: number | undefined } | undefined {
    if (this.frames === undefined) {
      this.frames = []
      return { id: this.tree, level: undefined }
    }
    for (let frame = this.frames.at(-1); frame !== undefined; frame = this.frames.at(-1)) {
      const child = frame.children[frame.at++]
      if (child === undefined) this.frames.pop()
      else if (key !== undefined && Buffer.from(child.lastKey).toString('latin1') < key)
        this.hasSkipped = true
      else return { id: child.id, level: frame.level - 1 }
    }
    return undefined
  }

  private lose(error: unknown): void {
    if (!isLossOfData(error)) throw error
    this.isLost = true
  }
}
