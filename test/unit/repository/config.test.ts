import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeValue, encodeValue, type FileId, type Value } from '../../../src/encoding/index.ts'
import {
  configValue,
  defaultSettings,
  parseConfig,
  parsePending,
  parseSettings,
  pendingValue,
  type RepositoryConfig,
} from '../../../src/repository/index.ts'
import { settingsValue } from '../../../src/repository/settings.ts'

const stored = (value: Value): Value => decodeValue(encodeValue(value))
const hex = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('hex'))
const anyByte = fc.integer({ min: 0, max: 255 })
const names = fc.array(fc.string({ maxLength: 20 }), { maxLength: 64 })

const anyConfig: fc.Arbitrary<RepositoryConfig> = fc.record({
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  readVersion: anyByte,
  writeVersion: anyByte,
  requiredFeatures: names,
  optionalFeatures: names,
  chunker: fc.record({
    algorithm: fc.string({ maxLength: 64 }),
    numbers: fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 16 }),
  }),
  createdMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
})

describe('config', () => {
  test('reads back as it was written', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        expect(parseConfig(stored(configValue(config)))).toEqual(config)
      }),
    )
  })

  test.each([
    ['nothing', null],
    ['too few fields', [Buffer.alloc(16), 1, 1, [], [], 'a', []]],
    ['a short id', [Buffer.alloc(15), 1, 1, [], [], 'a', [], 0n]],
    ['a version that is no byte', [Buffer.alloc(16), 256, 1, [], [], 'a', [], 0n]],
    ['features that are no texts', [Buffer.alloc(16), 1, 1, [1], [], 'a', [], 0n]],
    ['too many features', [Buffer.alloc(16), 1, 1, Array(65).fill('x'), [], 'a', [], 0n]],
    ['chunker numbers that are none', [Buffer.alloc(16), 1, 1, [], [], 'a', ['x'], 0n]],
    ['a negative time', [Buffer.alloc(16), 1, 1, [], [], 'a', [], -1n]],
  ] as [string, Value][])('%s is damage', (_, value) => {
    expect(() => parseConfig(value)).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
  })
})

describe('settings', () => {
  test('read back as they were written', () => {
    const anySettings = fc.record({
      counter: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      previous: fc.option(hex(32).map((id) => id as FileId)),
      compressionLevel: fc.integer({ min: 0, max: 19 }),
      packTargetBytes: fc.integer({ min: 4 << 20, max: 1 << 30 }),
    })
    fc.assert(
      fc.property(anySettings, (settings) => {
        expect(parseSettings(stored(settingsValue(settings)))).toEqual(settings)
      }),
    )
  })

  test('a pack target out of range is brought into it', () => {
    const target = (packTargetBytes: number) =>
      parseSettings(settingsValue({ ...defaultSettings, packTargetBytes })).packTargetBytes
    expect([target(0), target(2 ** 32 - 1)]).toEqual([4 << 20, 1 << 30])
  })

  test('an unknown compression level is damage', () => {
    expect(() => parseSettings([1, null, 20, 1 << 25])).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
  })
})

describe('pending', () => {
  test('reads back as it was written', () => {
    const anyPending = fc.record({
      packs: fc.array(hex(32)),
      indexFiles: fc.array(hex(32)),
      sessions: fc.array(hex(16)),
    })
    fc.assert(
      fc.property(anyPending, (pending) => {
        const typed = pending as unknown as Parameters<typeof pendingValue>[0]
        expect(parsePending(stored(pendingValue(typed)))).toEqual(pending)
      }),
    )
  })

  test.each([
    ['a cut session', [Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(17)]],
    ['a cut pack', [Buffer.alloc(31), Buffer.alloc(0), Buffer.alloc(16)]],
    ['a text', ['', Buffer.alloc(0), Buffer.alloc(16)]],
    ['two fields', [Buffer.alloc(0), Buffer.alloc(0)]],
  ] as [string, Value][])('%s is damage', (_, value) => {
    expect(() => parsePending(value)).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
  })
})
