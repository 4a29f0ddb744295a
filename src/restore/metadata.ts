import type { RawName } from '../encoding/index.ts'
import { applyMetadata, createOwnerNames, type Metadata } from '../filesystem/index.ts'
import type { Node } from '../tree/index.ts'
import type { RestoreOptions } from './options.ts'

/** Gives the node at `target` what its node in the snapshot says. @returns what failed, for people */
export type MetadataWriter = (target: RawName, node: Node) => readonly string[]

export function createMetadataWriter(
  options: Pick<RestoreOptions, 'numericIds' | 'noOwnership'>,
): MetadataWriter {
  const owners = createOwnerNames()
  const numericIds = options.numericIds ?? false
  const apply = { owners, numericIds, ownership: options.noOwnership !== true }
  return (target, node) =>
    applyMetadata(target, node.type, metadataOf(node), apply).map((problem) => problem.message)
}

function metadataOf(node: Node): Metadata {
  const { mode, uid, gid, user, group, mtimeNs, atimeNs } = node
  const xattrs = node.xattrs.map(([name, value]) => [asBuffer(name), asBuffer(value)] as const)
  return { mode, uid, gid, user, group, mtimeNs, atimeNs: atimeNs ?? undefined, xattrs }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
