import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeValue } from '../../../src/encoding/index.ts'
import { boundaryHash, splitIds } from '../../../src/tree/index.ts'
import { parsePage } from '../../../src/tree/pages.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })

/** The definition in whole numbers: FNV-1a, begun with the level, then the finaliser of MurmurHash3. */
function hashByDefinition(key: Uint8Array, level: number): number {
  const mask = 0xffffffffn
  let hash = 0x811c9dc5n ^ ((BigInt(level) * 0x9e3779b1n) & mask)
  for (const byte of key) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & mask
  hash ^= hash >> 16n
  hash = (hash * 0x85ebca6bn) & mask
  hash ^= hash >> 13n
  hash = (hash * 0xc2b2ae35n) & mask
  return Number(hash ^ (hash >> 16n))
}

test('boundaryHash() is its definition: stored trees depend on it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(12), (key, level) => {
      expect(boundaryHash(key, level)).toBe(hashByDefinition(key, level))
    }),
    { numRuns: 2000 },
  )
  expect(boundaryHash(Buffer.from('name'), 0)).not.toBe(boundaryHash(Buffer.from('name'), 1))
})

test.each([
  ['numbered names', (index: number) => Buffer.from(`file-${String(index).padStart(8, '0')}.jpg`)],
  ['short numbers', (index: number) => Buffer.from(String(index))],
  ['two bytes', (index: number) => Buffer.from([index >> 8, index & 0xff])],
])('boundaries come once in 192 for %s, at every level', (_, key) => {
  for (const level of [0, 1, 2]) {
    let boundaries = 0
    const count = 60_000
    for (let index = 0; index < count; index++) if (boundaryHash(key(index), level) % 192 === 0) boundaries++
    // 312 expected; six standard deviations are 106.
    expect(Math.abs(boundaries - count / 192)).toBeLessThan(106)
  }
})

test('parsePage() checks the level and the shape', () => {
  const page = (level: number): Buffer => encodeValue([level, []])
  expect(parsePage(page(0), undefined)).toEqual({ level: 0, body: [] })
  expect(parsePage(page(12), 12).level).toBe(12)
  expect(() => parsePage(page(1), 0)).toThrow(damaged)
  expect(() => parsePage(page(13), undefined)).toThrow(damaged)
  for (const value of [null, [], [0], [0, [], 0], ['0', []], [-1, []]]) {
    expect(() => parsePage(encodeValue(value), undefined)).toThrow(damaged)
  }
  expect(() => parsePage(Buffer.alloc(0), undefined)).toThrow(damaged)
  expect(() => parsePage(Buffer.concat([page(0), Buffer.alloc(1)]), undefined)).toThrow(damaged)
})

test('splitIds() gives views of 32 bytes', () => {
  const bytes = Buffer.alloc(96)
  const ids = splitIds(bytes)
  expect(ids.length).toBe(3)
  bytes[64] = 5
  expect(ids[2]![0]).toBe(5)
  expect(splitIds(Buffer.alloc(0))).toEqual([])
  for (const length of [1, 31, 33, 95]) expect(() => splitIds(Buffer.alloc(length))).toThrow(damaged)
})
