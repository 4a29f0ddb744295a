import { chmodSync, chownSync, fchmodSync, fchownSync, lchownSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'
import { native } from './native.ts'
import type { Target } from './node.ts'
import { withNode } from './node.ts'
import type { OwnerNames } from './owners.ts'
import { isRoot } from './privileges.ts'
import type { Problem } from './problem.ts'
import { problem } from './problem.ts'
import type { FileType } from './status.ts'
import type { ClockTime, Times } from './times.ts'
import { setFileTimes, setTimes } from './times.ts'
import type { Xattr } from './xattrs.ts'
import { writeXattrs } from './xattrs.ts'

/** What a node is given once its content is in place. */
export interface Metadata extends Times {
  /** 0 to 0o7777; of no effect on a symbolic link. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** '' when the number had no name. */
  readonly user: string
  readonly group: string
  readonly xattrs: readonly Xattr[]
}

export interface ApplyOptions {
  readonly owners: Pick<OwnerNames, 'userId' | 'groupId'>
  /** Take uid and gid as they are; else the user and group of the same name come first. */
  readonly numericIds?: boolean
  /** Whether to set the owner. True when not given. */
  readonly ownership?: boolean
}

export type Owner = Pick<Metadata, 'uid' | 'gid'>

const SETUID = 0o4000
const SETGID = 0o2000

/**
 * Give a node its owner, extended attributes, mode and times, in this order: a new owner clears setuid and file
 * capabilities, an ACL changes the mode, and all of it may touch the times. A node of any type is changed
 * without being opened; of a symbolic link the link itself is. A folder gets its times when nothing more is
 * made in it: the order of calls is the caller's.
 *
 * Never throws for what the system says: what failed is returned, the rest is done. Only root can give files
 * away, so that others are not told of it. Setuid and setgid are left out where the owner is not the one they
 * were meant for, since they would lend out the rights of another.
 */
export function applyMetadata(
  path: RawName,
  type: FileType,
  metadata: Metadata,
  options: ApplyOptions,
): Problem[] {
  const problems: Problem[] = []
  const attempt = (what: Problem['what'], message: string, action: () => void): void => {
    try {
      action()
    } catch (error) {
      problems.push(refusal(what, message, error))
    }
  }
  attempt('type', `the ${type} cannot be found again`, () =>
    withNode(path, (node) => {
      if (node.status.type !== type) {
        const cause = new Error(`it is a ${node.status.type}`)
        problems.push(problem('type', `something else has taken the place of the ${type}`, cause))
        return
      }
      const wanted = ownerOf(metadata, options)
      let owner: Owner = node.status
      if (options.ownership !== false) {
        attempt('owner', `its owner ${wanted.uid}:${wanted.gid} cannot be set`, () => {
          owner = setOwner(node, node.status, wanted)
        })
      }
      problems.push(...writeXattrs(node, metadata.xattrs))
      if (type !== 'symlink') {
        attempt('mode', 'its mode cannot be set', () =>
          chmodSync(node.path, allowedMode(metadata.mode, owner, wanted)),
        )
      }
      attempt('times', 'its times cannot be set', () => setTimes(node, metadata, native().calls))
    }),
  )
  return problems
}

/** What a new file or folder is given once its content is in place. */
export interface FileMetadata extends Owner {
  /** 0 to 0o7777. */
  readonly mode: number
  readonly mtime: ClockTime
  /** Left as it is when undefined. */
  readonly atime: ClockTime | undefined
  readonly xattrs: readonly Xattr[]
}

/** What a file or folder has that was made just now. */
export interface NewFile extends Owner {
  /** Undefined when it is not known. */
  readonly mode: number | undefined
  /** It has no attributes that have to be removed. */
  readonly isBare: boolean
}

/** `applyMetadata` for a new file that is open for writing, or a new folder: what it has already is not set again. */
export function applyToNewFile(
  fd: number,
  made: NewFile,
  wanted: FileMetadata,
  options: Pick<ApplyOptions, 'ownership'>,
): Problem[] {
  const problems: Problem[] = []
  const path = `/proc/self/fd/${fd}`
  let owner: Owner = made
  if (options.ownership !== false && (made.uid !== wanted.uid || made.gid !== wanted.gid)) {
    try {
      owner = setOwner({ fd, path, followLink: true }, made, wanted)
    } catch (error) {
      problems.push(refusal('owner', `its owner ${wanted.uid}:${wanted.gid} cannot be set`, error))
    }
  }
  const hasXattrs = wanted.xattrs.length > 0 || !made.isBare
  if (hasXattrs) problems.push(...writeXattrs({ fd, path, followLink: true }, wanted.xattrs))
  const mode = allowedMode(wanted.mode, owner, wanted)
  try {
    if (hasXattrs || mode !== made.mode) fchmodSync(fd, mode)
  } catch (error) {
    problems.push(refusal('mode', 'its mode cannot be set', error))
  }
  try {
    setFileTimes(fd, wanted.mtime, wanted.atime)
  } catch (error) {
    problems.push(refusal('times', 'its times cannot be set', error))
  }
  return problems
}

/** What the system refused. Throws what is no refusal. */
function refusal(what: Problem['what'], message: string, error: unknown): Problem {
  if (systemCode(error) === undefined) throw error
  return problem(what, message, error)
}

/** The owner that a node is to have on this machine. */
export function ownerOf(
  { uid, gid, user, group }: Pick<Metadata, 'uid' | 'gid' | 'user' | 'group'>,
  { owners, numericIds = false }: ApplyOptions,
): Owner {
  if (numericIds) return { uid, gid }
  return { uid: owners.userId(user) ?? uid, gid: owners.groupId(group) ?? gid }
}

/** Set both, or only the group where the user is refused to one who is not root; returns what the node has then. */
function setOwner(node: Target, now: Owner, wanted: Owner): Owner {
  const { uid, gid } = now
  if (uid === wanted.uid && gid === wanted.gid) return wanted
  const choices = isRoot() ? [wanted] : [wanted, { uid, gid: wanted.gid }]
  for (const choice of choices) {
    try {
      if (node.fd !== undefined) fchownSync(node.fd, choice.uid, choice.gid)
      else if (node.followLink) chownSync(node.path, choice.uid, choice.gid)
      else lchownSync(node.path, choice.uid, choice.gid)
      return choice
    } catch (error) {
      if (isRoot() || systemCode(error) !== 'EPERM') throw error
    }
  }
  return { uid, gid }
}

function allowedMode(mode: number, owner: Owner, wanted: Owner): number {
  const lent = (owner.uid === wanted.uid ? 0 : SETUID) | (owner.gid === wanted.gid ? 0 : SETGID)
  return mode & ~lent
}
