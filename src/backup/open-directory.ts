import type { ChunkId } from '../encoding/index.ts'
import type { RunWriter } from '../repository/index.ts'
import { createDirectoryWriter, type DirectoryWriter, type Node } from '../tree/index.ts'
import type { ParentDirectory } from './parent-directory.ts'

/** What a place in a directory became. */
export interface Outcome {
  /** Undefined for what could not be read. */
  readonly node: Node | undefined
  /** The parent's own node again, byte for byte. */
  readonly isReused: boolean
  /** Nothing about it has changed; also for a file that merely is no longer racy, or has become so. */
  readonly isUnchanged: boolean
}

/** The outcome of a place that holds nothing. */
export const NOTHING: Outcome = { node: undefined, isReused: false, isUnchanged: false }

/** A place for one name, in order; filled when its node is known. */
export interface Slot {
  fill(outcome: Outcome): void
}

export interface FinishedDirectory {
  readonly tree: ChunkId
  /** The parent's directory again, page for page. */
  readonly isReused: boolean
  /** It holds what the parent's holds, and nothing about any of it has changed. */
  readonly isUnchanged: boolean
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
  private count = 0
  private isUnchanged = true

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

  /** Places held back until an earlier one is filled. */
  get waiting(): number {
    return this.queue.length
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
      this.isUnchanged &&= outcome.isUnchanged
      if (outcome.node !== undefined) this.take(outcome.node, outcome.isReused)
    }
    if (count > 0) {
      this.queue.splice(0, count)
      this.first += count
    }
    if (!this.isComplete || this.queue.length > 0) return
    // In a turn of its own: the end of one directory may be that of all above it, deeper than the stack is.
    Promise.resolve()
      .then(() => this.finish())
      .catch(this.onFailed)
  }

  private take(node: Node, isReused: boolean): void {
    this.count++
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
    const { parent } = this
    const whole = this.isUnchanged ? await parent?.finish() : undefined
    const isUnchanged = whole?.count === this.count
    // Rule R2: pages of a reused directory are looked up like every other chunk the snapshot names.
    if (parent !== undefined && this.held !== undefined && isUnchanged) {
      if (whole?.pageIds.every((id) => this.writer.isStored(id))) {
        this.onFinished({ tree: parent.tree, isReused: true, isUnchanged })
        return
      }
    }
    const tree = this.startEncoding().finish()
    const isReused = parent !== undefined && Buffer.compare(tree, parent.tree) === 0
    this.onFinished({ tree, isReused, isUnchanged: isUnchanged || isReused })
  }
}
