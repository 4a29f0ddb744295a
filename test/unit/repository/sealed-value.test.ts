import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deriveSubkeys } from '../../../src/crypto/index.ts'
import type { Value } from '../../../src/encoding/index.ts'
import { DamagedError, hasCode } from '../../../src/errors/index.ts'
import { openValue, sealValue } from '../../../src/repository/index.ts'

const subkeys = deriveSubkeys(Buffer.alloc(32, 1))
const sealing = { id: Buffer.alloc(16, 2), subkeys }
const kinds = ['config', 'settings', 'index', 'snapshot', 'session', 'pending'] as const
const same = (value: Value): Value => value

const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.string(),
    fc.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
})).value

/** `openValue` for a file that must be refused. */
function refusal(kind: (typeof kinds)[number], bytes: Buffer, by = sealing): unknown {
  try {
    openValue(by, kind, 'some/name', bytes, same)
  } catch (error) {
    return error
  }
  throw new Error('it was opened')
}

describe.each(kinds)('a sealed %s', (kind) => {
  test('opens to the same value', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(openValue(sealing, kind, 'name', sealValue(sealing, kind, value), same)).toEqual(value)
      }),
      { numRuns: 50 },
    )
  })

  test('is damaged wherever a bit is flipped or its end is cut, and says which file it is', () => {
    const bytes = sealValue(sealing, kind, [1, 'text'])
    for (let at = 0; at < bytes.length; at += at < 64 ? 1 : 37) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1
      const error = refusal(kind, flipped)
      if (at === 8) expect(hasCode(error, 'NEWER_FORMAT') || error instanceof DamagedError).toBe(true)
      else expect(error).toMatchObject({ code: 'DAMAGED', file: 'some/name' })
    }
    for (const length of [0, 1, 47, 48, 63, bytes.length - 1]) {
      expect(refusal(kind, bytes.subarray(0, length))).toMatchObject({ code: 'DAMAGED', file: 'some/name' })
    }
  })

  test('does not open as another kind or under another master key', () => {
    const bytes = sealValue(sealing, kind, 1)
    for (const other of kinds) {
      if (other !== kind) expect(refusal(other, bytes)).toMatchObject({ code: 'DAMAGED' })
    }
    const stranger = { id: sealing.id, subkeys: deriveSubkeys(Buffer.alloc(32, 9)) }
    expect(refusal(kind, bytes, stranger)).toMatchObject({ code: 'DAMAGED' })
  })

  test('of a newer format is refused as such', () => {
    const bytes = sealValue(sealing, kind, 1)
    bytes[8] = 2
    expect(refusal(kind, bytes)).toMatchObject({ code: 'NEWER_FORMAT' })
  })

  test(
    kind === 'index' ? 'opens in a mirror with another repository id' : 'is bound to its repository',
    () => {
      const bytes = sealValue(sealing, kind, 1)
      const mirror = { id: Buffer.alloc(16, 3), subkeys }
      if (kind === 'index') expect(openValue(mirror, kind, 'name', bytes, same)).toBe(1)
      else expect(refusal(kind, bytes, mirror)).toMatchObject({ code: 'DAMAGED' })
    },
  )

  test('has a length that tells only the number of 512-byte steps, and never the same bytes twice', () => {
    const lengths = [0, 100, 505].map((length) => sealValue(sealing, kind, Buffer.alloc(length)).length)
    expect(new Set(lengths)).toEqual(new Set([48 + 512 + 16]))
    expect(sealValue(sealing, kind, Buffer.alloc(506)).length).toBe(48 + 1024 + 16)
    expect(sealValue(sealing, kind, 1).equals(sealValue(sealing, kind, 1))).toBe(false)
  })
})

test("openValue() names the file in what the parser refuses, and passes on a programmer's error", () => {
  const bytes = sealValue(sealing, 'snapshot', 1)
  const bug = new TypeError('a bug')
  const parse = () => {
    throw bug
  }
  expect(() => openValue(sealing, 'snapshot', 'name', bytes, parse)).toThrow(bug)
})
