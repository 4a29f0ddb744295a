import { lutimesSync, utimesSync } from 'node:fs'
import type { NativeCalls } from './native.ts'
import { cString, systemError } from './native.ts'
import type { Node } from './node.ts'

/** Nanoseconds since 1970, negative before. */
export interface Times {
  readonly mtimeNs: bigint
  /** Left as it is when undefined. */
  readonly atimeNs?: bigint | undefined
}

/** What utimensat takes instead of nanoseconds to leave a time as it is. */
const UTIME_OMIT = 0x3ffffffen

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
