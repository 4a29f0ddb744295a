import { displayName, type Node, nameFromBytes, type RawName, type WalkEntry } from '../index.ts'
import { formatMoment } from './format.ts'

/** Type and special bits of a mode as restic's JSON has them, which is Go's os.FileMode. */
const typeBits: Readonly<Record<Node['type'], number>> = {
  file: 0,
  directory: 2 ** 31,
  symlink: 2 ** 27,
  block: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  character: 2 ** 26 + 2 ** 21,
}
const specialBits: readonly (readonly [mode: number, bit: number])[] = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
]

/** restic's names of the types that it calls otherwise. */
const typeNames: Readonly<Partial<Record<Node['type'], string>>> = {
  directory: 'dir',
  character: 'chardev',
  block: 'dev',
}

const typeLetters: Readonly<Record<Node['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  character: 'c',
  block: 'b',
  socket: 's',
}

/** One line of `ls --json`. A name that is no UTF-8 has its bytes in `path_base64` too. */
export function nodeJson(entry: WalkEntry): Record<string, unknown> {
  return { message_type: 'node', struct_type: 'node', ...foundJson(entry) }
}

/** A node as a part of another object. */
export function foundJson({ path, node }: WalkEntry): Record<string, unknown> {
  const special = specialBits.reduce((sum, [mode, bit]) => sum + ((node.mode & mode) === 0 ? 0 : bit), 0)
  return {
    name: jsonName(node.name),
    type: typeNames[node.type] ?? node.type,
    path: jsonName(path),
    path_base64: typeof path === 'string' ? undefined : path.toString('base64'),
    uid: node.uid,
    gid: node.gid,
    user: node.user === '' ? undefined : node.user,
    group: node.group === '' ? undefined : node.group,
    size: node.type === 'file' ? Number(node.sizeBytes) : undefined,
    mode: typeBits[node.type] + special + (node.mode & 0o777),
    permissions: permissionsOf(node),
    mtime: formatTimeNs(node.mtimeNs),
    atime: node.atimeNs === null ? undefined : formatTimeNs(node.atimeNs),
    ctime: formatTimeNs(node.ctimeNs),
    inode: node.type === 'directory' ? undefined : Number(node.inode),
    links: node.type === 'directory' ? undefined : node.links,
    linktarget: node.type === 'symlink' ? jsonName(nameFromBytes(node.target)) : undefined,
  }
}

/** `-rw-r--r--  1000  1000     4096  2026-03-01 18:00:00  /path -> target`. */
export function longLine({ path, node }: WalkEntry): string {
  const target = node.type === 'symlink' ? ` -> ${displayName(nameFromBytes(node.target))}` : ''
  const size = node.type === 'file' ? String(node.sizeBytes) : '0'
  const when = formatMoment(Number(node.mtimeNs / 1_000_000n))
  const owner = `${String(node.uid).padStart(5)}  ${String(node.gid).padStart(5)}`
  return `${permissionsOf(node)}  ${owner}  ${size.padStart(12)}  ${when}  ${displayName(path)}${target}`
}

/** As `ls -l` shows them: `drwxr-xr-x`. */
export function permissionsOf({ type, mode }: Pick<Node, 'type' | 'mode'>): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = (mode >> shift) & 7
    const isSpecial = (mode & special) !== 0
    const last = (bits & 1) !== 0 ? (isSpecial ? letter : 'x') : isSpecial ? letter.toUpperCase() : '-'
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`
  }
  return `${typeLetters[type]}${triple(6, 0o4000, 's')}${triple(3, 0o2000, 's')}${triple(0, 0o1000, 't')}`
}

/** RFC 3339 in UTC to the nanosecond. */
export function formatTimeNs(timeNs: bigint): string {
  const second = 1_000_000_000n
  const rest = ((timeNs % second) + second) % second
  const text = new Date(Number((timeNs - rest) / 1_000_000n)).toISOString()
  return text.replace(/\.\d+Z$/, `.${String(rest).padStart(9, '0')}Z`)
}

/** A name as it is, since JSON escapes what a terminal must not get; one that is no UTF-8 with its bytes as `\\xNN`. */
export function jsonName(name: RawName): string {
  return typeof name === 'string' ? name : displayName(name)
}
