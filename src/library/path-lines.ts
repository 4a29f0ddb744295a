import { displayName, joinName, nameBytes, type RawName } from '../encoding/index.ts'
import type { Repository } from '../repository/index.ts'
import type { Snapshot } from '../snapshot/index.ts'
import { type StoredNodes, TreeWalker } from '../tree/index.ts'
import { type ListOptions, resolvePath } from './nodes.ts'

const PIECE_BYTES = 64 * 1024
const SLASH = 0x2f
const NEWLINE = 0x0a

/**
 * The paths of `listNodes` as `displayName` shows them, a line each, without a node made for any of them.
 *
 * @returns pieces of whole lines, for printing; each is good until the next one is asked for
 * @throws HoldfastError NO_SUCH_PATH
 */
export async function* listPathLines(
  repository: Repository,
  snapshot: Snapshot,
  options: ListOptions = {},
): AsyncGenerator<Uint8Array> {
  const { isRecursive = true, signal } = options
  const { path, node, tree } = await resolvePath(repository, snapshot, options.path ?? '/')
  if (node !== undefined) yield Buffer.from(`${displayName(path)}\n`)
  if (tree === undefined) return
  const walker = new TreeWalker(repository, tree, path, signal)
  const lines = new PathLines(path)
  try {
    while (walker.next() || (await walker.wait())) {
      const { nodes, depth } = walker
      lines.add(depth, nodes)
      if (isRecursive && nodes.type === 'directory') {
        walker.enter(joinName(walker.path, nodes.rawName()))
        lines.enter(depth)
      }
      if (lines.length >= PIECE_BYTES) yield lines.take()
    }
  } catch (error) {
    // What comes before a page that cannot be read is given all the same.
    if (lines.length > 0) yield lines.take()
    throw error
  }
  if (lines.length > 0) yield lines.take()
}

/** Lines end to end, in memory that is used again. */
class PathLines {
  /** Of the lines to be taken. */
  length = 0
  private bytes: Buffer = Buffer.allocUnsafeSlow(PIECE_BYTES * 2)
  /** Where the line added last begins. */
  private start = 0
  /** What the lines of the folder begin with that the walk is in; those above it have the beginning of that. */
  private head: Buffer
  /** How much of it, by depth. */
  private readonly headEnds: number[]

  /** @param path of the folder at depth 1 */
  constructor(path: RawName) {
    this.head = nameBytes(displayName(joinName(path, '')))
    this.headEnds = [0, this.head.length]
  }

  add(depth: number, nodes: StoredNodes): void {
    const headEnd = this.headEnds[depth]!
    const text = nodes.isNamePlain ? undefined : displayName(nodes.rawName())
    const { page, nameStart, nameEnd } = nodes
    const nameLength = text === undefined ? nameEnd - nameStart : Buffer.byteLength(text)
    this.start = this.length
    this.bytes = withRoom(this.bytes, this.start + headEnd + nameLength + 1, this.length)
    const { bytes } = this
    this.head.copy(bytes, this.start, 0, headEnd)
    let at = this.start + headEnd
    if (text !== undefined) at += bytes.write(text, at)
    else for (let from = nameStart; from < nameEnd; from++) bytes[at++] = page[from]!
    bytes[at++] = NEWLINE
    this.length = at
  }

  /** The lines to come are of the folder whose line was added last. @param depth that the line was added at */
  enter(depth: number): void {
    const headEnd = this.headEnds[depth]!
    const end = this.length - this.start
    this.head = withRoom(this.head, end, headEnd)
    this.bytes.copy(this.head, headEnd, this.start + headEnd, this.length)
    this.head[end - 1] = SLASH
    this.headEnds[depth + 1] = end
  }

  /** The lines so far; good until the next one is added. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    this.length = 0
    return taken
  }
}

/** A buffer of at least so many bytes, with the first `usedBytes` of this one. */
function withRoom(buffer: Buffer, wantedBytes: number, usedBytes: number): Buffer {
  if (wantedBytes <= buffer.length) return buffer
  const grown = Buffer.allocUnsafeSlow(Math.max(wantedBytes, buffer.length * 2))
  buffer.copy(grown, 0, 0, usedBytes)
  return grown
}
