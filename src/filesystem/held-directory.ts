import type { RawName } from '../encoding/index.ts'
import { holdByDescriptor } from './descriptor-directory.ts'
import { hasDescriptorPaths } from './descriptor-paths.ts'
import type { FolderAddress } from './folder-address.ts'
import { holdByPath } from './path-directory.ts'

/**
 * A folder, and those below it, that nobody can swap for another while it is read or written: what is addressed
 * through it is in the very folder that was entered. Paths from it are for system calls made at once: they are
 * good until the next call on any folder held together with it, and say nothing to a user.
 */
export interface HeldDirectory {
  /** Where it was when it was entered: for messages. */
  readonly displayPath: RawName
  /** A path of the folder itself. */
  path(): RawName
  /** A path of what is called `name` in the folder, whether it exists or not. Throws as `checkName` does. */
  pathOf(name: RawName): RawName
  /**
   * The folder of this name in this one. Throws as `checkName` does, and the system's errors: ENOTDIR where the
   * name is anything but a folder, also a symbolic link to one.
   */
  enter(name: RawName): HeldDirectory
  /**
   * Make a folder that only its owner may use, unless there is one already, and enter it. Throws as `enter`
   * does: what to do with a node of another type is the caller's to decide.
   */
  makeDirectory(name: RawName): HeldDirectory
  /**
   * Keep the folder open, so that its address is good for every thread and across other calls, until `unpin` was
   * called as often. At most some hundred folders at a time: each takes a descriptor, beside `maxOpen`.
   */
  pin(): FolderAddress
  unpin(): void
  /**
   * Let go of what the system keeps open for it. A folder below the top can still be used, and is opened again
   * then; closing the top ends the use of all that were entered from it.
   */
  close(): void
}

export interface HoldOptions {
  /** Folders kept open at a time, at least 2; others are opened again when used, from the top down. */
  readonly maxOpen?: number
}

/**
 * Hold an existing folder, the top of those entered from it; symbolic links in `path` are followed. Its closing
 * is the caller's. Throws the system's errors.
 *
 * On Linux folders are held by descriptor, and paths below can have any length. Elsewhere each folder is
 * checked as it is entered, and one who may write there can swap it afterwards (docs/security.md).
 */
export function holdDirectory(path: RawName, { maxOpen = 256 }: HoldOptions = {}): HeldDirectory {
  return hasDescriptorPaths() ? holdByDescriptor(path, maxOpen) : holdByPath(path)
}
