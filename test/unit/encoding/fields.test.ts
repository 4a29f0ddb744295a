import { describe, expect, test } from 'vitest'
import { byteStrings, Fields, texts, type Value } from '../../../src/encoding/index.ts'

const damaged = (message: RegExp): object =>
  expect.objectContaining({ code: 'DAMAGED', message: expect.stringMatching(message) })

const one = (value: Value): Fields => new Fields([value], 'thing', 1)

describe('a record', () => {
  test.each([[undefined], [null], [1], ['ab'], [Buffer.alloc(1)], [2n], [true]])('is not %s', (value) => {
    expect(() => new Fields(value, 'thing', 1)).toThrow(damaged(/thing is not a record/))
  })

  test('has exactly its number of fields', () => {
    for (const value of [[], [1], [1, 2, 3]]) {
      expect(() => new Fields(value, 'thing', 2)).toThrow(damaged(/thing has \d fields, not 2/))
    }
    expect(new Fields([1, 2], 'thing', 2).uint(1)).toBe(2)
  })
})

const every: Value[] = [null, true, 7, -7, 7n, -7n, 'text', Buffer.from('bytes'), [1], 2 ** 32]
/** Accessors with the values of `every` that they take; anything else has to be refused. */
const accessors: { name: string; read: (fields: Fields) => unknown; takes: Value[] }[] = [
  { name: 'uint', read: (f) => f.uint(0), takes: [7] },
  { name: 'int', read: (f) => f.int(0, -10, 10), takes: [7, -7] },
  { name: 'bigint', read: (f) => f.bigint(0), takes: [7n, -7n] },
  { name: 'size', read: (f) => BigInt(f.size(0)), takes: [7n] },
  { name: 'boolean', read: (f) => f.boolean(0), takes: [true] },
  { name: 'bytes', read: (f) => f.bytes(0, 5), takes: [every[7]!] },
  { name: 'exactBytes', read: (f) => f.exactBytes(0, 5), takes: [every[7]!] },
  { name: 'text', read: (f) => f.text(0), takes: ['text'] },
  { name: 'array', read: (f) => f.array(0, 1), takes: [every[8]!] },
]

test.each(accessors)('$name() takes its type only and names the field', ({ read, takes }) => {
  for (const value of every) {
    if (takes.includes(value)) expect(read(one(value))).toBe(value)
    else expect(() => read(one(value))).toThrow(damaged(/^thing, field 0: not /))
  }
})

test('isNull() is true for null alone', () => {
  expect(every.filter((value) => one(value).isNull(0))).toEqual([null])
})

test.each([
  ['uint', (f: Fields) => f.uint(0, 5), [0, 5], [-1, 6, 0.5, Number.NaN, Number.POSITIVE_INFINITY]],
  ['int', (f: Fields) => f.int(0, -3, 5), [-3, 0, 5], [-4, 6, 0.5, Number.NaN]],
  ['bigint', (f: Fields) => f.bigint(0, 2n), [2n, 2n ** 64n - 1n], [1n, -(2n ** 63n)]],
  ['bytes', (f: Fields) => f.bytes(0, 2), [Buffer.alloc(0), Buffer.alloc(2)], [Buffer.alloc(3)]],
  ['exactBytes', (f: Fields) => f.exactBytes(0, 2), [Buffer.alloc(2)], [Buffer.alloc(1), Buffer.alloc(3)]],
  ['text', (f: Fields) => f.text(0, 2), ['', 'ab', '\u{1f600}'], ['abc']],
  ['array', (f: Fields) => f.array(0, 2), [[], [1, 2]], [[1, 2, 3]]],
] as [string, (fields: Fields) => unknown, Value[], Value[]][])(
  '%s() holds its bounds',
  (_, read, good, bad) => {
    for (const value of good) expect(read(one(value))).toBe(value)
    for (const value of bad) expect(() => read(one(value))).toThrow(damaged(/thing, field 0/))
  },
)

test('size() ends at the largest whole number', () => {
  expect(one(2n ** 53n - 1n).size(0)).toBe(Number.MAX_SAFE_INTEGER)
  expect(() => one(2n ** 53n).size(0)).toThrow(damaged(/a size/))
})

test('uint() of 32 bits by default', () => {
  expect(one(0xffffffff).uint(0)).toBe(0xffffffff)
})

test('a field that is not there is damage, not undefined', () => {
  const fields = new Fields([], 'thing', 0)
  for (const { read } of accessors) expect(() => read(fields)).toThrow(damaged(/thing, field 0/))
})

test('texts() and byteStrings() check every value and length', () => {
  expect(texts(['a', ''], 'tags', 1)).toEqual(['a', ''])
  expect(() => texts(['a', 1], 'tags')).toThrow(damaged(/^tags/))
  expect(() => texts(['ab'], 'tags', 1)).toThrow(damaged(/^tags/))
  const bytes = Buffer.from('a')
  expect(byteStrings([bytes], 'paths', 1)[0]).toBe(bytes)
  expect(() => byteStrings(['a'], 'paths')).toThrow(damaged(/^paths/))
  expect(() => byteStrings([Buffer.alloc(2)], 'paths', 1)).toThrow(damaged(/^paths/))
})
