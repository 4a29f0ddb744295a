import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveTable } from '../../../src/chunker/table.ts'

/** RFC 5869 by hand, as docs/format.md states it. */
function expandByHand(key: Uint8Array): number[] {
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(key).digest()
  const blocks: Buffer[] = []
  for (let count = 1; count <= 32; count++) {
    const hmac = createHmac('sha256', extracted).update(blocks.at(-1) ?? Buffer.alloc(0))
    blocks.push(hmac.update('gear-nc-1 table').update(Buffer.of(count)).digest())
  }
  const bytes = Buffer.concat(blocks)
  return Array.from({ length: 256 }, (_, at) => bytes.readUInt32LE(at * 4))
}

test('deriveTable() is HKDF-SHA256 read as little-endian numbers', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      expect([...deriveTable(key)]).toEqual(expandByHand(key))
    }),
    { numRuns: 20 },
  )
})

test('deriveTable() refuses a key of another length', () => {
  expect(() => deriveTable(new Uint8Array(31))).toThrow('32 bytes')
  expect(() => deriveTable(new Uint8Array(33))).toThrow('32 bytes')
})
