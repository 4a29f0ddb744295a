import {
  type ChunkId,
  chunkId,
  Fields,
  ID_BYTES,
  nameBytes,
  nameFromBytes,
  type RawName,
  type Value,
} from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'

/** The kinds of nodes with the number each is stored as. */
export const nodeTypes = {
  file: 1,
  directory: 2,
  symlink: 3,
  fifo: 4,
  character: 5,
  block: 6,
  socket: 7,
} as const

export type NodeType = keyof typeof nodeTypes

/** A name and a value, both raw bytes. */
export type Xattr = readonly [name: Uint8Array, value: Uint8Array]

interface CommonFields {
  /** One path component, 1 to 255 bytes without `/` or NUL, neither `.` nor `..`. */
  readonly name: RawName
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Names of owner and group where the backup knew them, else ''. */
  readonly user: string
  readonly group: string
  /** Nanoseconds since 1970, negative before. */
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** Kept only when asked for. */
  readonly atimeNs: bigint | null
  /** In order of the names' bytes. */
  readonly xattrs: readonly Xattr[]
}

/** What tells one inode from another; kept for everything but directories. */
export interface InodeFields {
  readonly inode: bigint
  readonly links: number
  /** Stable number of the file system; null for a node with one link. */
  readonly fileSystem: bigint | null
}

/** A list of chunk ids: the ids themselves when depth is 0, else the root page of that many levels. */
export interface ContentRef {
  readonly depth: number
  /** A multiple of 32 bytes; exactly 32 when depth is above 0. */
  readonly ids: Uint8Array
}

/** A stretch of a file that holds no data: [offset, length] in bytes. */
export type Hole = readonly [offset: bigint, length: bigint]

export interface FileNode extends CommonFields, InodeFields {
  readonly type: 'file'
  readonly sizeBytes: bigint
  /** The file was too young when it was read to be trusted unchanged next time, or it changed meanwhile. */
  readonly racy: boolean
  /** Ascending and disjoint. The content covers them with zeros; they only say what to leave out on disk. */
  readonly holes: readonly Hole[]
  readonly content: ContentRef
}

export interface DirectoryNode extends CommonFields {
  readonly type: 'directory'
  /** Root page of its nodes. */
  readonly tree: ChunkId
}

export interface SymlinkNode extends CommonFields, InodeFields {
  readonly type: 'symlink'
  readonly target: Uint8Array
}

export interface DeviceNode extends CommonFields, InodeFields {
  readonly type: 'character' | 'block'
  readonly major: number
  readonly minor: number
}

export interface PipeNode extends CommonFields, InodeFields {
  readonly type: 'fifo' | 'socket'
}

export type Node = FileNode | DirectoryNode | SymlinkNode | DeviceNode | PipeNode

/** The kinds of nodes by number. */
export const typesByNumber: readonly (NodeType | undefined)[] = [
  undefined,
  ...(Object.keys(nodeTypes) as NodeType[]).sort((left, right) => nodeTypes[left] - nodeTypes[right]),
]
const COMMON_COUNT = 11
/** Most bytes of a node's name. */
export const MAXIMUM_NAME_BYTES = 255
/** Most bytes of a symbolic link's target. */
export const MAXIMUM_TARGET_BYTES = 65_536
/** Times are 64-bit numbers: of 1677 to 2554. */
const EARLIEST_NS = -(2n ** 63n)
const LATEST_NS = 2n ** 64n - 1n
const MAXIMUM_XATTRS = 65_536
const MAXIMUM_XATTR_NAME_BYTES = 65_536
const MAXIMUM_XATTRS_BYTES = 8 * 1024 * 1024
/**
 * Most ids a node holds itself; longer lists have pages. Few, since pages of ids are shared by every node with
 * the same content: a copied or renamed file, or one whose metadata changed, stores its list once.
 */
export const INLINE_IDS = 8
export const MAXIMUM_CONTENT_DEPTH = 6

/** The stored form: an array of 11 common fields and those of its type (docs/format.md, "Nodes"). */
export function nodeValue(node: Node): Value {
  const common: Value[] = [
    nodeTypes[node.type],
    nameBytes(node.name),
    node.mode,
    node.uid,
    node.gid,
    node.user,
    node.group,
    node.mtimeNs,
    node.ctimeNs,
    node.atimeNs,
    node.xattrs,
  ]
  switch (node.type) {
    case 'directory':
      common.push(node.tree)
      return common
    case 'file':
      common.push(node.inode, node.links, node.fileSystem, node.sizeBytes, node.racy)
      common.push(node.holes.flat(), node.content.depth, node.content.ids)
      return common
    case 'symlink':
      common.push(node.inode, node.links, node.fileSystem, node.target)
      return common
    case 'character':
    case 'block':
      common.push(node.inode, node.links, node.fileSystem, node.major, node.minor)
      return common
    default:
      common.push(node.inode, node.links, node.fileSystem)
      return common
  }
}

