import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { loadZstd } from '../../../src/compression/index.ts'

const zstd = loadZstd()
const damaged: object = expect.objectContaining({ code: 'DAMAGED' })
const text = Buffer.from('the quick brown fox jumps over the lazy dog. '.repeat(2000))

/** A valid frame of 512 MiB of zeros in run-length blocks of 128 KiB: 16 KiB that no limit but ours would stop. */
function bombFrame(): Buffer {
  const blocks = 4096
  const frame = Buffer.alloc(6 + blocks * 4)
  frame.writeUInt32LE(0xfd2fb528, 0)
  frame[4] = 0x00 // No content size, no checksum, window in the next byte.
  frame[5] = 0x38 // 128 KiB.
  for (let index = 0; index < blocks; index++) {
    const isLast = index === blocks - 1 ? 1 : 0
    frame.writeUIntLE(((128 * 1024) << 3) | (1 << 1) | isLast, 6 + index * 4, 3)
  }
  return frame
}

test.each([1, 2, 3, 9, 19])('level %i comes back the same', (level) => {
  const frame = zstd.compress(text, level)!
  expect(frame.length).toBeLessThan(text.length / 20)
  expect(zstd.decompress(frame, text.length)).toEqual(text)
})

test('what does not get smaller is not compressed', () => {
  expect(zstd.compress(randomBytes(10_000), 3)).toBeUndefined()
  expect(zstd.compress(Buffer.alloc(0), 3)).toBeUndefined()
  expect(zstd.compress(Buffer.from('a'), 3)).toBeUndefined()
})

test('a frame fills memory of the caller exactly, or is damaged', () => {
  const frame = zstd.compress(text, 3)!
  const target = Buffer.alloc(text.length + 1, 9)
  zstd.decompressInto(frame, target.subarray(0, text.length))
  expect(target.subarray(0, text.length).equals(text)).toBe(true)
  expect(target[text.length]).toBe(9)
  expect(() => zstd.decompressInto(frame, target)).toThrow(damaged)
  expect(() => zstd.decompressInto(frame, target.subarray(0, text.length - 1))).toThrow(damaged)
  expect(() => zstd.decompressInto(bombFrame(), target)).toThrow(damaged)
})

test('results are owned by the caller, small ones too', () => {
  const frames = [0, 1, 2, 3].map((fill) => zstd.compress(Buffer.alloc(500, fill), 3)!)
  const plains = frames.map((frame) => zstd.decompress(frame, 500))
  zstd.compress(text, 3)
  plains.forEach((plain, fill) => {
    expect(plain.equals(Buffer.alloc(500, fill))).toBe(true)
  })
  frames.forEach((frame, fill) => {
    expect(zstd.decompress(frame, 500)[499]).toBe(fill)
  })
})

test('views into larger memory are taken at their place', () => {
  const outer = new Uint8Array(70_000)
  outer.set(text.subarray(0, 60_000), 100)
  const frame = zstd.compress(outer.subarray(100, 60_100), 3)!
  const holder = new Uint8Array(frame.length + 20).fill(7)
  holder.set(frame, 11)
  expect(zstd.decompress(holder.subarray(11, 11 + frame.length), 60_000)).toEqual(text.subarray(0, 60_000))
})

test('any other stated length is damage', () => {
  const frame = zstd.compress(text, 3)!
  for (const length of [0, 1, text.length - 1, text.length + 1, 2 * text.length]) {
    expect(() => zstd.decompress(frame, length)).toThrow(damaged)
  }
})

test('a bomb stops at the stated length and takes no more memory', () => {
  const bomb = bombFrame()
  const before = process.resourceUsage().maxRSS
  for (const length of [0, 1000, 128 * 1024, 1024 * 1024]) {
    expect(() => zstd.decompress(bomb, length)).toThrow(damaged)
  }
  const grownKiB = process.resourceUsage().maxRSS - before
  expect(grownKiB).toBeLessThan(64 * 1024)
  // It is a valid frame: the same blocks, fewer of them, come out in full.
  const small = Buffer.concat([bomb.subarray(0, 6), bomb.subarray(-4)])
  expect(zstd.decompress(small, 128 * 1024)).toEqual(Buffer.alloc(128 * 1024))
})

test('a frame that lies about its content size is damage', () => {
  const frame = Buffer.from(zstd.compress(Buffer.alloc(100_000), 3)!)
  // Frame header descriptor with a 4-byte content size and no window: magic, descriptor, size.
  expect(frame[4]! >> 6).toBe(2)
  expect(frame.readUInt32LE(5)).toBe(100_000)
  for (const size of [0, 99_999, 100_001, 0x7fffffff, 0xffffffff]) {
    frame.writeUInt32LE(size, 5)
    expect(() => zstd.decompress(frame, 100_000)).toThrow(damaged)
  }
})

test('a cut frame, other bytes and a frame with bytes after it are damage', () => {
  const frame = Buffer.from(zstd.compress(text.subarray(0, 2000), 3)!)
  for (let length = 0; length < frame.length; length++) {
    expect(() => zstd.decompress(frame.subarray(0, length), 2000)).toThrow(damaged)
  }
  expect(() => zstd.decompress(Buffer.concat([frame, Buffer.from([1])]), 2000)).toThrow(damaged)
  expect(() => zstd.decompress(randomBytes(500), 2000)).toThrow(damaged)
})

test('an error leaves the contexts usable', () => {
  const frame = zstd.compress(text, 3)!
  for (let round = 0; round < 20; round++) {
    expect(() => zstd.decompress(frame.subarray(0, frame.length - 1), text.length)).toThrow(damaged)
    expect(zstd.decompress(frame, text.length).equals(text)).toBe(true)
  }
})

test('the same input gives the same frame each time', () => {
  const first = Buffer.from(zstd.compress(text, 3)!)
  zstd.compress(randomBytes(100_000), 1)
  expect(Buffer.from(zstd.compress(text, 3)!).equals(first)).toBe(true)
})

test.each([2, 3])('level %i sees a whole block of 2 MiB', (level) => {
  const repeated = randomBytes(400_000)
  const plain = Buffer.concat([repeated, randomBytes(1_200_000), repeated])
  const frame = zstd.compress(plain, level)!
  expect(frame.length).toBeLessThan(1_650_000)
  expect(zstd.decompress(frame, plain.length).equals(plain)).toBe(true)
})
