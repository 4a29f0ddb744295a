import { isDeepStrictEqual } from 'node:util'
import { nameBytes, type RawName } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'
import { type FileStatus, readLink, readStatus, readXattrs } from '../filesystem/index.ts'
import type { Node } from '../tree/index.ts'
import type { OverwriteRule } from './options.ts'

/** What to do about a node that is there: `compare` its content first, or only set metadata where it is `right`. */
export type Verdict = 'restore' | 'compare' | 'right'

/** What is at this path; undefined when nothing is. Throws the system's other errors. */
export function findExisting(path: RawName): FileStatus | undefined {
  try {
    return readStatus(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Whether the rule lets a node of the snapshot take the place of what is there. */
export function mayReplace(rule: OverwriteRule, node: Node, found: FileStatus): boolean {
  if (rule === 'never') return false
  return rule !== 'if-newer' || node.mtimeNs > found.mtimeNs
}

/** @param node no folder, and one that may replace what was found @param path of what was found */
export function judge(rule: OverwriteRule, node: Node, found: FileStatus, path: RawName): Verdict {
  if (found.type !== node.type) return 'restore'
  // A further name of it may be anywhere, whatever names it has in the snapshot: what is set here would be set there too.
  if (found.links > 1 && node.type !== 'directory' && !isAlike(node, found, path)) return 'restore'
  switch (node.type) {
    case 'file':
      if (found.sizeBytes !== node.sizeBytes) return 'restore'
      return rule === 'if-changed' && found.mtimeNs === node.mtimeNs ? 'right' : 'compare'
    case 'symlink':
      return nameBytes(readLink(path)).equals(node.target) ? 'right' : 'restore'
    case 'character':
    case 'block':
      return found.major === node.major && found.minor === node.minor ? 'right' : 'restore'
    default:
      return 'right'
  }
}

/** Whether nothing would have to be set. */
function isAlike(node: Node, found: FileStatus, path: RawName): boolean {
  const isSame =
    found.mode === node.mode &&
    found.uid === node.uid &&
    found.gid === node.gid &&
    (found.mtimeNs === node.mtimeNs || node.type === 'symlink')
  const { xattrs } = isSame ? readXattrs(path) : { xattrs: [] }
  return isSame && isDeepStrictEqual(pairs(xattrs), pairs(node.xattrs))
}

function pairs(xattrs: readonly (readonly Uint8Array[])[]): string[][] {
  return xattrs.map((pair) => pair.map((part) => Buffer.from(part).toString('latin1'))).sort()
}
