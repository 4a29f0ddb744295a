import type { RawName, ValueWriter } from '../encoding/index.ts'
import { ID_BYTES } from '../encoding/index.ts'
import { fieldCounts, type Node, nodeTypes } from './node.ts'
import { boundaryHash, isBoundary } from './pages.ts'

/** Two 64-bit integers with their type bytes. */
const HOLE_BYTES = 18
/** What the fields of a node count for that hardly vary. */
const FIXED_WEIGHT = 256

/** Where parts of a node's stored form lie: offsets in the writer's bytes. */
export interface NodePlace {
  readonly start: number
  /** Of the byte that says whether a file is racy; -1 for other types. */
  readonly racyAt: number
  /** What the node counts for in the length of a page. */
  readonly weight: number
  /** A page may end after this node. */
  readonly isBoundary: boolean
}

/** Write a node's stored form, the bytes of `encodeValue(nodeValue(node))`. */
export function writeNode(writer: ValueWriter, node: Node): NodePlace {
  const start = writer.length
  writer.array(fieldCounts[node.type])
  writer.uint(nodeTypes[node.type])
  writeName(writer, node.name)
  const nameEnd = writer.length
  // Names have at most 255 bytes, so that their length takes one byte.
  const nameAt = start + (fieldCounts[node.type] < 0x10 ? 1 : 3) + 3
  writer.uint(node.mode)
  writer.uint(node.uid)
  writer.uint(node.gid)
  writer.text(node.user)
  writer.text(node.group)
  writer.bigint(node.mtimeNs)
  writer.bigint(node.ctimeNs)
  writeOptional(writer, node.atimeNs)
  writer.array(node.xattrs.length)
  let weight = FIXED_WEIGHT
  for (const [name, value] of node.xattrs) {
    weight += name.length + value.length
    writer.array(2)
    writer.bin(name)
    writer.bin(value)
  }
  let racyAt = -1
  if (node.type === 'directory') writer.bin(node.tree)
  else {
    writer.bigint(node.inode)
    writer.uint(node.links)
    writeOptional(writer, node.fileSystem)
  }
  if (node.type === 'file') {
    writer.bigint(node.sizeBytes)
    racyAt = writer.length
    writer.boolean(node.racy)
    writer.array(node.holes.length * 2)
    for (const [offset, length] of node.holes) {
      writer.bigint(offset)
      writer.bigint(length)
    }
    writer.uint(node.content.depth)
    writer.bin(node.content.ids)
    weight += node.content.ids.length + node.holes.length * HOLE_BYTES
  } else if (node.type === 'symlink') {
    writer.bin(node.target)
    weight += node.target.length
  } else if (node.type === 'character' || node.type === 'block') {
    writer.uint(node.major)
    writer.uint(node.minor)
  }
  return { start, racyAt, weight, isBoundary: isBoundary(boundaryHash(writer.bytes, 0, nameAt, nameEnd)) }
}

function writeName(writer: ValueWriter, name: RawName): void {
  if (typeof name === 'string') writer.binText(name)
  else writer.bin(name)
}

function writeOptional(writer: ValueWriter, value: bigint | null): void {
  if (value === null) writer.nil()
  else writer.bigint(value)
}

/** Bytes at the end of a directory's stored form that are the id of its tree. */
export const TREE_ID_BYTES: number = ID_BYTES

/** The name's bytes in a stored node; a view. */
export function nameOfStored(bytes: Uint8Array, start: number): Uint8Array {
  const nameAt = start + (bytes[start]! === 0xdc ? 3 : 1) + 3
  return bytes.subarray(nameAt, nameAt + bytes[nameAt - 1]!)
}
