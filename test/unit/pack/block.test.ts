import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadZstd } from '../../../src/compression/index.ts'
import { chunkId } from '../../../src/encoding/index.ts'
import {
  type BlockBuilder,
  CHUNK_ROW_BYTES,
  createBlockBuilder,
  expandPayload,
  MAXIMUM_BLOCK_BYTES,
  MAXIMUM_BLOCK_CHUNKS,
  methods,
  type PlainBlock,
} from '../../../src/pack/index.ts'
import { type Chunk, chunk } from './make-pack.ts'

const zstd = loadZstd()
const TARGET = 64 * 1024

function plainOf(block: PlainBlock): Buffer {
  return expandPayload(block.method, Buffer.from(block.payload), block.plainBytes)
}

/** The chunks of a block, cut by its own table. */
function chunksOf(block: PlainBlock): Chunk[] {
  const plain = plainOf(block)
  const rows = Buffer.from(block.chunks)
  const chunks: Chunk[] = []
  let from = 0
  for (let at = 0; at < rows.length; at += CHUNK_ROW_BYTES) {
    const length = rows.readUInt32LE(at + 32)
    chunks.push({ id: chunkId(rows.subarray(at, at + 32)), bytes: plain.subarray(from, from + length) })
    from += length
  }
  expect(from).toBe(block.plainBytes)
  return chunks
}

function addAll(builder: BlockBuilder, chunks: readonly Chunk[]): PlainBlock[] {
  const blocks: PlainBlock[] = []
  for (const { id, bytes } of chunks) {
    if (builder.isFullFor(bytes.length)) blocks.push(builder.take()!)
    builder.add(id, bytes)
  }
  const last = builder.take()
  return last === undefined ? blocks : [...blocks, last]
}

test('an empty builder gives nothing, and is empty again after take()', () => {
  const builder = createBlockBuilder(zstd, TARGET, 3)
  expect(builder.take()).toBeUndefined()
  builder.add(chunk(Buffer.alloc(0)).id, Buffer.from('one'))
  expect(builder.take()!.plainBytes).toBe(3)
  expect(builder.take()).toBeUndefined()
})

test('chunks come back in order, with their ids, from blocks within the target', () => {
  const anyChunk = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }).map(chunk),
    fc.integer({ min: 0, max: TARGET * 2 }).map((length) => chunk(Buffer.alloc(length, length))),
    fc.integer({ min: 0, max: TARGET * 2 }).map((length) => chunk(randomBytes(length))),
  )
  fc.assert(
    fc.property(fc.array(anyChunk, { maxLength: 40 }), fc.constantFrom(0, 1, 3), (chunks, level) => {
      const blocks = addAll(createBlockBuilder(zstd, TARGET, level), chunks)
      const back = blocks.flatMap(chunksOf)
      expect(back.length).toBe(chunks.length)
      back.forEach((one, index) => {
        expect(Buffer.compare(one.id, chunks[index]!.id)).toBe(0)
        expect(Buffer.compare(one.bytes, chunks[index]!.bytes)).toBe(0)
      })
      for (const block of blocks) {
        if (block.chunks.length > CHUNK_ROW_BYTES) expect(block.plainBytes).toBeLessThanOrEqual(TARGET)
        if (block.method === methods.zstd) expect(block.payload.length).toBeLessThan(block.plainBytes)
        else expect(block.payload.length).toBe(block.plainBytes)
      }
    }),
    { numRuns: 150 },
  )
})

