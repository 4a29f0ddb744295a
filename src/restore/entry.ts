import type { RawName } from '../encoding/index.ts'
import type { FileStatus } from '../filesystem/index.ts'
import type { FileNode, Node } from '../tree/index.ts'
import type { TargetDirectory } from './target-directory.ts'

/** Anything but a folder, on its way to the target. */
export interface Entry<Kind extends Node = Node> {
  readonly directory: TargetDirectory
  readonly node: Kind
  /** In the snapshot. */
  readonly path: RawName
  /** What is in its place; undefined when nothing is. */
  readonly found: FileStatus | undefined
}

/** A file that is being restored, under a name of its own until it is whole. */
export interface PendingFile extends Entry<FileNode> {
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
