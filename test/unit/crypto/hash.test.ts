import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createHasher,
  createKeyedHasher,
  type HashImplementation,
  hashBytes,
  hashImplementation,
  loadNativeHash,
  loadWasmHash,
} from '../../../src/crypto/index.ts'

interface Vectors {
  readonly key: string
  readonly cases: readonly { inputBytes: number; hash: string; keyedHash: string }[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/blake3-vectors.json', import.meta.url), 'utf8'),
) as Vectors
const key = Buffer.from(vectors.key)
const wasm = loadWasmHash()
const native = loadNativeHash()
const implementations: HashImplementation[] = native === undefined ? [wasm] : [native, wasm]

function vectorInput(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251)
}

function hash(implementation: HashImplementation, ...parts: Uint8Array[]): string {
  const hasher = implementation.createHasher()
  for (const part of parts) hasher.update(part)
  return hasher.digest().toString('hex')
}

test('the official vectors are all there', () => {
  expect(vectors.cases.length).toBe(35)
  expect(vectors.cases.at(-1)?.inputBytes).toBe(102_400)
})

describe.each(implementations)('$name', (implementation) => {
  test.each(vectors.cases)('official vector of $inputBytes bytes', (one) => {
    const input = vectorInput(one.inputBytes)
    expect(hash(implementation, input)).toBe(one.hash)
    const cut = one.inputBytes >> 1
    expect(hash(implementation, input.subarray(0, cut), input.subarray(cut))).toBe(one.hash)
    expect(implementation.createKeyedHasher(key).hash(input).toString('hex')).toBe(one.keyedHash)
  })

  test('one keyed hasher gives all vectors in turn, backwards too', () => {
    const hasher = implementation.createKeyedHasher(key)
    for (const one of [...vectors.cases, ...vectors.cases.toReversed()]) {
      expect(hasher.hash(vectorInput(one.inputBytes)).toString('hex')).toBe(one.keyedHash)
      expect(hasher.hashHex(vectorInput(one.inputBytes))).toBe(one.keyedHash)
    }
  })

  test('results are owned by the caller and the key is copied', () => {
    const own = Buffer.from(key)
    const hasher = implementation.createKeyedHasher(own)
    const first = hasher.hash(Buffer.from('first'))
    const copy = Buffer.from(first)
    own.fill(0)
    expect(hasher.hash(Buffer.from('second')).equals(first)).toBe(false)
    expect(first.equals(copy)).toBe(true)
    first.fill(0)
    expect(hasher.hash(Buffer.from('first')).equals(copy)).toBe(true)
  })

  test('hashers in use at once do not disturb each other', () => {
    const [left, right] = [implementation.createHasher(), implementation.createHasher()]
    const keyed = implementation.createKeyedHasher(key)
    left.update(Buffer.from('ab'))
    right.update(Buffer.from('x'))
    keyed.hash(Buffer.from('between'))
    left.update(Buffer.from('cd'))
    expect(left.digest().toString('hex')).toBe(hash(implementation, Buffer.from('abcd')))
    expect(right.digest().toString('hex')).toBe(hash(implementation, Buffer.from('x')))
  })

  test.each([0, 16, 31, 33, 64])('a key of %i bytes is refused', (length) => {
    expect(() => implementation.createKeyedHasher(new Uint8Array(length))).toThrow(/32 bytes/)
  })
})

describe.runIf(native !== undefined)('native and wasm', () => {
  test('agree on any input in any pieces', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 })
    fc.assert(
      fc.property(pieces, fc.uint8Array({ minLength: 32, maxLength: 32 }), (parts, anyKey) => {
        const whole = Buffer.concat(parts)
        const expected = hash(native!, whole)
        expect(hash(wasm, ...parts)).toBe(expected)
        expect(hash(native!, ...parts)).toBe(expected)
        const keyed = implementations.map((one) => one.createKeyedHasher(anyKey).hash(whole).toString('hex'))
        expect(keyed[0]).toBe(keyed[1])
        expect(keyed[0]).not.toBe(expected)
      }),
      { numRuns: 300 },
    )
  })

  test('agree on views and on megabytes', () => {
    const large = vectorInput(5 * 1024 * 1024 + 17)
    for (const view of [large, large.subarray(3, 70_001), Buffer.from(large.buffer, 1, 4096)]) {
      expect(hash(wasm, view)).toBe(hash(native!, view))
      const keyed = implementations.map((one) => one.createKeyedHasher(key).hash(view).toString('hex'))
      expect(keyed[0]).toBe(keyed[1])
    }
  })
})

test('the free functions use the chosen implementation', () => {
  const input = vectorInput(1025)
  const expected = vectors.cases.find((one) => one.inputBytes === 1025)!
  const hasher = createHasher()
  hasher.update(input)
  expect(hasher.digest().toString('hex')).toBe(expected.hash)
  expect(hashBytes(input).toString('hex')).toBe(expected.hash)
  expect(createKeyedHasher(key).hash(input).toString('hex')).toBe(expected.keyedHash)
  expect(hashImplementation()).toBe(hashImplementation())
  expect(hashImplementation().name).toBe(native === undefined ? 'wasm' : 'native')
})
