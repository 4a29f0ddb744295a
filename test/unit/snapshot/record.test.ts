import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  chunkId,
  decodeValue,
  encodeValue,
  type FileId,
  nameFromBytes,
  type SessionId,
  type Value,
} from '../../../src/encoding/index.ts'
import {
  checkSnapshot,
  parseSnapshot,
  type SnapshotRecord,
  snapshotValue,
} from '../../../src/snapshot/index.ts'
import { recordOf } from './scene.ts'

const stored = (value: Value): Value => decodeValue(encodeValue(value))
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const hex = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('hex'))
const text = fc.string({ unit: 'binary', maxLength: 30 })
const optionalId = fc.option(hex(32).map((id) => id as FileId))

const anyRecord: fc.Arbitrary<SnapshotRecord> = fc.record({
  timeMs: size,
  offsetMinutes: fc.integer({ min: -1440, max: 1440 }),
  host: text,
  user: text,
  uid: uint32,
  gid: uint32,
  paths: fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }).map(nameFromBytes), { maxLength: 5 }),
  tags: fc.array(text, { maxLength: 5 }),
  description: text,
  excludes: fc.array(text, { maxLength: 5 }),
  programVersion: text,
  parent: optionalId,
  original: optionalId,
  session: hex(16).map((id) => id as SessionId),
  tree: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => chunkId(Buffer.from(bytes))),
  summary: fc.record({
    filesNew: uint32,
    filesChanged: uint32,
    filesUnmodified: uint32,
    directoriesNew: uint32,
    directoriesChanged: uint32,
    directoriesUnmodified: uint32,
    dataChunks: uint32,
    treeChunks: uint32,
    addedBytes: size,
    addedPackedBytes: size,
    totalFiles: uint32,
    totalBytes: size,
    durationMs: uint32,
    errors: uint32,
  }),
  incomplete: fc.boolean(),
  git: fc.option(fc.record({ commit: text, branch: text })),
})

describe('a snapshot record', () => {
  test('reads back as it was written', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        checkSnapshot(record)
        expect(parseSnapshot(stored(snapshotValue(record)))).toEqual(record)
      }),
    )
  })

  test('is refused with any field of another type, left out, or one more', () => {
    const whole = snapshotValue(recordOf()) as readonly Value[]
    for (let at = 0; at < whole.length; at++) {
      const wrong: readonly Value[] = [[[1]], typeof whole[at] === 'string' ? 1 : 'text']
      for (const value of wrong) {
        const broken = whole.map((field, index) => (index === at ? value : field))
        expect(() => parseSnapshot(broken), `field ${at}`).toThrow(
          expect.objectContaining({ code: 'DAMAGED' }),
        )
      }
      const cut = whole.filter((_, index) => index !== at)
      expect(() => parseSnapshot(cut)).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
    }
    expect(() => parseSnapshot([...whole, null])).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
    expect(() => parseSnapshot(null)).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
  })
})

describe('checkSnapshot()', () => {
  test.each([
    ['a description', { description: 'x'.repeat(70_000) }],
    ['tags', { tags: Array<string>(5000).fill('t') }],
    ['paths', { paths: Array.from({ length: 70_000 }, (_, number) => `/${number}`) }],
    ['excludes', { excludes: Array<string>(70_000).fill('*.o') }],
    ['a host', { host: 'h'.repeat(5000) }],
    ['a time before 1970', { timeMs: -1 }],
  ] as [string, Partial<SnapshotRecord>][])('refuses %s that nobody could read back', (_, change) => {
    expect(() => checkSnapshot(recordOf(change))).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
