import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dataStretches } from '../../../src/restore/sparse.ts'
import type { Hole } from '../../../src/tree/index.ts'

const PAGE = 4096

/** Bytes of alternating runs of zeros and of others. */
const runs = fc
  .array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 3 * PAGE })), { maxLength: 8 })
  .map((list) => Buffer.concat(list.map(([isZero, length]) => Buffer.alloc(length, isZero ? 0 : 0xa5))))
/** Holes in order that do not touch, from lengths of gaps and holes. */
const holes = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 2 * PAGE }), fc.integer({ min: 1, max: 3 * PAGE })), {
    maxLength: 8,
  })
  .map((list) => {
    let end = 0
    return list.map(([gap, length]): Hole => {
      const offset = end + gap
      end = offset + length
      return [BigInt(offset), BigInt(length)]
    })
  })
const offset = fc.integer({ min: 0, max: 4 * PAGE })

function written(bytes: Buffer, at: number, left: readonly Hole[] | 'any'): Buffer {
  const result = Buffer.alloc(bytes.length)
  let last = -1
  for (const [from, to] of dataStretches(bytes, at, left)) {
    expect(from).toBeGreaterThan(last)
    expect(to).toBeGreaterThan(from)
    bytes.copy(result, from, from, to)
    last = to
  }
  return result
}

describe('dataStretches()', () => {
  test('loses nothing but zeros, whatever the holes say', () => {
    fc.assert(
      fc.property(runs, offset, fc.oneof(holes, fc.constant('any' as const)), (bytes, at, left) => {
        expect(written(bytes, at, left).equals(bytes)).toBe(true)
      }),
    )
  })

  test('leaves out every whole page of zeros, at multiples of a page in the file', () => {
    fc.assert(
      fc.property(runs, offset, (bytes, at) => {
        const kept = Buffer.alloc(bytes.length)
        for (const [from, to] of dataStretches(bytes, at, 'any')) kept.fill(1, from, to)
        for (let start = PAGE - (at % PAGE); start + PAGE <= bytes.length; start += PAGE) {
          const isZero = bytes.subarray(start, start + PAGE).every((byte) => byte === 0)
          expect(kept[start] === 0).toBe(isZero)
        }
      }),
    )
  })

  test('leaves out exactly the holes that are zeros', () => {
    const bytes = Buffer.alloc(100)
    bytes.fill(1, 0, 10)
    bytes[60] = 1
    const known: Hole[] = [
      [990n, 5n],
      [1010n, 20n],
      [1050n, 20n],
      [1080n, 500n],
    ]
    expect(dataStretches(bytes, 1000, known)).toEqual([
      [0, 10],
      [30, 80],
    ])
  })

  test('nothing to leave out: one stretch; nothing at all: none', () => {
    expect(dataStretches(Buffer.alloc(10, 1), 0, 'any')).toEqual([[0, 10]])
    expect(dataStretches(Buffer.alloc(0), 0, 'any')).toEqual([])
    expect(dataStretches(Buffer.alloc(10), 0, [])).toEqual([[0, 10]])
  })
})
