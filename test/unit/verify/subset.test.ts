import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FileId } from '../../../src/encoding/index.ts'
import { hasCode } from '../../../src/errors/index.ts'
import type { StoredPack } from '../../../src/repository/index.ts'
import type { Subset } from '../../../src/verify/options.ts'
import { checkSubset, chooseSubset } from '../../../src/verify/subset.ts'

const packs: fc.Arbitrary<StoredPack[]> = fc
  .uniqueArray(fc.stringMatching(/^[0-9a-f]{64}$/), { maxLength: 60 })
  .chain((ids) =>
    fc
      .array(fc.integer({ min: 1, max: 1000 }), { minLength: ids.length, maxLength: ids.length })
      .map((sizes) => ids.map((id, at) => ({ kind: 'data', id: id as FileId, sizeBytes: sizes[at]! }))),
  )
const random = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))
const nextOf = (stream: Iterator<number>) => (): number => stream.next().value as number

describe('chooseSubset()', () => {
  test('all parts together are every pack, each in one part', () => {
    fc.assert(
      fc.property(packs, fc.integer({ min: 1, max: 12 }), (all, total) => {
        const parts = Array.from({ length: total }, (_, at) =>
          chooseSubset(all, { kind: 'part', number: at + 1, total }),
        )
        expect(parts.flatMap((part) => [...part]).sort()).toEqual(all.map(({ id }) => id).sort())
      }),
    )
  })

  test('a percentage is that share of the packs, rounded up', () => {
    fc.assert(
      fc.property(packs, fc.integer({ min: 1, max: 100 }), random, (all, percent, stream) => {
        const chosen = chooseSubset(all, { kind: 'percent', percent }, nextOf(stream))
        expect(chosen.size).toBe(Math.ceil((all.length * percent) / 100))
        for (const id of chosen) expect(all.some((pack) => pack.id === id)).toBe(true)
      }),
    )
  })

  test('a size is reached, and without its last pack it is not', () => {
    fc.assert(
      fc.property(packs, fc.integer({ min: 1, max: 20_000 }), random, (all, bytes, stream) => {
        const chosen = [...chooseSubset(all, { kind: 'bytes', bytes }, nextOf(stream))]
        const sizes = chosen.map((id) => all.find((pack) => pack.id === id)!.sizeBytes)
        const sum = sizes.reduce((total, size) => total + size, 0)
        if (chosen.length < all.length) expect(sum).toBeGreaterThanOrEqual(bytes)
        expect(sum - (sizes.at(-1) ?? 0)).toBeLessThan(bytes)
      }),
    )
  })

  test('random subsets come to every pack', () => {
    const all = ['a', 'b', 'c'].map((digit) => ({
      kind: 'data' as const,
      id: digit.repeat(64) as FileId,
      sizeBytes: 1,
    }))
    const met = new Set<FileId>()
    for (let at = 0; at < 30; at++)
      for (const id of chooseSubset(all, { kind: 'percent', percent: 1 }, () => ((at * 7) % 30) / 30))
        met.add(id)
    expect(met.size).toBe(3)
  })
})

describe('checkSubset()', () => {
  const impossible: Subset[] = [
    { kind: 'part', number: 0, total: 3 },
    { kind: 'part', number: 4, total: 3 },
    { kind: 'part', number: 1.5, total: 3 },
    { kind: 'part', number: 1, total: 2.5 },
    { kind: 'part', number: Number.NaN, total: 3 },
    { kind: 'percent', percent: 0 },
    { kind: 'percent', percent: 101 },
    { kind: 'percent', percent: Number.NaN },
    { kind: 'bytes', bytes: 0 },
    { kind: 'bytes', bytes: -1 },
  ]

  test.each(impossible)('refuses %o', (subset) => {
    let error: unknown
    try {
      checkSubset(subset)
    } catch (thrown) {
      error = thrown
    }
    expect(hasCode(error, 'USAGE')).toBe(true)
  })

  test('takes the edges', () => {
    checkSubset({ kind: 'part', number: 3, total: 3 })
    checkSubset({ kind: 'percent', percent: 100 })
    checkSubset({ kind: 'percent', percent: 0.5 })
    checkSubset({ kind: 'bytes', bytes: 1 })
  })
})
