import type { ChunkId } from '../encoding/index.ts'
import type { RunWriter } from '../repository/index.ts'
import { createDirectoryWriter, type DirectoryWriter, type Node } from '../tree/index.ts'
import type { ParentDirectory } from './parent-directory.ts'

/** What a place in a directory became: a node, the parent's own node again, or nothing. */
export type Outcome =
  | { readonly node: Node; readonly isReused: boolean }
  | { readonly node: undefined; readonly isReused: false }

/** A place for one name, in order; filled when its node is known. */
export interface Slot {
  fill(outcome: Outcome): void
}

export interface FinishedDirectory {
  readonly tree: ChunkId
  /** The parent's directory again, page for page. */
  readonly isReused: boolean
}

/** Nodes held back while all of them are the parent's: such a directory is not encoded again. */
const HELD_NODES = 4096

/**
 * A directory whose nodes become known in any order and are written in theirs. Holds the nodes from the first
 * unknown one on, which the walk bounds.
 */
export class OpenDirectory {
  private readonly writer: RunWriter
  private readonly parent: ParentDirectory | undefined
  private readonly onFinished: (finished: FinishedDirectory) => void
  private readonly onFailed: (error: unknown) => void
  private queue: (Outcome | undefined)[] = []
  private first = 0
  private held: Node[] | undefined
  private encoder: DirectoryWriter | undefined
  private isComplete = false

  /** @param parent the same directory in the parent snapshot, as the walk uses it */
  constructor(
    writer: RunWriter,
    parent: ParentDirectory | undefined,
    onFinished: (finished: FinishedDirectory) => void,
    onFailed: (error: unknown) => void,
  ) {
    this.writer = writer
    this.parent = parent
    this.onFinished = onFinished
    this.onFailed = onFailed
    this.held = parent === undefined ? undefined : []
  }

  /** A place after all earlier ones. */
  reserve(): Slot {
    const at = this.first + this.queue.length
    this.queue.push(undefined)
    return {
      fill: (outcome) => {
        this.queue[at - this.first] = outcome
        this.drain()
      },
    }
  }

  /** No more places will be reserved. */
  complete(): void {
    this.isComplete = true
    this.drain()
  }

  private drain(): void {
    let count = 0
    for (; count < this.queue.length; count++) {
      const outcome = this.queue[count]
      if (outcome === undefined) break
      if (outcome.node !== undefined) this.take(outcome.node, outcome.isReused)
    }
    if (count > 0) {
      this.queue.splice(0, count)
      this.first += count
    }
    if (this.isComplete && this.queue.length === 0) this.finish().catch(this.onFailed)
  }

  private take(node: Node, isReused: boolean): void {
    if (this.held !== undefined && isReused && this.held.length < HELD_NODES) {
      this.held.push(node)
      return
    }
    this.startEncoding().add(node)
  }

  private startEncoding(): DirectoryWriter {
    if (this.encoder === undefined) {
      this.encoder = createDirectoryWriter(this.writer)
      for (const node of this.held ?? []) this.encoder.add(node)
      this.held = undefined
    }
    return this.encoder
  }

  private async finish(): Promise<void> {
    if (this.held !== undefined && this.parent !== undefined) {
      const whole = await this.parent.finish()
      // Rule R2: pages of a reused directory are looked up like every other chunk the snapshot names.
      if (whole?.count === this.held.length && whole.pageIds.every((id) => this.writer.isStored(id))) {
        this.onFinished({ tree: this.parent.tree, isReused: true })
        return
      }
    }
    const tree = this.startEncoding().finish()
    const isReused = this.parent !== undefined && Buffer.compare(tree, this.parent.tree) === 0
    this.onFinished({ tree, isReused })
  }
}
