import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { compareIds, copyBytes, ENTRY_BYTES, type EntryCursor } from './entries.ts'

/** Bytes read ahead of each run while merging; a whole number of entries. */
const WINDOW_BYTES = 1424 * ENTRY_BYTES
const WRITE_BYTES = 4096 * ENTRY_BYTES

/** Sorted runs of entries in a temporary file, and records to be read back once in order. */
export interface RunFile {
  /** Write entries as one run, in this order. */
  addRun(bytes: Buffer, order: Uint32Array): void
  addRecord(record: Uint8Array): void
  /** All entries of all runs by id, those of one id together. */
  merge(): EntryCursor
  records(): Generator<Buffer>
  close(): void
}

/** The file has no name from the start, so nothing is left of it whatever happens. */
export function createRunFile(directory: string): RunFile {
  const entries = openUnnamed(directory)
  const others = openUnnamed(directory)
  const runEnds: number[] = []
  let entriesBytes = 0
  let recordsBytes = 0
  return {
    addRun(bytes, order) {
      const block = Buffer.allocUnsafe(Math.min(WRITE_BYTES, order.length * ENTRY_BYTES))
      let used = 0
      const flush = () => {
        writeWhole(entries, block.subarray(0, used), entriesBytes)
        entriesBytes += used
        used = 0
      }
      for (const place of order) {
        if (used === block.length) flush()
        copyBytes(bytes, place * ENTRY_BYTES, block, used, ENTRY_BYTES)
        used += ENTRY_BYTES
      }
      flush()
      runEnds.push(entriesBytes)
    },
    addRecord(record) {
      const framed = Buffer.allocUnsafe(4 + record.length)
      framed.writeUInt32LE(record.length, 0)
      framed.set(record, 4)
      writeWhole(others, framed, recordsBytes)
      recordsBytes += framed.length
    },
    merge() {
      const heap: Run[] = []
      runEnds.forEach((end, number) => {
        const run = openRun(entries, number === 0 ? 0 : runEnds[number - 1]!, end)
        if (run.next()) push(heap, run)
      })
      let hasBegun = false
      return {
        get bytes() {
          return heap[0]!.window
        },
        get at() {
          return heap[0]!.at
        },
        next() {
          if (hasBegun && heap.length > 0) {
            if (heap[0]!.next()) sink(heap)
            else pop(heap)
          }
          hasBegun = true
          return heap.length > 0
        },
      }
    },
    *records() {
      const length = Buffer.allocUnsafe(4)
      for (let at = 0; at < recordsBytes; ) {
        readWhole(others, length, at)
        const record = Buffer.allocUnsafe(length.readUInt32LE(0))
        readWhole(others, record, at + 4)
        at += 4 + record.length
        yield record
      }
    },
    close() {
      closeSync(entries)
      closeSync(others)
    },
  }
}

/** One run while it is merged: the entry at `at` of `window` is its least. */
interface Run {
  readonly window: Buffer
  at: number
  /** The first 48 bits of its id: comparing numbers is many times faster than comparing ids. */
  prefix: number
  /** Go to the next entry; false at the end. */
  next(): boolean
}

function openRun(fd: number, start: number, end: number): Run {
  const window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, end - start))
  let position = start
  let filled = 0
  return {
    window,
    at: -ENTRY_BYTES,
    prefix: 0,
    next() {
      this.at += ENTRY_BYTES
      if (this.at >= filled) {
        filled = Math.min(window.length, end - position)
        if (filled === 0) return false
        readWhole(fd, window.subarray(0, filled), position)
        position += filled
        this.at = 0
      }
      this.prefix = window.readUIntBE(this.at, 6)
      return true
    },
  }
}

function isBefore(left: Run, right: Run): boolean {
  if (left.prefix !== right.prefix) return left.prefix < right.prefix
  return compareIds(left.window, left.at, right.window, right.at) < 0
}

function push(heap: Run[], run: Run): void {
  let at = heap.length
  for (heap.push(run); at > 0; ) {
    const parent = (at - 1) >> 1
    if (!isBefore(run, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = run
}

/** Restore the order after the first run went on. */
function sink(heap: Run[]): void {
  const run = heap[0]!
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (!isBefore(heap[child]!, run)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = run
}

function pop(heap: Run[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  heap[0] = last
  sink(heap)
}

function openUnnamed(directory: string): number {
  const path = join(directory, `run-${randomBytes(8).toString('hex')}`)
  const fd = openSync(path, 'wx+', 0o600)
  rmSync(path)
  return fd
}

function writeWhole(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at)
}

function readWhole(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, bytes.length - at, position + at)
    if (count === 0) throw new Error('a temporary file of the index is shorter than what was written to it')
    at += count
  }
}
