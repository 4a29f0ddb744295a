import { constants } from 'node:os'
import type { RawName } from '../encoding/index.ts'
import { displayName, nameFromBytes } from '../encoding/index.ts'
import type { FolderAddress } from './folder-address.ts'
import type { XattrCalls } from './native.ts'
import { cString, failedWith, native, systemError } from './native.ts'
import type { Target } from './node.ts'
import { isRoot } from './privileges.ts'
import type { Problem } from './problem.ts'
import { problem } from './problem.ts'

/** One extended attribute: its name with the namespace (`user.note`), and its value. */
export type Xattr = readonly [name: Buffer, value: Buffer]

export interface XattrReading {
  /** In order of the bytes of the names. */
  readonly xattrs: readonly Xattr[]
  /** Attributes that could not be read; empty when all could. */
  readonly problems: readonly Problem[]
}

const NONE: XattrReading = { xattrs: [], problems: [] }

/** The kernel's limit for the list of names and for one value (XATTR_LIST_MAX, XATTR_SIZE_MAX). */
const MAX_BYTES = 65_536

/** What `writeXattrs` removes when it is not wanted, and what only root may write. */
const REMOVED = /^(user\.|system\.posix_acl_)/
const DEFAULT_ACL = 'system.posix_acl_default\0'
const FOR_ROOT = /^(trusted|security)\./

// Scratch space of this thread.
let names: Buffer | undefined
let values: Buffer | undefined

/**
 * The extended attributes of a node, POSIX ACLs among them (`system.posix_acl_access`, `…_default`). A symbolic
 * link is not followed. With the descriptor of the open file the path is not used. Empty where the file system
 * has none, or the platform cannot read them. Never throws for what the system says: see `problems`.
 */
export function readXattrs(path: RawName, fd?: number): XattrReading {
  const { calls } = native()
  if (calls === undefined) return NONE
  return fd === undefined
    ? readAll(calls.linkXattrs, cString(path), path)
    : readAll(calls.descriptorXattrs, fd, path)
}

function readAll(calls: XattrCalls, target: number | Buffer, path: RawName): XattrReading {
  names ??= Buffer.allocUnsafeSlow(MAX_BYTES)
  const length = calls.list(target, names)
  if (length === 0 || failedWith(length, 'ENOTSUP')) return NONE
  if (length < 0) {
    const error = systemError(length, 'listxattr', path)
    return { xattrs: [], problems: [problem('xattr', 'its extended attributes cannot be listed', error)] }
  }
  const xattrs: Xattr[] = []
  const problems: Problem[] = []
  for (const name of splitNames(names.subarray(0, length))) {
    values ??= Buffer.allocUnsafeSlow(MAX_BYTES)
    const size = calls.get(target, cString(name), values)
    if (size >= 0) xattrs.push([name, Buffer.from(values.subarray(0, size))])
    // ENODATA: removed since it was listed.
    else if (!failedWith(size, 'ENODATA')) {
      const error = systemError(size, 'getxattr', path)
      problems.push(problem('xattr', `its extended attribute ${shown(name)} cannot be read`, error))
    }
  }
  return { xattrs: xattrs.sort(([left], [right]) => Buffer.compare(left, right)), problems }
}

/** Copies, since the list is scratch space. */
function splitNames(list: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < list.length; ) {
    const end = list.indexOf(0, at)
    found.push(Buffer.from(list.subarray(at, end)))
    at = end + 1
  }
  return found
}

/**
 * Make the extended attributes of a node those given. Others of the namespace `user` and other ACLs are removed,
 * since a new file may have inherited a default ACL that lets in people whom the original did not; what a
 * security module sets by itself stays. To those who are not root, a refusal in the namespaces that only root
 * may write is no problem.
 */
export function writeXattrs(node: Target, xattrs: readonly Xattr[]): Problem[] {
  const loaded = native()
  if (loaded.calls === undefined) {
    if (xattrs.length === 0) return []
    return [problem('xattr', 'its extended attributes cannot be set', new Error(loaded.reason))]
  }
  const { descriptorXattrs, pathXattrs, linkXattrs } = loaded.calls
  const calls = node.fd !== undefined ? descriptorXattrs : node.followLink ? pathXattrs : linkXattrs
  const target = node.fd ?? cString(node.path)
  const problems = removeOthers(calls, target, node, xattrs)
  for (const [name, value] of xattrs) {
    const result = name.includes(0) ? -constants.errno.EINVAL : calls.set(target, cString(name), value)
    if (result >= 0 || (failedWith(result, 'EPERM') && !mayWrite(name))) continue
    const error = systemError(result, 'setxattr', node.path)
    problems.push(problem('xattr', `its extended attribute ${shown(name)} cannot be set`, error))
  }
  return problems
}

/** Whether what is made in this folder begins with an ACL. */
export function givesAcl(folder: FolderAddress): boolean {
  const { calls } = native()
  if (calls === undefined) return false
  names ??= Buffer.allocUnsafeSlow(MAX_BYTES)
  const length =
    folder.fd === undefined
      ? calls.linkXattrs.list(cString(folder.path), names)
      : calls.descriptorXattrs.list(folder.fd, names)
  if (length < 0) return !failedWith(length, 'ENOTSUP')
  return length > 0 && names.subarray(0, length).includes(DEFAULT_ACL)
}

function removeOthers(
  calls: XattrCalls,
  target: number | Buffer,
  node: Target,
  wanted: readonly Xattr[],
): Problem[] {
  names ??= Buffer.allocUnsafeSlow(MAX_BYTES)
  const length = calls.list(target, names)
  if (length <= 0) return []
  const problems: Problem[] = []
  for (const name of splitNames(names.subarray(0, length))) {
    if (!REMOVED.test(name.toString('latin1')) || wanted.some(([other]) => other.equals(name))) continue
    const result = calls.remove(target, cString(name))
    if (result >= 0 || failedWith(result, 'ENODATA')) continue
    const error = systemError(result, 'removexattr', node.path)
    problems.push(
      problem('xattr', `the extended attribute ${shown(name)} it has now cannot be removed`, error),
    )
  }
  return problems
}

/** Whether a refusal is worth a word: root may write all, others not `trusted` and `security`. */
function mayWrite(name: Buffer): boolean {
  return isRoot() || !FOR_ROOT.test(name.toString('latin1'))
}

function shown(name: Buffer): string {
  return displayName(nameFromBytes(name))
}
