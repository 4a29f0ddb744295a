import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeValue,
  encodeValue,
  type FileId,
  type SessionId,
  type Value,
} from '../../../src/encoding/index.ts'
import { storedBlockBytes } from '../../../src/pack/footer.ts'
import { type IndexFacts, indexFileValue, parseIndexFile } from '../../../src/repository/index.ts'

const hex = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('hex'))
const fileId = hex(32).map((id) => id as FileId)

const anyBlock = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 9 }), fc.boolean())
  .map(([lengths, isCompressed]) => {
    const plainBytes = lengths.reduce((sum, length) => sum + length, 0)
    const payloadBytes = isCompressed ? plainBytes >> 1 : plainBytes
    const chunks = Buffer.concat(
      lengths.map((length) => {
        const row = randomBytes(36)
        row.writeUInt32LE(length, 32)
        return row
      }),
    )
    const storedBytes = storedBlockBytes(payloadBytes)
    return { storedBytes, payloadBytes, plainBytes, method: isCompressed ? 1 : 0, chunks }
  })

const anyFacts: fc.Arbitrary<IndexFacts> = fc.record({
  packs: fc.array(
    fc.record({
      id: fileId,
      kind: fc.constantFrom('data' as const, 'tree' as const),
      sizeBytes: fc.integer({ min: 0, max: 1 << 30 }),
      session: hex(16).map((id) => id as SessionId),
      salt: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      blocks: fc.array(anyBlock, { maxLength: 3 }),
    }),
    { maxLength: 4 },
  ),
  condemned: fc.array(fileId, { maxLength: 4 }),
  replaces: fc.array(fileId, { maxLength: 4 }),
})

describe('parseIndexFile()', () => {
  test('reads back what was written', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        expect(parseIndexFile(decodeValue(encodeValue(indexFileValue(facts))))).toEqual(facts)
      }),
    )
  })

  const id = Buffer.alloc(32, 1)
  const session = Buffer.alloc(16, 2)
  const salt = Buffer.alloc(32, 3)
  const chunks = Buffer.alloc(36)
  chunks.writeUInt32LE(1, 32)
  const none = Buffer.alloc(0)
  const block = [4096, 1, 0, chunks]
  const pack = [id, false, 5000, session, salt, [block]]
  test('takes the record that the others below break in one place', () => {
    expect(parseIndexFile([[pack], id, none]).packs).toHaveLength(1)
  })
  test.each([
    ['a cut list of condemned packs', [[], Buffer.alloc(33), none]],
    ['a cut list of replaced files', [[], none, Buffer.alloc(31)]],
    ['a pack with a short id', [[[Buffer.alloc(31), false, 5000, session, salt, [block]]], none, none]],
    ['a pack of no kind', [[[id, 1, 5000, session, salt, [block]]], none, none]],
    ['a pack that is too large', [[[id, false, 2 ** 31, session, salt, [block]]], none, none]],
    ['a pack with a short salt', [[[id, false, 5000, session, Buffer.alloc(31), [block]]], none, none]],
    ['a pack without a session', [[[id, false, 5000, none, salt, [block]]], none, none]],
    [
      'a block with a cut chunk table',
      [[[id, false, 5000, session, salt, [[4096, 0, 0, Buffer.alloc(35)]]]], none, none],
    ],
    ['a block without chunks', [[[id, false, 5000, session, salt, [[4096, 0, 0, none]]]], none, none]],
    [
      'a block of another stored length',
      [[[id, false, 5000, session, salt, [[4097, 0, 0, chunks]]]], none, none],
    ],
    ['a method that is not known', [[[id, false, 5000, session, salt, [[4096, 0, 2, chunks]]]], none, none]],
  ] as [string, Value][])('%s is damage', (_, value) => {
    expect(() => parseIndexFile(value)).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
  })
})
