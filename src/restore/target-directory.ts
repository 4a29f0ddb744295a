import { mkdirSync, unlinkSync } from 'node:fs'
import { displayName, joinName, type RawName } from '../encoding/index.ts'
import { HoldfastError, systemCode } from '../errors/index.ts'
import {
  applyMetadata,
  createOwnerNames,
  type FileStatus,
  type HeldDirectory,
  readStatus,
  readXattrs,
} from '../filesystem/index.ts'
import type { DirectoryNode } from '../tree/index.ts'
import { findExisting, mayReplace } from './existing.ts'
import { removeLeftovers } from './leftovers.ts'
import type { OverwriteRule } from './options.ts'

/** One folder of the target while something is restored into it. */
export interface TargetDirectory {
  /** In the snapshot. */
  readonly path: RawName
  /** Undefined where the target itself stays as it is. */
  readonly node: DirectoryNode | undefined
  /** Undefined for the target itself. */
  readonly parent: TargetDirectory | undefined
  /** What has to be done before the folder's own metadata can be set: the walk through it, and all in it. */
  pending: number
  state: 'unopened' | 'open' | 'failed'
  /** Undefined before it is open, and in a dry run where it is not there. */
  held: HeldDirectory | undefined
  /** Made by this run: nothing is in it that was not restored. */
  isFresh: boolean
  /** What is made in it begins without an ACL; undefined as long as nobody asked. */
  isBare: boolean | undefined
}

export function topDirectory(
  path: RawName,
  node: DirectoryNode | undefined,
  held: HeldDirectory | undefined,
  isFresh: boolean,
): TargetDirectory {
  return { path, node, parent: undefined, pending: 1, state: 'open', held, isFresh, isBare: undefined }
}

/** Counts as pending in its parent until it is done. */
export function childDirectory(parent: TargetDirectory, node: DirectoryNode): TargetDirectory {
  parent.pending++
  const path = joinName(parent.path, node.name)
  return {
    path,
    node,
    parent,
    pending: 1,
    state: 'unopened',
    held: undefined,
    isFresh: false,
    isBare: undefined,
  }
}

/**
 * Make the folder in its parent, which is open, or enter the one that is there. A symbolic link is never followed:
 * what is no folder is replaced where the rule allows it. Throws the system's errors; FAILED where it does not.
 */
export function enterDirectory(directory: TargetDirectory, rule: OverwriteRule): void {
  const node = directory.node!
  const above = directory.parent!.held!
  directory.isFresh = makeDirectory(above.pathOf(node.name))
  if (!directory.isFresh) {
    const found = readStatus(above.pathOf(node.name))
    if (found.type === 'directory') openUp(above.pathOf(node.name), found)
    else {
      checkReplaceable(directory, rule, found)
      unlinkSync(above.pathOf(node.name))
      mkdirSync(above.pathOf(node.name), 0o700)
      directory.isFresh = true
    }
  }
  directory.held = above.enter(node.name)
  if (!directory.isFresh) removeLeftovers(directory.held)
}

/** The same for a dry run: nothing is made or changed. */
export function lookIntoDirectory(directory: TargetDirectory, rule: OverwriteRule): void {
  const node = directory.node!
  const above = directory.parent!.held
  const found = above === undefined ? undefined : findExisting(above.pathOf(node.name))
  directory.isFresh = found?.type !== 'directory'
  if (found === undefined) return
  if (directory.isFresh) checkReplaceable(directory, rule, found)
  else directory.held = above!.enter(node.name)
}

function checkReplaceable({ node }: TargetDirectory, rule: OverwriteRule, found: FileStatus): void {
  if (mayReplace(rule, node!, found)) return
  const message = `a ${found.type} is in the way of the folder ${displayName(node!.name)}`
  throw new HoldfastError('FAILED', message, { hint: 'move it away, or restore with --overwrite always' })
}

/** False when there is something of this name already. */
function makeDirectory(path: RawName): boolean {
  try {
    mkdirSync(path, 0o700)
    return true
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    return false
  }
}

/** Let its owner work in a folder that he may not write into. It gets its mode when all in it is done. */
function openUp(path: RawName, found: FileStatus): void {
  const user = process.geteuid?.()
  if (user === 0 || found.uid !== user || (found.mode & 0o700) === 0o700) return
  const { xattrs } = readXattrs(path)
  const metadata = { ...found, mode: found.mode | 0o700, user: '', group: '', xattrs }
  applyMetadata(path, 'directory', metadata, { owners: createOwnerNames(), ownership: false })
}