describe('bounds', () => {
  test('isFullFor() looks at what is in the block, never at an empty one', () => {
    const builder = createBlockBuilder(zstd, 1000, 3)
    expect(builder.isFullFor(5000)).toBe(false)
    builder.add(chunk(randomBytes(1)).id, Buffer.alloc(400))
    expect(builder.isFullFor(600)).toBe(false)
    expect(builder.isFullFor(601)).toBe(true)
  })

  test('one chunk of the largest size is a block; a byte more is refused', () => {
    const builder = createBlockBuilder(zstd, TARGET, 1)
    const largest = Buffer.alloc(MAXIMUM_BLOCK_BYTES, 7)
    builder.add(chunk(largest).id, largest)
    expect(() => builder.add(chunk(largest).id, Buffer.alloc(1))).toThrow(/cannot hold/)
    const block = builder.take()!
    expect(block.plainBytes).toBe(MAXIMUM_BLOCK_BYTES)
    expect(plainOf(block).equals(largest)).toBe(true)
    expect(() => builder.add(chunk(largest).id, Buffer.alloc(MAXIMUM_BLOCK_BYTES + 1))).toThrow(/cannot hold/)
    expect(builder.take()).toBeUndefined()
  })

  test('a block is full at 65,535 chunks', () => {
    const builder = createBlockBuilder(zstd, 1024 * 1024, 3)
    const chunks = Array.from({ length: MAXIMUM_BLOCK_CHUNKS + 1 }, (_, index) => {
      const id = Buffer.alloc(32)
      id.writeUInt32LE(index)
      return { id: chunkId(id), bytes: Buffer.from([index & 0xff]) }
    })
    const blocks = addAll(builder, chunks)
    expect(blocks.map((block) => block.plainBytes)).toEqual([MAXIMUM_BLOCK_CHUNKS, 1])
    expect(Buffer.from(blocks[0]!.chunks).readUInt32LE(CHUNK_ROW_BYTES * 65_534)).toBe(65_534)
    expect(Buffer.from(blocks[1]!.chunks).readUInt32LE(0)).toBe(65_535)
  })
})

describe('the method', () => {
  const text = Buffer.from('compressible text, over and over. '.repeat(6000))

  test('is zstd for text and stored for noise', () => {
    const builder = createBlockBuilder(zstd, 1024 * 1024, 3)
    const methodOf = (bytes: Uint8Array): number => addAll(builder, [chunk(bytes)])[0]!.method
    expect(methodOf(text)).toBe(methods.zstd)
    expect(methodOf(randomBytes(200_000))).toBe(methods.stored)
    // After noise a large block is probed first: text is still compressed, noise still stored.
    expect(methodOf(text)).toBe(methods.zstd)
    expect(methodOf(randomBytes(200_000))).toBe(methods.stored)
    expect(methodOf(randomBytes(200_000))).toBe(methods.stored)
    expect(methodOf(text.subarray(0, 4000))).toBe(methods.zstd)
  })

  test('is stored at level 0', () => {
    const builder = createBlockBuilder(zstd, 1024 * 1024, 0)
    const block = addAll(builder, [chunk(text)])[0]!
    expect(block.method).toBe(methods.stored)
    expect(Buffer.compare(block.payload, text)).toBe(0)
  })

  test('is stored where a frame would save less than one part in a hundred', () => {
    const almostNoise = Buffer.concat([randomBytes(100_000), Buffer.alloc(500)])
    expect(addAll(createBlockBuilder(zstd, 1024 * 1024, 3), [chunk(almostNoise)])[0]!.method).toBe(
      methods.stored,
    )
  })
})

test('a taken block is owned by the caller: the builder goes on in other memory', () => {
  for (const level of [0, 3]) {
    const builder = createBlockBuilder(zstd, TARGET, level)
    const first = chunk(Buffer.alloc(5000, 1))
    builder.add(first.id, first.bytes)
    const block = builder.take()!
    const [payload, rows] = [Buffer.from(block.payload), Buffer.from(block.chunks)]
    addAll(builder, [chunk(Buffer.alloc(5000, 2)), chunk(randomBytes(5000))])
    expect(Buffer.compare(block.payload, payload)).toBe(0)
    expect(Buffer.compare(block.chunks, rows)).toBe(0)
  }
})

test('an added chunk is copied', () => {
  const builder = createBlockBuilder(zstd, TARGET, 3)
  const bytes = Buffer.alloc(1000, 1)
  const id = chunkId(Buffer.alloc(32, 1))
  builder.add(id, bytes)
  bytes.fill(2)
  Buffer.from(id.buffer, id.byteOffset, 32).fill(2)
  const [only] = chunksOf(builder.take()!)
  expect(Buffer.compare(only!.bytes, Buffer.alloc(1000, 1))).toBe(0)
  expect(Buffer.compare(only!.id, Buffer.alloc(32, 1))).toBe(0)
})

test('a block that grew past its target for one chunk takes small chunks as before', () => {
  const builder = createBlockBuilder(zstd, 1000, 3)
  const chunks = [500, 90_000, 10, 900, 300].map((length) => chunk(randomBytes(length)))
  const blocks = addAll(builder, chunks)
  expect(blocks.map((block) => block.plainBytes)).toEqual([500, 90_000, 910, 300])
})
