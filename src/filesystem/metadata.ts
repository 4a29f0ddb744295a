import { chmodSync, chownSync, lchownSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'
import { native } from './native.ts'
import type { Node } from './node.ts'
import { withNode } from './node.ts'
import type { OwnerNames } from './owners.ts'
import { isRoot } from './privileges.ts'
import type { Problem } from './problem.ts'
import { problem } from './problem.ts'
import type { FileType } from './status.ts'
import type { Times } from './times.ts'
import { setTimes } from './times.ts'
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

type Owner = Pick<Metadata, 'uid' | 'gid'>

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
      if (systemCode(error) === undefined) throw error
      problems.push(problem(what, message, error))
    }
  }
  attempt('type', `the ${type} cannot be found again`, () =>
    withNode(path, (node) => {
      if (node.status.type !== type) {
        const cause = new Error(`it is a ${node.status.type}`)
        problems.push(problem('type', `something else has taken the place of the ${type}`, cause))
        return
      }
      const wanted = wantedOwner(metadata, options)
      let owner: Owner = node.status
      if (options.ownership !== false) {
        attempt('owner', `its owner ${wanted.uid}:${wanted.gid} cannot be set`, () => {
          owner = setOwner(node, wanted)
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

function wantedOwner(metadata: Metadata, { owners, numericIds = false }: ApplyOptions): Owner {
  const { uid, gid, user, group } = metadata
  if (numericIds) return { uid, gid }
  return { uid: owners.userId(user) ?? uid, gid: owners.groupId(group) ?? gid }
}

/** Set both, or only the group where the user is refused to one who is not root; returns what the node has then. */
function setOwner(node: Node, wanted: Owner): Owner {
  const { uid, gid } = node.status
  if (uid === wanted.uid && gid === wanted.gid) return wanted
  const chown = node.followLink ? chownSync : lchownSync
  const choices = isRoot() ? [wanted] : [wanted, { uid, gid: wanted.gid }]
  for (const choice of choices) {
    try {
      chown(node.path, choice.uid, choice.gid)
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