/** Fields of each type's stored form. */
export const fieldCounts: Record<NodeType, number> = {
  file: COMMON_COUNT + 8,
  directory: COMMON_COUNT + 1,
  symlink: COMMON_COUNT + 4,
  character: COMMON_COUNT + 5,
  block: COMMON_COUNT + 5,
  fifo: COMMON_COUNT + 3,
  socket: COMMON_COUNT + 3,
}

/** @throws HoldfastError DAMAGED for anything docs/format.md calls invalid, unsafe names included */
export function parseNode(value: Value): Node {
  const number = Array.isArray(value) ? value[0] : undefined
  const type = typeof number === 'number' ? typesByNumber[number] : undefined
  if (type === undefined) throw new HoldfastError('DAMAGED', 'a node has no known type')
  const fields = new Fields(value, `${type} node`, fieldCounts[type])
  const common: CommonFields = {
    name: safeName(fields.bytes(1, MAXIMUM_NAME_BYTES)),
    mode: fields.uint(2, 0o7777),
    uid: fields.uint(3),
    gid: fields.uint(4),
    user: fields.text(5),
    group: fields.text(6),
    mtimeNs: fields.bigint(7),
    ctimeNs: fields.bigint(8),
    atimeNs: fields.isNull(9) ? null : fields.bigint(9),
    xattrs: parseXattrs(fields.array(10, MAXIMUM_XATTRS)),
  }
  if (type === 'directory') return { type, ...common, tree: chunkId(fields.exactBytes(11, ID_BYTES)) }
  const inode: InodeFields = {
    inode: fields.bigint(11, 0n),
    links: fields.uint(12),
    fileSystem: fields.isNull(13) ? null : fields.bigint(13, 0n),
  }
  switch (type) {
    case 'file': {
      const sizeBytes = fields.bigint(14, 0n)
      return {
        type,
        ...common,
        ...inode,
        sizeBytes,
        racy: fields.boolean(15),
        holes: parseHoles(fields.array(16, 1 << 20), sizeBytes),
        content: parseContent(
          fields.uint(17, MAXIMUM_CONTENT_DEPTH),
          fields.bytes(18, INLINE_IDS * ID_BYTES),
        ),
      }
    }
    case 'symlink':
      return { type, ...common, ...inode, target: fields.bytes(14, MAXIMUM_TARGET_BYTES) }
    case 'character':
    case 'block':
      return { type, ...common, ...inode, major: fields.uint(14), minor: fields.uint(15) }
    default:
      return { type, ...common, ...inode }
  }
}

/** The name of these bytes. @throws HoldfastError DAMAGED for one that no file can have */
function safeName(bytes: Uint8Array): RawName {
  const name = nameFromBytes(bytes)
  const unsafe =
    bytes.length === 0 || name === '.' || name === '..' || bytes.includes(0x2f) || bytes.includes(0)
  if (unsafe) throw new HoldfastError('DAMAGED', 'a node has a name that no file can have')
  return name
}

function parseXattrs(values: readonly Value[]): Xattr[] {
  if (values.length === 0) return []
  let total = 0
  return values.map((value) => {
    const fields = new Fields(value, 'extended attribute', 2)
    const xattr: Xattr = [fields.bytes(0, MAXIMUM_XATTR_NAME_BYTES), fields.bytes(1, MAXIMUM_XATTRS_BYTES)]
    total += xattr[0].length + xattr[1].length
    if (total > MAXIMUM_XATTRS_BYTES)
      throw new HoldfastError('DAMAGED', 'a node has too many extended attributes')
    return xattr
  })
}

function parseHoles(values: readonly Value[], sizeBytes: bigint): Hole[] {
  if (values.length === 0) return []
  const holes: Hole[] = []
  let end = 0n
  for (let index = 0; index < values.length; index += 2) {
    const offset = values[index]
    const length = values[index + 1]
    if (typeof offset !== 'bigint' || typeof length !== 'bigint' || offset < end || length <= 0n) {
      throw new HoldfastError('DAMAGED', "a file's holes are not in order")
    }
    end = offset + length
    if (end > sizeBytes) throw new HoldfastError('DAMAGED', "a file's holes pass its end")
    holes.push([offset, length])
  }
  return holes
}

function parseContent(depth: number, ids: Uint8Array): ContentRef {
  if (ids.length % ID_BYTES !== 0 || (depth > 0 && ids.length !== ID_BYTES)) {
    throw new HoldfastError('DAMAGED', "a file's chunk list is cut")
  }
  return { depth, ids }
}

/** The time nearest to this one that a node can keep: file systems know others, and let anybody set them. */
export function boundedTime(timeNs: bigint): bigint {
  if (timeNs < EARLIEST_NS) return EARLIEST_NS
  return timeNs > LATEST_NS ? LATEST_NS : timeNs
}

/** The extended attributes of a scan as a node keeps them; undefined when they are too large to keep. */
export function boundedXattrs(xattrs: readonly Xattr[]): readonly Xattr[] | undefined {
  let total = 0
  for (const [name, value] of xattrs) {
    if (name.length > MAXIMUM_XATTR_NAME_BYTES) return undefined
    total += name.length + value.length
  }
  return total > MAXIMUM_XATTRS_BYTES || xattrs.length > MAXIMUM_XATTRS ? undefined : xattrs
}
