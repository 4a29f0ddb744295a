import type { BigIntStats } from 'node:fs'
import { constants, fstatSync, lstatSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'

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
  return fromStats(lstatSync(path, { bigint: true }))
}

/** The status of an open file. */
export function statusOf(fd: number): FileStatus {
  return fromStats(fstatSync(fd, { bigint: true }))
}

/** @param stats in which Node has signed numbers, also where the system's are unsigned */
export function fromStats(stats: BigIntStats): FileStatus {
  const mode = Number(stats.mode)
  const type = types.get(mode & constants.S_IFMT)
  if (type === undefined) {
    throw new HoldfastError(
      'UNSUPPORTED',
      `a node of the unknown type 0o${(mode & constants.S_IFMT).toString(8)}`,
    )
  }
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
