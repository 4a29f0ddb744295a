import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFingerprintSet } from '../../../src/stats/fingerprints.ts'

test('add() says what a set of the same byte strings says', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 2 }), { maxLength: 300 }), (members) => {
      const set = createFingerprintSet()
      const model = new Set<string>()
      for (const member of members) {
        const name = Buffer.from(member).toString('hex')
        expect(set.add(member)).toBe(!model.has(name))
        model.add(name)
      }
    }),
  )
})

test('it grows, and forgets nothing', () => {
  const set = createFingerprintSet()
  const member = (at: number): Buffer => Buffer.from(String(at))
  for (let at = 0; at < 20_000; at++) expect(set.add(member(at))).toBe(true)
  for (let at = 0; at < 20_000; at++) expect(set.add(member(at))).toBe(false)
})

test('parts are one string', () => {
  const set = createFingerprintSet()
  expect(set.add(Buffer.from('ab'), Buffer.from('c'))).toBe(true)
  expect(set.add(Buffer.from('abc'))).toBe(false)
})
