import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chunkerOf } from '../../src/chunker/chunker.ts'
import type { Chunker, ChunkerParameters } from '../../src/chunker/index.ts'
import { createChunker, parametersForAverage } from '../../src/chunker/index.ts'
import { createPlainCutter } from '../../src/chunker/plain-cutter.ts'
import { deriveTable } from '../../src/chunker/table.ts'

const KIB = 1024
const MIB = 1024 * KIB
const key = Buffer.alloc(32, 'a key for the chunker')
const small = parametersForAverage(4 * KIB)
const chunker = createChunker(small, key)
const twin = plainChunker(small, key)

function plainChunker(parameters: ChunkerParameters, ofKey: Uint8Array): Chunker {
  return chunkerOf(
    parameters,
    createPlainCutter({ table: deriveTable(ofKey), windowBytes: 4 * MIB, endCount: (4 * MIB) / 64 + 1 }),
  )
}

/** Ends of all chunks of a segment, read with these sizes in turn and again from the first. */
function cutAll(
  by: Chunker,
  bytes: Uint8Array,
  readSizes: readonly number[],
  segmentOffsetBytes = 0,
): number[] {
  const ends: number[] = []
  let filled = 0
  let cutUpTo = 0
  for (let at = 0, read = 0; at < bytes.length; read++) {
    const size = Math.min(readSizes[read % readSizes.length]!, bytes.length - at, by.window.length - filled)
    by.window.set(bytes.subarray(at, at + size), filled)
    at += size
    filled += size
    const count = by.cut(filled, at === bytes.length, segmentOffsetBytes)
    for (const end of by.ends.subarray(0, count)) ends.push(cutUpTo + end)
    const used = count === 0 ? 0 : by.ends[count - 1]!
    cutUpTo += used
    filled = by.keep(used, filled)
    expect(filled).toBeLessThan(small.maximumBytes * 2 ** small.growth.doublings)
  }
  expect(filled).toBe(0)
  return ends
}

const oneRead = [64 * MIB]

/** Bytes with much and little variety: noise, one byte repeated, a short pattern repeated; a few of them in a row. */
const contents: fc.Arbitrary<Buffer> = fc
  .array(
    fc.record({
      seed: fc.integer({ min: 1 }),
      kind: fc.constantFrom('noise', 'repeated', 'letters'),
      sizeBytes: fc.integer({ min: 0, max: 60_000 }),
      pattern: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    }),
    { maxLength: 4 },
  )
  .map((parts) =>
    Buffer.concat(
      parts.map(({ seed, kind, sizeBytes, pattern }) =>
        kind === 'repeated'
          ? Buffer.alloc(sizeBytes, pattern)
          : noise(sizeBytes, seed, kind === 'letters' ? 4 : 256),
      ),
    ),
  )

/** Noise of so many different bytes (a power of two), the same for the same seed. */
function noise(sizeBytes: number, seed: number, variety: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  let state = seed
  for (let at = 0; at < sizeBytes; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = (state >>> 8) & (variety - 1)
  }
  return bytes
}

test('chunks cover the whole content in order, and all but the last keep the bounds', () => {
  fc.assert(
    fc.property(contents, (bytes) => {
      const ends = cutAll(chunker, bytes, oneRead)
      expect(ends.at(-1) ?? 0).toBe(bytes.length)
      let start = 0
      for (const [at, end] of ends.entries()) {
        expect(end - start).toBeLessThanOrEqual(small.maximumBytes)
        expect(end - start).toBeGreaterThanOrEqual(at === ends.length - 1 ? 1 : small.minimumBytes)
        start = end
      }
    }),
  )
})

test('WebAssembly and its plain twin cut alike, for any parameters, key and offset', () => {
  const parameters = fc
    .record({
      averageBits: fc.integer({ min: 12, max: 16 }),
      minimumShare: fc.double({ min: 0, max: 1, noNaN: true }),
      maximumTimes: fc.double({ min: 2, max: 16, noNaN: true }),
      doublings: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ averageBits, minimumShare, maximumTimes, doublings }): ChunkerParameters => {
      const averageBytes = 2 ** averageBits
      return {
        algorithm: 'gear-nc-1',
        minimumBytes: 64 + Math.floor((averageBytes / 2 - 64) * minimumShare),
        averageBytes,
        maximumBytes: Math.floor(averageBytes * maximumTimes),
        growth: { fromBytes: 64 * MIB, ratio: 2, doublings },
      }
    })
  const keys = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const offsets = fc.integer({ min: 0, max: 8 }).map((segments) => segments * 64 * MIB)
  fc.assert(
    fc.property(contents, parameters, keys, offsets, (bytes, some, someKey, offset) => {
      const fast = createChunker(some, someKey)
      expect(fast.engine).toBe('webassembly')
      const plain = plainChunker(some, someKey)
      for (const by of [fast, plain]) by.window.set(bytes)
      for (const last of [false, true]) {
        const counts = [fast, plain].map((by) => by.cut(bytes.length, last, offset))
        expect(counts[0]).toBe(counts[1])
        expect([...fast.ends.subarray(0, counts[0])]).toEqual([...plain.ends.subarray(0, counts[1])])
      }
    }),
    { numRuns: 40 },
  )
})

