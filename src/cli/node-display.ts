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
    mode: modeOf(node),
    permissions: permissionsOf(node),
    mtime: formatTimeNs(node.mtimeNs),
    atime: node.atimeNs === null ? undefined : formatTimeNs(node.atimeNs),
    ctime: formatTimeNs(node.ctimeNs),
    inode: node.type === 'directory' ? undefined : Number(node.inode),
    links: node.type === 'directory' ? undefined : node.links,
    linktarget: node.type === 'symlink' ? jsonName(nameFromBytes(node.target)) : undefined,
  }
}

/** The text of `nodeJson`, without an object for each node in between. */
export function nodeJsonText({ path, node }: WalkEntry): string {
  const { type } = node
  const name = quote(jsonName(node.name))
  let text = `{"message_type":"node","struct_type":"node","name":${name},"type":"${typeNames[type] ?? type}"`
  text += `,"path":${quote(jsonName(path))}`
  if (typeof path !== 'string') text += `,"path_base64":"${path.toString('base64')}"`
  text += `,"uid":${node.uid},"gid":${node.gid}`
  if (node.user !== '') text += `,"user":${quote(node.user)}`
  if (node.group !== '') text += `,"group":${quote(node.group)}`
  if (type === 'file') text += `,"size":${Number(node.sizeBytes)}`
  text += `,"mode":${modeOf(node)},"permissions":"${permissionsOf(node)}","mtime":"${formatTimeNs(node.mtimeNs)}"`
  if (node.atimeNs !== null) text += `,"atime":"${formatTimeNs(node.atimeNs)}"`
  text += `,"ctime":"${formatTimeNs(node.ctimeNs)}"`
  if (type !== 'directory') text += `,"inode":${Number(node.inode)},"links":${node.links}`
  if (type === 'symlink') text += `,"linktarget":${quote(jsonName(nameFromBytes(node.target)))}`
  return `${text}}`
}

const quote = (text: string): string => JSON.stringify(text)

/** `-rw-r--r--  1000  1000     4096  2026-03-01 18:00:00  /path -> target`. */
export function longLine({ path, node }: WalkEntry): string {
  const target = node.type === 'symlink' ? ` -> ${displayName(nameFromBytes(node.target))}` : ''
  const size = node.type === 'file' ? String(node.sizeBytes) : '0'
  const when = formatMoment(Number(node.mtimeNs / 1_000_000n))
  const owner = `${String(node.uid).padStart(5)}  ${String(node.gid).padStart(5)}`
  return `${permissionsOf(node)}  ${owner}  ${size.padStart(12)}  ${when}  ${displayName(path)}${target}`
}

function modeOf({ type, mode }: Pick<Node, 'type' | 'mode'>): number {
  let special = 0
  if (mode & 0o7000) for (const [bits, bit] of specialBits) if (mode & bits) special += bit
  return typeBits[type] + special + (mode & 0o777)
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

const DAY_SECONDS = 86_400
const twoDigits = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'))
/** Times of neighbours are often of one day. */
let lastDay = { number: 0, text: '1970-01-01' }

/** RFC 3339 in UTC to the nanosecond. */
export function formatTimeNs(timeNs: bigint): string {
  let seconds = Number(timeNs / 1_000_000_000n)
  let rest = Number(timeNs % 1_000_000_000n)
  if (rest < 0) {
    rest += 1_000_000_000
    seconds--
  }
  const day = Math.floor(seconds / DAY_SECONDS)
  if (day !== lastDay.number) {
    const text = new Date(day * DAY_SECONDS * 1000).toISOString()
    lastDay = { number: day, text: text.slice(0, text.indexOf('T')) }
  }
  const ofDay = seconds - day * DAY_SECONDS
  const hours = twoDigits[Math.floor(ofDay / 3600)]
  const minutes = twoDigits[Math.floor(ofDay / 60) % 60]
  return `${lastDay.text}T${hours}:${minutes}:${twoDigits[ofDay % 60]}.${String(rest).padStart(9, '0')}Z`
}

/** A name as it is, since JSON escapes what a terminal must not get; one that is no UTF-8 with its bytes as `\\xNN`. */
export function jsonName(name: RawName): string {
  return typeof name === 'string' ? name : displayName(name)
}
