import { writeSync } from 'node:fs'
import type { Hole } from '../tree/index.ts'

/** A stretch of bytes: from this index up to, not including, that one. */
export type Stretch = readonly [from: number, to: number]

/** Zeros are left out by pages of this size, at multiples of it in the file: the block of most file systems. */
const PAGE_BYTES = 4096
const zeros = Buffer.alloc(64 * 1024)

/**
 * The stretches of `bytes` that have to be written into a file of zeros. Only bytes that are zeros are left out,
 * whatever the holes say.
 *
 * @param offset of `bytes` in the file
 * @param holes of the file, in order; or 'any' to leave out every page of zeros
 */
export function dataStretches(bytes: Buffer, offset: number, holes: readonly Hole[] | 'any'): Stretch[] {
  const stretches: Stretch[] = []
  let from = 0
  for (const [start, end] of holes === 'any' ? zeroPages(bytes, offset) : holesWithin(bytes, offset, holes)) {
    if (start > from) stretches.push([from, start])
    from = end
  }
  if (from < bytes.length) stretches.push([from, bytes.length])
  return stretches
}

function* holesWithin(bytes: Buffer, offset: number, holes: readonly Hole[]): Generator<Stretch> {
  for (let at = firstHoleAfter(holes, offset); at < holes.length; at++) {
    const [holeOffset, holeLength] = holes[at]!
    const start = Math.max(Number(holeOffset) - offset, 0)
    if (start >= bytes.length) return
    const end = Math.min(Number(holeOffset + holeLength) - offset, bytes.length)
    if (isZeros(bytes, start, end)) yield [start, end]
  }
}

/** The first hole that ends after this offset. */
function firstHoleAfter(holes: readonly Hole[], offset: number): number {
  let low = 0
  let high = holes.length
  while (low < high) {
    const middle = (low + high) >> 1
    const [holeOffset, holeLength] = holes[middle]!
    if (holeOffset + holeLength > offset) high = middle
    else low = middle + 1
  }
  return low
}

function* zeroPages(bytes: Buffer, offset: number): Generator<Stretch> {
  for (let start = 0; start < bytes.length; ) {
    const end = Math.min(start + PAGE_BYTES - ((offset + start) % PAGE_BYTES), bytes.length)
    if (isZeros(bytes, start, end)) yield [start, end]
    start = end
  }
}

function isZeros(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += zeros.length) {
    const end = Math.min(at + zeros.length, to)
    if (bytes.compare(zeros, 0, end - at, at, end) !== 0) return false
  }
  return true
}

/** Write `length` bytes from `start` on at `position` of the file. Throws the system's errors. */
export function writeAll(fd: number, bytes: Buffer, start: number, length: number, position: number): void {
  for (let done = 0; done < length; ) {
    done += writeSync(fd, bytes, start + done, length - done, position + done)
  }
}
