import { closeSync, readFileSync, writeSync } from 'node:fs'
import type { RawName } from '../../../src/encoding/index.ts'
import { makePrivateDirectory } from '../../../src/filesystem/create.ts'
import type { ApplyOptions, FileStatus, Metadata, Problem, Xattr } from '../../../src/filesystem/index.ts'
import {
  applyMetadata,
  createFile,
  createOwnerNames,
  createSpecialFile,
  createSymlink,
  readLink,
  readStatus,
  readXattrs,
} from '../../../src/filesystem/index.ts'

export const owners = createOwnerNames()

/** All that a node's metadata is, as a backup reads it. */
export function readMetadata(path: RawName): {
  status: FileStatus
  metadata: Metadata
  xattrs: readonly Xattr[]
} {
  const status = readStatus(path)
  const { xattrs } = readXattrs(path)
  const { mode, uid, gid, mtimeNs, atimeNs } = status
  const names = { user: owners.userName(uid), group: owners.groupName(gid) }
  return { status, metadata: { mode, uid, gid, ...names, mtimeNs, atimeNs, xattrs }, xattrs }
}

/** Make `target` what `source` is, the way a restore does it; a directory without what is in it. */
export function copyNode(source: RawName, target: RawName, options: Partial<ApplyOptions> = {}): Problem[] {
  const { status, metadata } = readMetadata(source)
  if (status.type === 'file') {
    const fd = createFile(target)
    writeSync(fd, readFileSync(source))
    closeSync(fd)
  } else if (status.type === 'directory') makePrivateDirectory(target)
  else if (status.type === 'symlink') createSymlink(target, readLink(source))
  else createSpecialFile(target, status.type, status)
  return applyMetadata(target, status.type, metadata, { owners, ...options })
}
