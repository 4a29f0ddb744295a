import type { RawName } from '../encoding/index.ts'
import type { FileStatus } from '../filesystem/index.ts'
import type { ContentRef, FileNode, Node } from '../tree/index.ts'
import type { TargetDirectory } from './target-directory.ts'

/** What of a file's node is needed once its chunks are planned. */
export type FileFacts = Omit<FileNode, 'content' | 'ctimeNs' | 'racy'>

/** A node, or what of it is needed to make it. */
export type NodeFacts = Exclude<Node, FileNode> | FileFacts

/** Anything but a folder, on its way to the target. */
export interface Entry<Kind extends NodeFacts = NodeFacts> {
  readonly directory: TargetDirectory
  readonly node: Kind
  /** In the snapshot. */
  readonly path: RawName
  /** What is in its place; undefined when nothing is. */
  readonly found: FileStatus | undefined
}

/** A file that is being restored, under a name of its own until it is whole. */
export interface PendingFile extends Entry<FileFacts> {
  /** Its chunk list, kept where the file is read back. */
  readonly content: ContentRef | undefined
  readonly sizeBytes: number
  /** Bytes that have not come yet. */
  missingBytes: number
  /** All its chunks have been planned. */
  isPlanned: boolean
  /** Bytes of its pieces that have been cut into batches, over all windows. */
  cutBytes: number
  /** `finishing` from the moment when all of it is there and somebody sees to its end. */
  state: 'pending' | 'finishing' | 'done' | 'failed'
  /** Its name until it is whole; undefined before there is a file. */
  temporary: string | undefined
  /** The batch that all its pieces of this window are in; SEVERAL_BATCHES when there are more. */
  batch: number
  /** Its place in the batch that is being made. */
  row: number
}

export const NO_BATCH = -1
export const SEVERAL_BATCHES = -2

/** A copy, so that many files under way keep nothing of their chunk lists. */
export function factsOf(node: FileNode): FileFacts {
  const { type, name, mode, uid, gid, user, group, mtimeNs, atimeNs, xattrs } = node
  const { inode, links, fileSystem, sizeBytes, holes } = node
  return {
    type,
    name,
    mode,
    uid,
    gid,
    user,
    group,
    mtimeNs,
    atimeNs,
    xattrs,
    inode,
    links,
    fileSystem,
    sizeBytes,
    holes,
  }
}
