import { createHash } from 'node:crypto'
import { closeSync, lstatSync, openSync, readFileSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { nameBytes, nameFromBytes } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'
import { hasDescriptorPaths, O_PATH } from './descriptor-paths.ts'
import { deviceNumber } from './status.ts'

const MOUNT_INFO = '/proc/self/mountinfo'

interface Mount {
  readonly id: string
  readonly device: bigint
  readonly point: Buffer
  readonly type: string
}

/**
 * A function from a device number (`FileStatus.device`) and an absolute path on it to a number for that file
 * system, below 2^48, which stays the same as long as the file system is mounted at the same place: the start
 * of the SHA-256 of its shortest mount point. The device number alone changes with every mounted snapshot.
 * A device that is not in the list of mounts (a subvolume of btrfs) counts as mounted at the topmost folder
 * above the path that is on it. Answers are kept for each device.
 */
export function createFileSystemNumbers(
  mountInfoPath: string = MOUNT_INFO,
): (device: bigint, path: RawName) => bigint {
  let points: Map<bigint, Buffer> | undefined
  const numbers = new Map<bigint, bigint>()
  return (device, path) => {
    points ??= shortestPoints(readMounts(mountInfoPath))
    let number = numbers.get(device)
    if (number === undefined) {
      number = numberOf(points.get(device) ?? topmostFolder(device, path))
      numbers.set(device, number)
    }
    return number
  }
}

/**
 * The type of the file system that holds a path (`ext4`, `nfs4`, …); a symbolic link is followed.
 * '' where the platform does not say. Throws the system's errors when there is no such path.
 */
export function fileSystemType(path: RawName): string {
  if (!hasDescriptorPaths()) return ''
  const fd = openSync(path, O_PATH)
  try {
    const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
    return readMounts(MOUNT_INFO).find((mount) => mount.id === id)?.type ?? ''
  } finally {
    closeSync(fd)
  }
}

/** Fields of a line: id, parent, major:minor, root, mount point, options, optional fields, `-`, type, … */
function readMounts(mountInfoPath: string): Mount[] {
  const mounts: Mount[] = []
  for (const line of readMountInfo(mountInfoPath).split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [id, , device, , point] = before.split(' ')
    const numbers = /^(\d+):(\d+)$/.exec(device ?? '')
    if (id === undefined || point === undefined || numbers === null) continue
    const [type = ''] = after.split(' ')
    mounts.push({
      id,
      device: deviceNumber(Number(numbers[1]), Number(numbers[2])),
      point: unescapeOctal(point),
      type,
    })
  }
  return mounts
}

/** As latin1, which keeps every byte. */
function readMountInfo(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}

/** The kernel writes space, tab, line feed and backslash as three octal digits. */
function unescapeOctal(point: string): Buffer {
  const text = point.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
  return Buffer.from(text, 'latin1')
}

function shortestPoints(mounts: readonly Mount[]): Map<bigint, Buffer> {
  const points = new Map<bigint, Buffer>()
  for (const { device, point } of mounts) {
    const best = points.get(device)
    if (best === undefined || compareByLength(point, best) < 0) points.set(device, point)
  }
  return points
}

function compareByLength(left: Buffer, right: Buffer): number {
  return left.length - right.length || Buffer.compare(left, right)
}

function topmostFolder(device: bigint, path: RawName): Buffer {
  let top = nameBytes(path)
  while (top.length > 1) {
    const parent = top.subarray(0, Math.max(top.lastIndexOf(0x2f), 1))
    if (lstatSync(nameFromBytes(parent), { bigint: true }).dev !== device) break
    top = parent
  }
  return top
}

function numberOf(point: Buffer): bigint {
  return BigInt(createHash('sha256').update(point).digest().readUIntBE(0, 6))
}
