import type { BigIntStats } from 'node:fs'
import { constants, fstatSync, lstatSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, native, systemError } from './native.ts'

export type FileType = 'file' | 'directory' | 'symlink' | 'fifo' | 'character' | 'block' | 'socket'

/** What the system says of one node. Times are nanoseconds since 1970, negative before. */
export interface FileStatus {
  readonly type: FileType
  /** Permissions with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: bigint
  /** What it takes on disk; less than `sizeBytes` for a file with holes, or compressed by its file system. */
  readonly storedBytes: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly atimeNs: bigint
  readonly inode: bigint
  /** Hard links to the node. */
  readonly links: number
  /** st_dev of the file system the node is on. Changes from mount to mount: see `createFileSystemNumbers`. */
  readonly device: bigint
  /** The device that a character or block node stands for; 0 for other types. */
  readonly major: number
  readonly minor: number
}

const types = new Map<number, FileType>([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFCHR, 'character'],
  [constants.S_IFBLK, 'block'],
  [constants.S_IFSOCK, 'socket'],
])

/** The status of the node itself, also of a symbolic link. Throws the system's errors. */
export function readStatus(path: RawName): FileStatus {
  const { calls } = native()
  if (calls?.status === undefined || !fillPath(path)) return fromStats(lstatSync(path, { bigint: true }))
  const result = calls.status(AT_FDCWD, pathBytes, AT_SYMLINK_NOFOLLOW, answer)
  if (result < 0) throw systemError(result, 'lstat', path)
  return fromAnswer()
}

/** The status of an open file. */
export function statusOf(fd: number): FileStatus {
  const { calls } = native()
  if (calls?.status === undefined) return fromStats(fstatSync(fd, { bigint: true }))
  const result = calls.status(fd, NO_PATH, AT_EMPTY_PATH, answer)
  if (result < 0) throw systemError(result, 'fstat', `/proc/self/fd/${fd}`)
  return fromAnswer()
}

const AT_EMPTY_PATH = 0x1000
const NO_PATH = Buffer.alloc(1)

// Scratch space of this thread. Longer paths are left to Node.
const pathBytes = Buffer.alloc(4096)
const answer = Buffer.from(new ArrayBuffer(256))
const answer16 = new Uint16Array(answer.buffer)
const answer32 = new Uint32Array(answer.buffer)
const answer64 = new BigInt64Array(answer.buffer)
const answer64u = new BigUint64Array(answer.buffer)

/** @returns false for a path that has no place in the scratch space, or that no system takes */
function fillPath(path: RawName): boolean {
  if (path.length * 3 >= pathBytes.length || path.length === 0) return false
  if (typeof path === 'string' ? path.includes('\0') : path.includes(0)) return false
  const end = typeof path === 'string' ? pathBytes.write(path, 0) : path.copy(pathBytes)
  pathBytes[end] = 0
  return true
}

/** Reads `answer`, a struct statx in the machine's order of bytes (linux/stat.h). */
function fromAnswer(): FileStatus {
  const mode = answer16[14]!
  const type = typeOf(mode)
  const isDevice = type === 'character' || type === 'block'
  return {
    type,
    mode: mode & 0o7777,
    uid: answer32[5]!,
    gid: answer32[6]!,
    sizeBytes: answer64[5]!,
    storedBytes: answer64[6]! * 512n,
    mtimeNs: timeAt(112),
    ctimeNs: timeAt(96),
    atimeNs: timeAt(64),
    inode: answer64u[4]!,
    links: answer32[4]!,
    device: deviceAt(136),
    major: isDevice ? answer32[32]! : 0,
    minor: isDevice ? answer32[33]! : 0,
  }
}

/** A statx_timestamp: 64 bits of seconds, 32 of nanoseconds. */
function timeAt(offset: number): bigint {
  return answer64[offset / 8]! * 1_000_000_000n + BigInt(answer32[offset / 4 + 2]!)
}

let lastMajor = -1
let lastMinor = -1
let lastDevice = 0n

/** Nearly all nodes are on the device of the one before. */
function deviceAt(offset: number): bigint {
  const major = answer32[offset / 4]!
  const minor = answer32[offset / 4 + 1]!
  if (major !== lastMajor || minor !== lastMinor) {
    lastMajor = major
    lastMinor = minor
    lastDevice = deviceNumber(major, minor)
  }
  return lastDevice
}

function typeOf(mode: number): FileType {
  const type = types.get(mode & constants.S_IFMT)
  if (type === undefined) {
    throw new HoldfastError(
      'UNSUPPORTED',
      `a node of the unknown type 0o${(mode & constants.S_IFMT).toString(8)}`,
    )
  }
  return type
}

/** @param stats in which Node has signed numbers, also where the system's are unsigned */
export function fromStats(stats: BigIntStats): FileStatus {
  const mode = Number(stats.mode)
  const type = typeOf(mode)
  const isDevice = type === 'character' || type === 'block'
  return {
    type,
    mode: mode & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    sizeBytes: stats.size,
    storedBytes: stats.blocks * 512n,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    atimeNs: stats.atimeNs,
    inode: BigInt.asUintN(64, stats.ino),
    links: Number(stats.nlink),
    device: BigInt.asUintN(64, stats.dev),
    major: isDevice ? majorOf(BigInt.asUintN(64, stats.rdev)) : 0,
    minor: isDevice ? minorOf(BigInt.asUintN(64, stats.rdev)) : 0,
  }
}

/** Linux's packing of a device number: 32 bits each, interleaved as glibc's makedev does it. */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  )
}

function majorOf(device: bigint): number {
  return Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn))
}

function minorOf(device: bigint): number {
  return Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn))
}
