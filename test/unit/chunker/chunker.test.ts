import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { chunkerOf } from '../../../src/chunker/chunker.ts'
import type { ChunkerParameters } from '../../../src/chunker/index.ts'
import {
  createChunker,
  defaultParameters,
  parametersForAverage,
  segmentBytes,
} from '../../../src/chunker/index.ts'
import { createPlainCutter } from '../../../src/chunker/plain-cutter.ts'
import { deriveTable } from '../../../src/chunker/table.ts'
import { createWebAssemblyCutter } from '../../../src/chunker/webassembly-cutter.ts'

const MIB = 1024 * 1024
const key = Buffer.alloc(32, 'a key for the chunker')

/** Pseudo-random bytes, the same in every run. */
function seededBytes(count: number, seed: number): Buffer {
  const bytes = Buffer.alloc(count)
  let state = seed
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[at] = state >>> 24
  }
  return bytes
}

test('the WebAssembly is built, so that the tests hold it against its twin', () => {
  expect(existsSync(new URL('../../../dist/chunker/gear.wasm', import.meta.url))).toBe(true)
  expect(createChunker(defaultParameters, key).engine).toBe('webassembly')
})

/** Held so that no change of code or table moves a cut in repositories that exist. */
const ENDS: readonly number[] = [
  18913, 24238, 42503, 56966, 73091, 89460, 108465, 122958, 136381, 150291, 177732, 200000,
]

test('cuts are the ones of format 1, in both engines', () => {
  const options = { table: deriveTable(key), windowBytes: 4 * MIB, endCount: 2048 }
  const cutters = [createPlainCutter(options), createWebAssemblyCutter(options)!]
  const bytes = seededBytes(200_000, 1)
  const ends = cutters.map((cutter) => {
    const chunker = chunkerOf(defaultParameters, cutter)
    chunker.window.set(bytes)
    return [...chunker.ends.subarray(0, chunker.cut(bytes.length, true, 0))]
  })
  expect(ends[0]).toEqual(ENDS)
  expect(ends[1]).toEqual(ENDS)
})

test('an empty file has no chunk, and a short one is one chunk without a scan', () => {
  const chunker = createChunker(defaultParameters, key)
  expect(chunker.cut(0, true, 0)).toBe(0)
  for (const sizeBytes of [1, 31, 32, defaultParameters.minimumBytes]) {
    expect(chunker.cut(sizeBytes, false, 0)).toBe(0)
    expect(chunker.cut(sizeBytes, true, 0)).toBe(1)
    expect(chunker.ends[0]).toBe(sizeBytes)
  }
})

test('more than the window holds is refused', () => {
  const chunker = createChunker(defaultParameters, key)
  expect(() => chunker.cut(chunker.window.length + 1, true, 0)).toThrow('window')
})

test('the window and the ends have room for the smallest and the largest parameters', () => {
  const smallest: ChunkerParameters = { ...parametersForAverage(4096), minimumBytes: 64 }
  for (const parameters of [smallest, parametersForAverage(MIB)]) {
    const chunker = createChunker(parameters, key)
    const longest = parameters.maximumBytes * 2 ** parameters.growth.doublings
    expect(chunker.window.length).toBeGreaterThanOrEqual(Math.max(4 * MIB, 2 * longest))
    expect(chunker.window.length).toBeLessThanOrEqual(8 * MIB)
    expect(chunker.ends.length * parameters.minimumBytes).toBeGreaterThanOrEqual(chunker.window.length)
    randomBytes(chunker.window.length).copy(chunker.window)
    const count = chunker.cut(chunker.window.length, true, 0)
    expect(chunker.ends[count - 1]).toBe(chunker.window.length)
  }
})

test('random data have chunks of the average asked for, and of its double further on in a file', () => {
  const chunker = createChunker(defaultParameters, key)
  const { averageBytes, growth } = defaultParameters
  const offsets = [0, growth.fromBytes, growth.fromBytes * growth.ratio]
  for (const [doublings, offset] of offsets.entries()) {
    let count = 0
    for (let run = 0; run < 8; run++) {
      seededBytes(chunker.window.length, run * 7919 + 1).copy(chunker.window)
      count += chunker.cut(chunker.window.length, true, offset)
    }
    const meanBytes = (chunker.window.length * 8) / count
    expect(meanBytes / (averageBytes * 2 ** doublings)).toBeGreaterThan(0.9)
    expect(meanBytes / (averageBytes * 2 ** doublings)).toBeLessThan(1.1)
  }
})

test('a file that grows past a step keeps the chunks of its full segments', () => {
  const { growth } = defaultParameters
  const chunker = createChunker(defaultParameters, key)
  seededBytes(MIB, 5).copy(chunker.window)
  const cutAt = (offset: number) => [...chunker.ends.subarray(0, chunker.cut(MIB, true, offset))]
  expect(cutAt(growth.fromBytes - segmentBytes)).not.toEqual(cutAt(growth.fromBytes))
  expect(cutAt(growth.fromBytes)).toEqual(cutAt(growth.fromBytes * growth.ratio - segmentBytes))
})

test('keep() moves the rest to the front', () => {
  const chunker = createChunker(defaultParameters, key)
  const bytes = seededBytes(100_000, 3)
  chunker.window.set(bytes)
  expect(chunker.keep(30_000, 100_000)).toBe(70_000)
  expect(Buffer.compare(chunker.window.subarray(0, 70_000), bytes.subarray(30_000))).toBe(0)
  expect(chunker.keep(70_000, 70_000)).toBe(0)
})

test('repetition gives equal chunks, whatever their length', () => {
  const chunker = createChunker(defaultParameters, key)
  const { minimumBytes, maximumBytes } = defaultParameters
  for (const pattern of [[0], [255], [1, 2, 3], [...seededBytes(700, 9)]]) {
    chunker.window.set(Buffer.alloc(MIB, Buffer.from(pattern)))
    const count = chunker.cut(MIB, true, 0)
    const ends = [0, ...chunker.ends.subarray(0, count)]
    const lengths = ends.slice(1, -1).map((end, at) => end - ends[at]!)
    expect(lengths.every((length) => length >= minimumBytes && length <= maximumBytes)).toBe(true)
    if (pattern.length === 1) expect(new Set(lengths).size).toBe(1)
  }
})
