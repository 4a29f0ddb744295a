import { hkdfSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createMasterKey, deriveKey, deriveSubkeys, fileKinds, KEY_BYTES } from '../../../src/crypto/index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const range = (from: number, to: number): Buffer =>
  Buffer.from(Array.from({ length: to - from + 1 }, (_, index) => from + index))

describe('HKDF-SHA256, RFC 5869 appendix A', () => {
  const cases = [
    {
      name: 'test case 1',
      secret: Buffer.alloc(22, 0x0b),
      salt: range(0, 0x0c),
      info: range(0xf0, 0xf9),
      length: 42,
      output: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    },
    {
      name: 'test case 2',
      secret: range(0, 0x4f),
      salt: range(0x60, 0xaf),
      info: range(0xb0, 0xff),
      length: 82,
      output:
        'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    },
    {
      name: 'test case 3',
      secret: Buffer.alloc(22, 0x0b),
      salt: Buffer.alloc(0),
      info: Buffer.alloc(0),
      length: 42,
      output: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    },
  ]

  test.each(cases)('$name', ({ secret, salt, info, length, output }) => {
    expect(Buffer.from(hkdfSync('sha256', secret, salt, info, length)).toString('hex')).toBe(output)
  })

  test('deriveKey() is its first 32 bytes, the info as UTF-8', () => {
    const [, , third] = cases
    expect(deriveKey(third!.secret, third!.salt, '').toString('hex')).toBe(third!.output.slice(0, 64))
    const secret = range(0, 31)
    expect(deriveKey(secret, bytes('aa'), 'tägli')).toEqual(
      Buffer.from(hkdfSync('sha256', secret, bytes('aa'), Buffer.from('tägli', 'utf8'), 32)),
    )
  })
})

test('the subkeys of a known master key are what format.md says', () => {
  const master = range(0, 31)
  const subkeys = deriveSubkeys(master)
  const expected = (label: string): Buffer =>
    Buffer.from(hkdfSync('sha256', master, '', `holdfast ${label}`, KEY_BYTES))
  for (const [kind, key] of Object.entries(subkeys.files)) expect(key).toEqual(expected(`file ${kind}`))
  expect(subkeys.dataIds).toEqual(expected('data chunk ids'))
  expect(subkeys.treeIds).toEqual(expected('tree chunk ids'))
  expect(subkeys.chunker).toEqual(expected('chunker'))
  expect(subkeys.cacheCheck).toEqual(expected('cache check'))
})

test('no two subkeys are alike, and every kind has one and a number of its own', () => {
  const subkeys = deriveSubkeys(createMasterKey())
  expect(Object.keys(subkeys.files)).toEqual(Object.keys(fileKinds))
  const { files, ...others } = subkeys
  const all = [...Object.values(files), ...Object.values(others)].map((key: Buffer) => key.toString('hex'))
  expect(new Set(all).size).toBe(Object.keys(fileKinds).length + 4)
  expect(all.every((hex) => hex.length === 2 * KEY_BYTES)).toBe(true)
  expect(new Set(Object.values(fileKinds)).size).toBe(Object.keys(fileKinds).length)
})

test('the numbers of the kinds stand in stored files and never change', () => {
  expect(fileKinds).toEqual({
    config: 1,
    settings: 2,
    key: 3,
    data: 4,
    tree: 5,
    index: 6,
    snapshot: 7,
    session: 8,
    pending: 9,
  })
})

test('master keys are 32 bytes, each time others', () => {
  const keys = Array.from({ length: 8 }, () => createMasterKey().toString('hex'))
  expect(new Set(keys).size).toBe(8)
  expect(keys.every((hex) => hex.length === 64)).toBe(true)
})