test('cuts are the same however the content is read', () => {
  const readSizes = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 1, max: 8 * MIB })),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  fc.assert(
    fc.property(contents, readSizes, (bytes, sizes) => {
      const expected = cutAll(chunker, bytes, oneRead)
      expect(cutAll(chunker, bytes, sizes)).toEqual(expected)
      expect(cutAll(twin, bytes, sizes)).toEqual(expected)
    }),
    { numRuns: 60 },
  )
})

test('cuts are the same for content longer than the window, and read byte by byte', () => {
  const long = noise(11 * MIB, 77, 256)
  expect(cutAll(chunker, long, [8 * MIB])).toEqual(cutAll(chunker, long, [100_003, 1, 3 * MIB]))
  const short = noise(40_000, 78, 256)
  expect(cutAll(chunker, short, [1])).toEqual(cutAll(chunker, short, oneRead))
})

/** Cuts of the edited content that its base does not have at the same place of the content. */
function movedCuts(
  base: Buffer,
  before: readonly number[],
  edit: { at: number; removed: number; inserted: Uint8Array },
) {
  const { at, removed, inserted } = edit
  const edited = Buffer.concat([base.subarray(0, at), inserted, base.subarray(at + removed)])
  const known = new Set(before.map((end) => (end <= at ? end : end + inserted.length - removed)))
  return cutAll(chunker, edited, oneRead).filter((end) => !known.has(end)).length
}

test('an insertion or a deletion moves few cuts', () => {
  const base = noise(MIB, 4711, 256)
  const before = cutAll(chunker, base, oneRead)
  const edits = fc.record({
    at: fc.integer({ min: 0, max: base.length - 1 }),
    removed: fc.integer({ min: 0, max: 3_000 }),
    inserted: fc.uint8Array({ maxLength: 3_000 }),
  })
  // A fixed sample: how soon old cuts are found again is a matter of chance, with a tail that gets thinner.
  const moved = fc.sample(edits, { numRuns: 300, seed: 1 }).map((edit) => movedCuts(base, before, edit))
  expect(before.length).toBeGreaterThan(200)
  expect(Math.max(...moved)).toBeLessThan(16)
  expect(moved.reduce((sum, count) => sum + count, 0) / moved.length).toBeLessThan(1.5)
})

test('one byte changed leaves all but at most three chunks of the longest length as they were', () => {
  const base = noise(MIB, 1234, 256)
  const idsOf = (content: Buffer) => {
    const ends = cutAll(chunker, content, oneRead)
    return ends.map((end, at) => content.toString('latin1', ends[at - 1] ?? 0, end))
  }
  const known = new Set(idsOf(base))
  for (const at of fc.sample(fc.integer({ min: 0, max: base.length - 1 }), { numRuns: 60, seed: 2 })) {
    const edited = Buffer.from(base)
    edited[at] = ~edited[at]! & 255
    const added = idsOf(edited).filter((chunk) => !known.has(chunk))
    expect(added.length).toBeGreaterThan(0)
    expect(added.reduce((sum, chunk) => sum + chunk.length, 0)).toBeLessThanOrEqual(3 * small.maximumBytes)
  }
})

test('another key cuts elsewhere', () => {
  const base = noise(300_000, 99, 256)
  const cuts = new Set(cutAll(chunker, base, oneRead).slice(0, -1))
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (otherKey) => {
      fc.pre(Buffer.compare(otherKey, key) !== 0)
      const common = cutAll(createChunker(small, otherKey), base, oneRead)
        .slice(0, -1)
        .filter((end) => cuts.has(end))
      expect(common.length).toBeLessThan(cuts.size / 10)
    }),
    { numRuns: 20 },
  )
})
