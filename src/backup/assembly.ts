import type { ChunkId } from '../encoding/index.ts'
import { DirectoryPages, type TreeSink } from '../tree/index.ts'
import type { EntriesPart, FolderPart, LargeFilePart, NamesTask, Part } from './scan-task.ts'

/** What is still to be done for one place: names to scan, or a large file to read. */
export type Wanted = NamesTask | LargeFilePart

/** One place in a folder, for nodes that come together; filled when they are known. */
export class Place {
  readonly folder: Folder
  next: Place | undefined
  entries: EntriesPart | undefined
  isFilled = false

  constructor(folder: Folder) {
    this.folder = folder
  }
}

/** A folder whose places become known in any order and are written in theirs. */
export class Folder {
  /** Undefined for the root. */
  readonly own: FolderPart | undefined
  /** Its place in the folder above. */
  readonly place: Place | undefined
  readonly parentTree: Uint8Array | undefined
  /** It only leads to what is backed up: what its own metadata is does not count as a change. */
  readonly isLeading: boolean
  first: Place | undefined
  last: Place | undefined
  pages: DirectoryPages | undefined
  count = 0
  isUnchanged = true
  isWhole = false

  constructor(
    own: FolderPart | undefined,
    place: Place | undefined,
    parentTree: Uint8Array | undefined,
    isLeading: boolean,
  ) {
    this.own = own
    this.place = place
    this.parentTree = parentTree
    this.isLeading = isLeading
  }

  /** A place after all others. */
  addPlace(): Place {
    const place = new Place(this)
    if (this.last === undefined) this.first = place
    else this.last.next = place
    this.last = place
    return place
  }

  /** A place just after another one. */
  addAfter(before: Place): Place {
    const place = new Place(this)
    place.next = before.next
    before.next = place
    if (this.last === before) this.last = place
    return place
  }
}

export interface FinishedTree {
  readonly tree: ChunkId
  readonly folder: Folder
}

/**
 * Puts folders together that no thread has whole. Memory: the nodes known after a place that is not, which the run
 * bounds by `heldBytes`.
 */
export class Assembly {
  private readonly sink: TreeSink
  private readonly onFinished: (finished: FinishedTree) => void
  /** Bytes of nodes that wait for earlier ones. */
  heldBytes = 0

  /** @param onFinished told of each folder that is whole; fills its place then */
  constructor(sink: TreeSink, onFinished: (finished: FinishedTree) => void) {
    this.sink = sink
    this.onFinished = onFinished
  }

  /**
   * Put parts where `place` is.
   *
   * @returns what is still to be done, in order
   */
  fill(place: Place, parts: readonly Part[]): (readonly [Place, Wanted])[] {
    const wanted: (readonly [Place, Wanted])[] = []
    place.isFilled = true
    const folders = new Set<Folder>([place.folder])
    // Where the next part goes, in each folder that is open.
    const after: Place[] = [place]
    for (const part of parts) {
      if (part.kind === 'end') {
        after.pop()
        continue
      }
      const before = after.at(-1)!
      const here = before.folder.addAfter(before)
      after[after.length - 1] = here
      if (part.kind === 'entries') {
        here.entries = part
        here.isFilled = true
        this.heldBytes += part.bytes.length
      } else if (part.kind === 'folder') {
        const folder = new Folder(part, here, part.parentTree, false)
        folders.add(folder)
        const start = folder.addPlace()
        start.isFilled = true
        after.push(start)
      } else wanted.push([here, part])
    }
    // The lowest first: it may be what the others wait for.
    for (const folder of [...folders].reverse()) this.advance(folder)
    return wanted
  }

  /** Fill a place with a folder that is whole. */
  fillFolder(place: Place, entry: EntriesPart): void {
    place.entries = entry
    place.isFilled = true
    this.heldBytes += entry.bytes.length
    this.advance(place.folder)
  }

  /** Write what is known from the folder's start on. Told again of a folder that is whole, it does nothing. */
  advance(folder: Folder): void {
    while (folder.first?.isFilled) {
      const { entries, next } = folder.first
      folder.first = next
      if (entries !== undefined) this.write(folder, entries)
    }
    if (folder.first !== undefined || folder.isWhole) return
    folder.isWhole = true
    folder.last = undefined
    folder.pages ??= new DirectoryPages(this.sink)
    this.onFinished({ tree: folder.pages.finish(), folder })
  }

  private write(folder: Folder, part: EntriesPart): void {
    folder.pages ??= new DirectoryPages(this.sink)
    const { table } = part
    const bytes = Buffer.from(part.bytes.buffer, part.bytes.byteOffset, part.bytes.length)
    let start = 0
    for (let at = 0; at < table.length; at += 2) {
      const end = table[at]!
      const word = table[at + 1]!
      folder.pages.add(bytes, start, end, word >>> 1, (word & 1) === 1)
      start = end
    }
    folder.count += table.length / 2
    folder.isUnchanged &&= part.isUnchanged
    this.heldBytes -= bytes.length
  }
}

/** The part that a folder is in the folder above it. */
export function folderEntry(own: FolderPart, tree: ChunkId, isUnchanged: boolean): EntriesPart {
  const bytes = Uint8Array.from(own.template)
  bytes.set(tree, bytes.length - tree.length)
  return { kind: 'entries', bytes, table: Uint32Array.of(bytes.length, own.tableWord), isUnchanged }
}
