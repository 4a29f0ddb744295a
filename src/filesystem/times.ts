import { futimesSync, lutimesSync, utimesSync } from 'node:fs'
import { endianness } from 'node:os'
import type { NativeCalls } from './native.ts'
import { cString, native, systemError } from './native.ts'
import type { Node } from './node.ts'
import { statusOf } from './status.ts'

/** Nanoseconds since 1970, negative before. */
export interface Times {
  readonly mtimeNs: bigint
  /** Left as it is when undefined. */
  readonly atimeNs?: bigint | undefined
}

/** A time as the system takes it: whole seconds since 1970, negative before, and 0 to 999,999,999 nanoseconds. */
export interface ClockTime {
  readonly seconds: number
  readonly nanoseconds: number
}

export function clockTime(timeNs: bigint): ClockTime {
  const [seconds, nanoseconds] = timespec(timeNs)
  return { seconds: Number(seconds), nanoseconds: Number(nanoseconds) }
}

/** What utimensat takes instead of nanoseconds to leave a time as it is. */
const UTIME_OMIT = 0x3ffffffen

const IS_LITTLE_ENDIAN = endianness() === 'LE'

const SECOND_NS = 1_000_000_000n

/** Set the times of a node; rounded down to microseconds where there are no native calls. Throws the system's errors. */
export function setTimes(node: Node, { mtimeNs, atimeNs }: Times, calls: NativeCalls | undefined): void {
  if (calls === undefined) {
    const set = node.followLink ? utimesSync : lutimesSync
    // As text: Node takes a negative number for "now", but not a text that is one.
    set(node.path, secondsText(atimeNs ?? node.status.atimeNs), secondsText(mtimeNs))
    return
  }
  const atime = atimeNs === undefined ? [0n, UTIME_OMIT] : timespec(atimeNs)
  const times = BigInt64Array.from([...atime, ...timespec(mtimeNs)])
  const result = calls.setTimes(cString(node.path), times, node.followLink)
  if (result < 0) throw systemError(result, 'utimensat', node.path)
}

// Scratch space of this thread.
const clock = Buffer.alloc(4 * 8)

/** Set the times of an open file, as `setTimes` does. Throws the system's errors. */
export function setFileTimes(fd: number, mtime: ClockTime, atime: ClockTime | undefined): void {
  const { calls } = native()
  if (calls === undefined) {
    const atimeNs = atime === undefined ? statusOf(fd).atimeNs : nanosecondsOf(atime)
    futimesSync(fd, secondsText(atimeNs), secondsText(nanosecondsOf(mtime)))
    return
  }
  writeTime(0, atime?.seconds ?? 0, atime?.nanoseconds ?? Number(UTIME_OMIT))
  writeTime(16, mtime.seconds, mtime.nanoseconds)
  const result = calls.setDescriptorTimes(fd, clock)
  if (result < 0) throw systemError(result, 'futimens', `/proc/self/fd/${fd}`)
}

/** Two 64-bit integers in the order of the machine. */
function writeTime(at: number, seconds: number, nanoseconds: number): void {
  const high = Math.floor(seconds / 2 ** 32)
  if (IS_LITTLE_ENDIAN) {
    clock.writeInt32LE(seconds | 0, at)
    clock.writeInt32LE(high, at + 4)
    clock.writeInt32LE(nanoseconds, at + 8)
  } else {
    clock.writeInt32BE(high, at)
    clock.writeInt32BE(seconds | 0, at + 4)
    clock.writeInt32BE(nanoseconds, at + 12)
  }
}

function nanosecondsOf({ seconds, nanoseconds }: ClockTime): bigint {
  return BigInt(seconds) * SECOND_NS + BigInt(nanoseconds)
}

/** Whole seconds, rounded down, and the nanoseconds from there. */
function timespec(timeNs: bigint): [seconds: bigint, nanoseconds: bigint] {
  const restNs = modulo(timeNs, SECOND_NS)
  return [(timeNs - restNs) / SECOND_NS, restNs]
}

/**
 * Seconds as Node takes them. It makes them a double and cuts that off to microseconds, towards 1970: half a
 * microsecond away from there no rounding can reach the next one.
 */
function secondsText(timeNs: bigint): string {
  const microsecond = timeNs - modulo(timeNs, 1000n)
  const [sign, sizeNs] = microsecond < 0n ? ['-', 500n - microsecond] : ['', 500n + microsecond]
  return `${sign}${sizeNs / SECOND_NS}.${String(sizeNs % SECOND_NS).padStart(9, '0')}`
}

function modulo(value: bigint, divisor: bigint): bigint {
  return ((value % divisor) + divisor) % divisor
}
