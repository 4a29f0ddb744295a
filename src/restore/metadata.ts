import { fstatSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import {
  applyMetadata,
  applyToNewFile,
  clockTime,
  createOwnerNames,
  type FolderAddress,
  type Metadata,
  type Owner,
  ownerOf,
} from '../filesystem/index.ts'
import type { DirectoryNode } from '../tree/index.ts'
import type { NodeFacts } from './entry.ts'
import type { RestoreOptions } from './options.ts'

export interface MetadataWriter {
  /** Give the node at `target` what its node in the snapshot says. @returns what failed, for people */
  apply(target: RawName, node: NodeFacts): readonly string[]
  ownerOf(node: NodeFacts): Owner
  /** As `apply`, for a folder that the run has made. */
  applyToFolder(address: FolderAddress, isBare: boolean, node: DirectoryNode): readonly string[]
}

export function createMetadataWriter(
  options: Pick<RestoreOptions, 'numericIds' | 'noOwnership'>,
): MetadataWriter {
  const owners = createOwnerNames()
  const numericIds = options.numericIds ?? false
  const apply = { owners, numericIds, ownership: options.noOwnership !== true }
  const known = new Map<string, Owner>()
  return {
    applyToFolder({ fd, path }, isBare, node) {
      if (fd === undefined) return this.apply(path, node)
      const { uid, gid } = fstatSync(fd)
      const made = { uid, gid, mode: undefined, isBare }
      const { mode, mtimeNs, atimeNs } = node
      const times = { mtime: clockTime(mtimeNs), atime: atimeNs === null ? undefined : clockTime(atimeNs) }
      const wanted = { ...this.ownerOf(node), mode, ...times, xattrs: metadataOf(node).xattrs }
      return applyToNewFile(fd, made, wanted, apply).map((problem) => problem.message)
    },
    apply: (target, node) =>
      applyMetadata(target, node.type, metadataOf(node), apply).map((problem) => problem.message),
    ownerOf(node) {
      if (numericIds) return { uid: node.uid, gid: node.gid }
      const key = `${node.uid}:${node.gid}:${node.user}:${node.group}`
      const found = known.get(key)
      if (found !== undefined) return found
      const owner = ownerOf(node, apply)
      if (known.size < KNOWN_OWNERS) known.set(key, owner)
      return owner
    },
  }
}

const KNOWN_OWNERS = 10_000

function metadataOf(node: NodeFacts): Metadata {
  const { mode, uid, gid, user, group, mtimeNs, atimeNs } = node
  const xattrs = node.xattrs.map(([name, value]) => [asBuffer(name), asBuffer(value)] as const)
  return { mode, uid, gid, user, group, mtimeNs, atimeNs: atimeNs ?? undefined, xattrs }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
