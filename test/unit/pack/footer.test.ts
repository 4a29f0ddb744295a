import { describe, expect, test } from 'vitest'
import { decodeValue, encodeValue, type Value } from '../../../src/encoding/index.ts'
import { decodeFooter, encodeFooter } from '../../../src/pack/footer.ts'
import {
  BLOCK_ALIGNMENT_BYTES,
  blockValue,
  CHUNK_ROW_BYTES,
  MAXIMUM_BLOCK_BYTES,
  MAXIMUM_BLOCK_CHUNKS,
  methods,
  parseBlock,
  storedBlockBytes,
} from '../../../src/pack/index.ts'
import { session } from './make-pack.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })

/** A chunk table of chunks with these lengths. */
function rows(...lengths: number[]): Buffer {
  const table = Buffer.alloc(lengths.length * CHUNK_ROW_BYTES, 0xab)
  lengths.forEach((length, index) => {
    table.writeUInt32LE(length, index * CHUNK_ROW_BYTES + 32)
  })
  return table
}

const storedBlock = (...lengths: number[]): Value[] => {
  const plainBytes = lengths.reduce((sum, length) => sum + length, 0)
  return [storedBlockBytes(plainBytes), plainBytes, methods.stored, rows(...lengths)]
}

test('a stored block takes whole pages, tag included', () => {
  expect([0, 1, 4080, 4081, 8176, 8177].map(storedBlockBytes)).toEqual([4096, 4096, 4096, 8192, 8192, 12_288])
  for (let payload = 0; payload < 20_000; payload += 7) {
    const stored = storedBlockBytes(payload)
    expect(stored % BLOCK_ALIGNMENT_BYTES).toBe(0)
    expect(stored - payload).toBeGreaterThanOrEqual(16)
    expect(stored - payload).toBeLessThan(BLOCK_ALIGNMENT_BYTES + 16)
  }
})

describe('parseBlock', () => {
  test('is the reverse of blockValue', () => {
    for (const value of [
      storedBlock(1, 2, 3),
      storedBlock(1),
      storedBlock(MAXIMUM_BLOCK_BYTES),
      [4096, 100, methods.zstd, rows(5000, 7000)],
      [4096, 1, methods.zstd, rows(...Array<number>(MAXIMUM_BLOCK_CHUNKS).fill(1))],
    ] satisfies Value[]) {
      const block = parseBlock(decodeValue(encodeValue(value)))
      expect(block.plainBytes).toBe(
        Array.from({ length: (value[3] as Buffer).length / CHUNK_ROW_BYTES }, (_, index) =>
          (value[3] as Buffer).readUInt32LE(index * CHUNK_ROW_BYTES + 32),
        ).reduce((sum, length) => sum + length, 0),
      )
      expect(encodeValue(blockValue(block)).equals(encodeValue(value))).toBe(true)
    }
  })

  const large = MAXIMUM_BLOCK_BYTES
  test.each<[string, Value]>([
    ['no record', null],
    ['too few fields', [4096, 100, methods.zstd]],
    ['too many fields', [4096, 100, methods.zstd, rows(1), 0]],
    ['a chunk of no bytes', [4096, 8, methods.stored, rows(8, 0)]],
    ['no chunks', [4096, 0, methods.stored, rows()]],
    ['a cut chunk table', [4096, 1, methods.stored, rows(1).subarray(1)]],
    ['a chunk table with a byte more', [4096, 1, methods.stored, Buffer.concat([rows(1), Buffer.alloc(1)])]],
    ['too many chunks', [4096, 1, methods.zstd, rows(...Array<number>(MAXIMUM_BLOCK_CHUNKS + 1).fill(0))]],
    ['an unknown method', [4096, 1, 2, rows(1)]],
    ['a method that is text', [4096, 1, 'zstd', rows(1)]],
    ['too large a payload', [storedBlockBytes(large + 1), large + 1, methods.zstd, rows(large)]],
    ['too large a plaintext', [4096, 100, methods.zstd, rows(large + 1)]],
    ['too large a plaintext in sum', [4096, 100, methods.zstd, rows(large, 1)]],
    ['lengths that would wrap 32 bits', [4096, 100, methods.zstd, rows(0xffffffff, 0xffffffff)]],
    ['a stored length that is too short', [0, 1, methods.stored, rows(1)]],
    ['a stored length that is too long', [8192, 1, methods.stored, rows(1)]],
    ['a stored length that is not whole pages', [4095, 1, methods.stored, rows(1)]],
    ['a negative length', [4096, -1, methods.zstd, rows(1)]],
    ['a stored payload shorter than its chunks', [4096, 1, methods.stored, rows(1, 1)]],
    ['a stored payload longer than its chunks', [4096, 3, methods.stored, rows(1, 1)]],
  ])('refuses %s', (_, value) => {
    expect(() => parseBlock(value)).toThrow(damaged)
  })
})

describe('a footer', () => {
  test('comes back with its session and blocks', () => {
    const blocks = [parseBlock(storedBlock(5, 6)), parseBlock([4096, 9, methods.zstd, rows(5000)])]
    const footer = decodeFooter(encodeFooter({ session, blocks }))
    expect(footer.session).toBe(session)
    expect(footer.blocks.map(blockValue).map(encodeValue)).toEqual(blocks.map(blockValue).map(encodeValue))
  })

  test.each<[string, Value]>([
    ['no record', Buffer.alloc(16)],
    ['one field', [Buffer.alloc(16)]],
    ['a short session', [Buffer.alloc(15), []]],
    ['a session as text', ['00112233445566778899aabbccddeeff', []]],
    ['blocks that are no list', [Buffer.alloc(16), null]],
    ['a broken block', [Buffer.alloc(16), [storedBlock(1), [4096, 1, 7, rows(1)]]]],
  ])('refuses %s', (_, value) => {
    expect(() => decodeFooter(encodeValue(value))).toThrow(damaged)
  })

  test('refuses bytes that are no value', () => {
    expect(() => decodeFooter(Buffer.alloc(0))).toThrow(damaged)
    expect(() => decodeFooter(encodeFooter({ session, blocks: [] }).subarray(1))).toThrow(damaged)
  })
})
