import { scryptSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  checkCost,
  createSalt,
  defaultCost,
  deriveKey,
  deriveWrappingKey,
  type ScryptCost,
  type Secret,
  sameCommitment,
} from '../../../src/crypto/index.ts'

const cheap: ScryptCost = { logN: 10, r: 8, p: 1 }
const password = (text: string): Secret => ({ kind: 'password', password: text })
const salt = Buffer.alloc(32, 9)

test('a password is stretched by scrypt, and key and commitment are derived from that', async () => {
  const stretched = scryptSync('password', salt, 32, { N: 1024, r: 8, p: 1 })
  const { key, commitment } = await deriveWrappingKey(password('password'), salt, cheap)
  expect(key).toEqual(deriveKey(stretched, salt, 'holdfast wrapping key'))
  expect(commitment).toEqual(deriveKey(stretched, salt, 'holdfast key commitment'))
})

test('a key file is used as it is, whatever the cost says', async () => {
  const bytes = Buffer.alloc(32, 5)
  const { key, commitment } = await deriveWrappingKey({ kind: 'keyFile', bytes }, salt, defaultCost)
  expect(key).toEqual(deriveKey(bytes, salt, 'holdfast wrapping key'))
  expect(commitment).toEqual(deriveKey(bytes, salt, 'holdfast key commitment'))
  expect(key.equals(commitment)).toBe(false)
})

test('salt, password and cost all change key and commitment', async () => {
  const all = await Promise.all([
    deriveWrappingKey(password('a'), salt, cheap),
    deriveWrappingKey(password('b'), salt, cheap),
    deriveWrappingKey(password('a '), salt, cheap),
    deriveWrappingKey(password(''), salt, cheap),
    deriveWrappingKey(password('a'), Buffer.alloc(32, 8), cheap),
    deriveWrappingKey(password('a'), salt, { ...cheap, logN: 11 }),
    deriveWrappingKey(password('a'), salt, { ...cheap, r: 7 }),
    deriveWrappingKey(password('a'), salt, { ...cheap, p: 2 }),
  ])
  const texts = all.flatMap(({ key, commitment }) => [key.toString('hex'), commitment.toString('hex')])
  expect(new Set(texts).size).toBe(16)
})

test('a password typed in composed or decomposed characters is one password', async () => {
  const composed = await deriveWrappingKey(password('pässwörd'.normalize('NFC')), salt, cheap)
  const decomposed = await deriveWrappingKey(password('pässwörd'.normalize('NFD')), salt, cheap)
  expect(composed).toEqual(decomposed)
})

describe('the cost', () => {
  test('new keys are wrapped at the documented cost', () => {
    expect(defaultCost).toEqual({ logN: 17, r: 8, p: 1 })
    checkCost(defaultCost)
  })

  const damaged: object = expect.objectContaining({ code: 'DAMAGED' })
  test.each([
    { logN: 9 },
    { logN: 21 },
    { logN: 63 },
    { logN: 10.5 },
    { logN: Number.NaN },
    { logN: -10 },
    { r: 0 },
    { r: 17 },
    { r: 2 ** 30 },
    { p: 0 },
    { p: 5 },
    { p: Number.POSITIVE_INFINITY },
    { logN: 16, r: 1 },
  ])('%o is refused before any work', async (change) => {
    const cost = { ...cheap, ...change }
    expect(() => checkCost(cost)).toThrow(damaged)
    await expect(deriveWrappingKey(password('a'), salt, cost)).rejects.toThrow(damaged)
  })

  test.each([
    { logN: 10, r: 1, p: 1 },
    { logN: 10, r: 16, p: 4 },
    { logN: 15, r: 1, p: 1 },
    { logN: 16, r: 2, p: 1 },
    // Above the 32 MiB at which node's own limit refuses.
    { logN: 15, r: 16, p: 1 },
  ])('$logN, $r, $p is inside the bounds and works', async (cost) => {
    const { key } = await deriveWrappingKey(password('a'), salt, cost)
    expect(key.length).toBe(32)
  })

  test('the largest cost is inside the bounds', () => {
    checkCost({ logN: 20, r: 16, p: 4 })
  })
})

test('sameCommitment() compares whole values of any length', () => {
  const one = Buffer.alloc(32, 1)
  expect(sameCommitment(one, Buffer.alloc(32, 1))).toBe(true)
  for (let at = 0; at < 32; at++) {
    const other = Buffer.from(one)
    other[at]! ^= 0x80
    expect(sameCommitment(one, other)).toBe(false)
  }
  expect(sameCommitment(one, one.subarray(1))).toBe(false)
  expect(sameCommitment(one, Buffer.alloc(0))).toBe(false)
})

test('salts are 32 bytes, each time others', () => {
  const salts = Array.from({ length: 8 }, () => createSalt().toString('hex'))
  expect(new Set(salts).size).toBe(8)
  expect(salts.every((hex) => hex.length === 64)).toBe(true)
})
