import { expect, test } from 'vitest'
import {
  chunkId,
  fromHex,
  ID_BYTES,
  parseFileId,
  parseSessionId,
  toHex,
} from '../../../src/encoding/index.ts'

test('chunkId() borrows 32 bytes and takes no other length', () => {
  const bytes = Buffer.alloc(ID_BYTES, 3)
  expect(chunkId(bytes)).toBe(bytes)
  for (const length of [0, 31, 33, 64]) {
    expect(() => chunkId(Buffer.alloc(length))).toThrow(`not ${length}`)
  }
})

const digits = '0123456789abcdef'
test.each([
  { name: 'file', parse: parseFileId as (text: string) => string | undefined, length: 64 },
  { name: 'session', parse: parseSessionId as (text: string) => string | undefined, length: 32 },
])('a $name id is exactly $length lower-case hex digits', ({ parse, length }) => {
  const good = digits.repeat(4).slice(0, length)
  expect(parse(good)).toBe(good)
  const bad = [
    '',
    good.slice(1),
    `${good}0`,
    good.toUpperCase(),
    `${good.slice(1)}g`,
    `${good}\n`,
    ` ${good.slice(1)}`,
    `../${good.slice(3)}`,
    `${good.slice(1)}\u0661`,
  ]
  for (const text of bad) expect(parse(text)).toBeUndefined()
})

test('toHex() honours the offset of a view; fromHex() undoes it', () => {
  const view = new Uint8Array([0xff, 0x00, 0x0a, 0xf0, 0xff]).subarray(1, 4)
  expect(toHex(view)).toBe('000af0')
  expect([...fromHex('000af0')]).toEqual([0, 10, 240])
})
