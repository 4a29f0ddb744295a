import { closeSync, constants, openSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { hasDescriptorPaths, O_PATH } from './descriptor-paths.ts'
import type { FileStatus } from './status.ts'
import { readStatus, statusOf } from './status.ts'

/** A node to change, named so that all changes meet the same one. */
export interface Target {
  readonly path: RawName
  /** Whether calls have to follow `path`, a link of /proc that leads to the node itself and never further. */
  readonly followLink: boolean
  /** Open for writing: calls go to it and not by the path. */
  readonly fd?: number
}

export interface Node extends Target {
  readonly status: FileStatus
}

/**
 * Call `use` with the node at this path; a symbolic link is not followed. On Linux the node is held by a
 * descriptor meanwhile, so that no other can take its place between two calls, and the fifo, device or socket
 * is not opened; elsewhere it is addressed by its path. Throws the system's errors when there is none.
 */
export function withNode<T>(path: RawName, use: (node: Node) => T): T {
  if (!hasDescriptorPaths()) return use({ path, followLink: false, status: readStatus(path) })
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
  try {
    return use({ path: `/proc/self/fd/${fd}`, followLink: true, status: statusOf(fd) })
  } finally {
    closeSync(fd)
  }
}
