import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CutSizes } from '../../../src/chunker/cutter.ts'
import { createPlainCutter } from '../../../src/chunker/plain-cutter.ts'
import { deriveTable } from '../../../src/chunker/table.ts'
import { createWebAssemblyCutter } from '../../../src/chunker/webassembly-cutter.ts'

const table = deriveTable(Buffer.alloc(32, 'a key for the chunker'))
const options = { table, windowBytes: 64 * 1024, endCount: 64 * 1024 }
const cutters = [createPlainCutter(options), createWebAssemblyCutter(options)!]

/** The hash of the 32 bytes before an offset, as the rule in `CutSizes` states it. */
function hashBefore(bytes: Uint8Array, end: number): number {
  let hash = 0n
  for (let distance = 0; distance < 32; distance++) {
    hash += BigInt(table[bytes[end - 1 - distance]!]!) << BigInt(distance)
  }
  return Number(hash % 2n ** 32n)
}

/** The rule in `CutSizes`, word by word, for a whole segment. */
function endsByRule(bytes: Uint8Array, sizes: CutSizes): number[] {
  const hashes = Array.from(bytes, (_, at) => (at < 31 ? 0 : hashBefore(bytes, at + 1)))
  const ends: number[] = []
  for (let start = 0; start < bytes.length; start = ends.at(-1)!) {
    const candidates = Array.from(bytes.keys(), (at) => at + 1).filter(
      (end) => end > start && end <= bytes.length,
    )
    const strict = candidates.find(
      (end) =>
        end >= start + sizes.minimumBytes &&
        end <= start + sizes.normalBytes &&
        hashes[end - 1]! < sizes.strictLimit,
    )
    const loose = candidates.find(
      (end) =>
        end > start + sizes.normalBytes &&
        end < start + sizes.maximumBytes &&
        hashes[end - 1]! < sizes.looseLimit,
    )
    ends.push(strict ?? loose ?? Math.min(start + sizes.maximumBytes, bytes.length))
  }
  return ends
}

test('both cutters follow the rule word by word, however small its sizes', () => {
  const sizes = fc
    .record({
      minimumBytes: fc.integer({ min: 32, max: 80 }),
      normalMore: fc.integer({ min: 0, max: 100 }),
      maximumMore: fc.integer({ min: 1, max: 200 }),
      strictBits: fc.integer({ min: 20, max: 31 }),
      looseBits: fc.integer({ min: 20, max: 31 }),
    })
    .map(({ minimumBytes, normalMore, maximumMore, strictBits, looseBits }) => ({
      minimumBytes,
      normalBytes: minimumBytes + normalMore,
      maximumBytes: minimumBytes + normalMore + maximumMore,
      strictLimit: 2 ** strictBits,
      looseLimit: 2 ** looseBits,
    }))
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 1_500, size: 'max' }),
    fc
      .array(fc.integer({ min: 0, max: 2 }), { maxLength: 1_500, size: 'max' })
      .map((few) => Uint8Array.from(few)),
  )
  fc.assert(
    fc.property(contents, sizes, (bytes, some) => {
      const expected = endsByRule(bytes, some)
      for (const cutter of cutters) {
        cutter.window.set(bytes)
        const count = cutter.cut(bytes.length, true, some)
        expect([...cutter.ends.subarray(0, count)]).toEqual(expected)
      }
    }),
  )
})

test('the longest chunk ends as soon as it is there, and what is left is always shorter', () => {
  const sizes = { minimumBytes: 64, normalBytes: 100, maximumBytes: 400, strictLimit: 0, looseLimit: 0 }
  for (const cutter of cutters) {
    expect(cutter.cut(399, false, sizes)).toBe(0)
    expect(cutter.cut(400, false, sizes)).toBe(1)
    expect(cutter.cut(1_199, false, sizes)).toBe(2)
    expect([...cutter.ends.subarray(0, cutter.cut(1_200, false, sizes))]).toEqual([400, 800, 1_200])
    expect([...cutter.ends.subarray(0, cutter.cut(1_201, true, sizes))]).toEqual([400, 800, 1_200, 1_201])
  }
})
