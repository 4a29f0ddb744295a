import type { ContentRef, Node, Xattr } from './node.ts'

/**
 * - type: another type of node.
 * - content: a file's bytes, a link's target, a device's numbers, what is in a folder.
 * - silent: a file's bytes, but nothing that changes with them: times, size and inode are the same. Something has
 *   changed it behind the file system's back.
 * - metadata: what a restore brings back beside content: mode, owner, modification time, extended attributes.
 */
export type NodeChange = 'type' | 'content' | 'silent' | 'metadata' | 'same'

/** What is different of two nodes of a name, the first that holds. The time of a change and the inode alone are no difference. */
export function compareNodes(before: Node, after: Node): NodeChange {
  if (before.type !== after.type) return 'type'
  if (!isSameContent(before, after)) return isSilent(before, after) ? 'silent' : 'content'
  return isSameMetadata(before, after) ? 'same' : 'metadata'
}

/** Of two lists that are written by the same rules: whether they are of the same chunks. */
export function isSameContentRef(before: ContentRef, after: ContentRef): boolean {
  return before.depth === after.depth && Buffer.compare(before.ids, after.ids) === 0
}

function isSameContent(before: Node, after: Node): boolean {
  if (before.type === 'file' && after.type === 'file') return isSameContentRef(before.content, after.content)
  if (before.type === 'directory' && after.type === 'directory') {
    return Buffer.compare(before.tree, after.tree) === 0
  }
  if (before.type === 'symlink' && after.type === 'symlink') {
    return Buffer.compare(before.target, after.target) === 0
  }
  if ('major' in before && 'major' in after)
    return before.major === after.major && before.minor === after.minor
  return true
}

function isSilent(before: Node, after: Node): boolean {
  return (
    before.type === 'file' &&
    after.type === 'file' &&
    !before.racy &&
    !after.racy &&
    before.sizeBytes === after.sizeBytes &&
    before.ctimeNs === after.ctimeNs &&
    before.inode === after.inode &&
    isSameMetadata(before, after)
  )
}

/** What a restore brings back of both, beside content. */
export function isSameMetadata(before: Pick<Node, MetadataField>, after: Pick<Node, MetadataField>): boolean {
  return (
    before.mode === after.mode &&
    before.uid === after.uid &&
    before.gid === after.gid &&
    before.user === after.user &&
    before.group === after.group &&
    before.mtimeNs === after.mtimeNs &&
    isSameXattrs(before.xattrs, after.xattrs)
  )
}

type MetadataField = 'mode' | 'uid' | 'gid' | 'user' | 'group' | 'mtimeNs' | 'xattrs'

function isSameXattrs(before: readonly Xattr[], after: readonly Xattr[]): boolean {
  return (
    before.length === after.length &&
    before.every(
      ([name, value], at) =>
        Buffer.compare(name, after[at]![0]) === 0 && Buffer.compare(value, after[at]![1]) === 0,
    )
  )
}
