import type { FileNode, Node } from './node.ts'
import { afterText, afterUint, afterWide, bytesStart, textStart, uintAt } from './stored-fields.ts'
import type { StoredNodes } from './stored-nodes.ts'

const NO_LIST: readonly never[] = []
const WIDE_BYTES = 9

/** The node shown, which has neither extended attributes nor holes. Its fields were checked when it was shown. */
export function decodeStored(nodes: StoredNodes): Node {
  const { page, type, nameEnd, fieldsAt } = nodes
  const mode = uintAt(page, nameEnd)
  const uidAt = afterUint(page, nameEnd)
  const gidAt = afterUint(page, uidAt)
  const userAt = afterUint(page, gidAt)
  const groupAt = afterText(page, userAt)
  const timesAt = afterText(page, groupAt)
  const atimeAt = timesAt + 2 * WIDE_BYTES
  const name = nodes.rawName()
  const uid = uintAt(page, uidAt)
  const gid = uintAt(page, gidAt)
  const user = textAt(page, userAt, groupAt, users)
  const group = textAt(page, groupAt, timesAt, groups)
  const mtimeNs = nodes.wideAt(timesAt)
  const ctimeNs = nodes.wideAt(timesAt + WIDE_BYTES)
  const atimeNs = page[atimeAt] === 0xc0 ? null : nodes.wideAt(atimeAt)
  const xattrs = NO_LIST
  if (type === 'directory') {
    const tree = nodes.tree()
    return { type, name, mode, uid, gid, user, group, mtimeNs, ctimeNs, atimeNs, xattrs, tree }
  }
  const linksAt = fieldsAt + WIDE_BYTES
  const fileSystemAt = afterUint(page, linksAt)
  const inode = nodes.wideAt(fieldsAt)
  const links = uintAt(page, linksAt)
  const fileSystem = page[fileSystemAt] === 0xc0 ? null : nodes.wideAt(fileSystemAt)
  if (type === 'file') {
    // Written out: with the fields of another object spread into it, this takes three times as long.
    const file: FileNode = {
      type,
      name,
      mode,
      uid,
      gid,
      user,
      group,
      mtimeNs,
      ctimeNs,
      atimeNs,
      xattrs,
      inode,
      links,
      fileSystem,
      sizeBytes: nodes.sizeBytes,
      racy: nodes.isRacy,
      holes: NO_LIST,
      content: nodes.content(),
    }
    return file
  }
  const common = {
    name,
    mode,
    uid,
    gid,
    user,
    group,
    mtimeNs,
    ctimeNs,
    atimeNs,
    xattrs,
    inode,
    links,
    fileSystem,
  }
  const at = page[fileSystemAt] === 0xc0 ? fileSystemAt + 1 : afterWide(page, fileSystemAt)
  if (type === 'symlink') return { type, ...common, target: page.subarray(bytesStart(page, at), nodes.end) }
  if (type === 'character' || type === 'block') {
    return { type, ...common, major: uintAt(page, at), minor: uintAt(page, afterUint(page, at)) }
  }
  return { type, ...common }
}

/** Names of owners come again and again: the last one of each kind is kept with its bytes. */
interface LastText {
  bytes: Uint8Array
  text: string
}
const users: LastText = { bytes: new Uint8Array(0), text: '' }
const groups: LastText = { bytes: new Uint8Array(0), text: '' }

function textAt(page: Buffer, at: number, end: number, last: LastText): string {
  const start = textStart(page, at)
  const { bytes } = last
  let isLast = bytes.length === end - start
  for (let index = 0; isLast && index < bytes.length; index++) isLast = bytes[index] === page[start + index]
  if (!isLast) {
    last.bytes = Uint8Array.prototype.slice.call(page, start, end)
    last.text = page.toString('utf8', start, end)
  }
  return last.text
}
