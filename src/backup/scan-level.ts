import type { ChunkId, RawName, ValueWriter } from '../encoding/index.ts'
import type { NameKey } from '../filesystem/index.ts'
import { type DirectoryPages, type Node, type NodePlace, type StoredNodes, writeNode } from '../tree/index.ts'
import type { ParentFolder } from './parent-folder.ts'
import { type EntriesPart, type FolderPart, joinKeys, type Part } from './scan-task.ts'

/** What is handed back of a folder is shared out to several tasks; each has so many names at least, and at most. */
const SHARES = 8
const LEAST_TASK_NAMES = 64
const MOST_TASK_NAMES = 1024

/** What has become of a node. */
export interface Outcome {
  /** The parent's own node again, byte for byte. */
  readonly isReused: boolean
  /** Nothing about it has changed; also for a file that merely is no longer racy, or has become so. */
  readonly isUnchanged: boolean
}

/** A folder that a scan is in: the names still to come, and the nodes of those behind. */
export class Level {
  readonly path: RawName
  private readonly batches: Iterator<readonly NameKey[]>
  private keys: readonly NameKey[] = []
  private at = 0
  readonly parent: ParentFolder | undefined
  /** What the folder above keeps of this one; undefined for the folder of the task itself. */
  readonly own: FolderPart | undefined
  /** Parts before the entries that are open: there is one that is not known here. */
  readonly parts: Part[] = []
  /** Nodes so far. */
  count = 0
  isUnchanged = true
  isReused = true
  readonly writer: ValueWriter
  private table: number[] = []

  constructor(
    path: RawName,
    batches: Iterator<readonly NameKey[]>,
    parent: ParentFolder | undefined,
    own: FolderPart | undefined,
    writer: ValueWriter,
  ) {
    this.path = path
    this.batches = batches
    this.parent = parent
    this.own = own
    this.writer = writer
    writer.length = 0
  }

  /** The next of the names; undefined when all were given. */
  nextKey(): NameKey | undefined {
    return this.hasKeys() ? this.keys[this.at++] : undefined
  }

  /** Write a node, and compare it with the parent's of the same name, which `nodes` shows, unless that is `known`. */
  add(node: Node, nodes: StoredNodes | undefined, known?: Outcome): Outcome {
    const { writer } = this
    const place = writeNode(writer, node)
    const outcome =
      known ?? (nodes === undefined ? CHANGED : compareStored(writer.bytes, place, writer.length, nodes))
    this.addWritten(tableWord(place), outcome)
    return outcome
  }

  /** Add the parent's node again, which `nodes` shows. */
  addAgain(nodes: StoredNodes): void {
    this.writer.rawRange(nodes.page, nodes.start, nodes.end)
    this.addWritten(tableWord(nodes), REUSED)
  }

  /** Add the node of a folder whose tree is known now. */
  addFolder(folder: FolderPart, tree: ChunkId, outcome: Outcome): void {
    const { writer } = this
    writer.raw(folder.template)
    writer.bytes.set(tree, writer.length - tree.length)
    this.addWritten(folder.tableWord, outcome)
  }

  /** A name that holds nothing, or not what it should. */
  addNothing(): void {
    this.isReused = false
    this.isUnchanged = false
  }

  /** Something that is not known here takes the next place. */
  addParts(parts: readonly Part[]): void {
    this.closeEntries()
    this.isReused = false
    for (const part of parts) this.parts.push(part)
  }

  /** All parts; the names still to come as tasks of their own. */
  handBack(device: bigint, areAsked: boolean): Part[] {
    this.closeEntries()
    const { path, parts } = this
    const parentTree = this.parent?.tree
    while (this.hasKeys()) {
      const rest = this.keys.slice(this.at)
      this.at = this.keys.length
      const share = Math.ceil(rest.length / SHARES)
      const names = Math.min(Math.max(share, LEAST_TASK_NAMES), MOST_TASK_NAMES)
      for (let from = 0; from < rest.length; from += names) {
        const keys = joinKeys(rest.slice(from, from + names))
        parts.push({ kind: 'names', path, keys, parentTree, device, areAsked })
      }
    }
    return parts
  }

  /** Have names at hand. @returns false when all were given */
  private hasKeys(): boolean {
    while (this.at === this.keys.length) {
      const batch = this.batches.next()
      if (batch.done) return false
      this.keys = batch.value
      this.at = 0
    }
    return true
  }

  /** Write the nodes, all of which are known, as pages. */
  writePages(pages: DirectoryPages): ChunkId {
    let start = 0
    for (let at = 0; at < this.table.length; at += 2) {
      const end = this.table[at]!
      const word = this.table[at + 1]!
      pages.add(this.writer.bytes, start, end, word >>> 1, (word & 1) === 1)
      start = end
    }
    return pages.finish()
  }

  private addWritten(word: number, outcome: Outcome): void {
    this.count++
    this.table.push(this.writer.length, word)
    this.isReused &&= outcome.isReused
    this.isUnchanged &&= outcome.isUnchanged
  }

  private closeEntries(): void {
    const { writer, table, isUnchanged } = this
    if (table.length === 0 && isUnchanged) return
    const bytes = Uint8Array.prototype.slice.call(writer.bytes, 0, writer.length)
    const part: EntriesPart = { kind: 'entries', bytes, table: Uint32Array.from(table), isUnchanged }
    this.parts.push(part)
    writer.length = 0
    this.table = []
  }
}

const CHANGED: Outcome = { isReused: false, isUnchanged: false }
const REUSED: Outcome = { isReused: true, isUnchanged: true }

/** How tables keep a node's weight and whether a page may end after it. */
export function tableWord(place: Pick<NodePlace, 'weight' | 'isBoundary'>): number {
  return place.weight * 2 + (place.isBoundary ? 1 : 0)
}

/** What has become of the parent's node, which `nodes` shows. A file's racy flag alone is no change. */
function compareStored(bytes: Buffer, place: NodePlace, end: number, nodes: StoredNodes): Outcome {
  const { start, racyAt } = place
  const { page } = nodes
  if (end - start !== nodes.end - nodes.start) return CHANGED
  if (bytes.compare(page, nodes.start, nodes.end, start, end) === 0) return REUSED
  if (racyAt < 0 || nodes.racyAt < 0 || racyAt - start !== nodes.racyAt - nodes.start) return CHANGED
  const isUnchanged =
    bytes.compare(page, nodes.start, nodes.racyAt, start, racyAt) === 0 &&
    bytes.compare(page, nodes.racyAt + 1, nodes.end, racyAt + 1, end) === 0
  return { isReused: false, isUnchanged }
}

/** Whether two stored nodes of folders differ in their trees alone. */
export function sameButTree(template: Uint8Array, nodes: StoredNodes): boolean {
  const lengthBytes = template.length - TREE_BYTES
  return (
    nodes.treeAt === nodes.start + lengthBytes &&
    Buffer.from(template.buffer, template.byteOffset, lengthBytes).compare(
      nodes.page,
      nodes.start,
      nodes.treeAt,
    ) === 0
  )
}

const TREE_BYTES = 32
