import { displayName, joinName, nameBytes, type RawName } from '../encoding/index.ts'
import type { Repository } from '../repository/index.ts'
import type { Snapshot } from '../snapshot/index.ts'
import { TreeWalker } from '../tree/index.ts'
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
  const lines = new LineBuffer()
  /** What the lines of each folder begin with that the walk is in, by depth. */
  const heads: Head[] = []
  try {
    while (walker.next() || (await walker.wait())) {
      const { nodes, depth } = walker
      let head = heads[depth]
      if (head?.path !== walker.path) {
        head = headOf(walker.path)
        heads[depth] = head
      }
      lines.add(head.bytes, nodes.isNamePlain ? nodes : displayName(nodes.rawName()))
      if (nodes.type === 'directory' && isRecursive) walker.enter(joinName(walker.path, nodes.rawName()))
      if (lines.length < PIECE_BYTES) continue
      yield lines.take()
    }
  } catch (error) {
    // What comes before a page that cannot be read is given all the same.
    if (lines.length > 0) yield lines.take()
    throw error
  }
  if (lines.length > 0) yield lines.take()
}

interface Head {
  readonly path: RawName
  readonly bytes: Buffer
}

function headOf(path: RawName): Head {
  const shown = nameBytes(displayName(path))
  return { path, bytes: shown.at(-1) === SLASH ? shown : Buffer.concat([shown, Buffer.of(SLASH)]) }
}

/** Lines end to end, in memory that is used again. */
class LineBuffer {
  length = 0
  private bytes = Buffer.allocUnsafeSlow(PIECE_BYTES * 2)

  /** @param name printable ASCII where it lies in a page, or as text */
  add(
    head: Buffer,
    name: string | { readonly page: Buffer; readonly nameStart: number; readonly nameEnd: number },
  ): void {
    const isText = typeof name === 'string'
    const nameLength = isText ? Buffer.byteLength(name) : name.nameEnd - name.nameStart
    this.reserve(head.length + nameLength + 1)
    const { bytes } = this
    bytes.set(head, this.length)
    this.length += head.length
    if (isText) bytes.write(name, this.length)
    else {
      const { page, nameStart, nameEnd } = name
      for (let from = nameStart, to = this.length; from < nameEnd; from++, to++) bytes[to] = page[from]!
    }
    this.length += nameLength
    bytes[this.length++] = NEWLINE
  }

  /** The lines so far; good until the next one is added. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    this.length = 0
    return taken
  }

  private reserve(lengthBytes: number): void {
    const wanted = this.length + lengthBytes
    if (wanted <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }
}
