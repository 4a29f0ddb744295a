import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ContentCutter } from '../../../src/backup/content-reader.ts'
import { createChunker, parametersForAverage, segmentBytes } from '../../../src/chunker/index.ts'
import { createKeyedHasher } from '../../../src/crypto/index.ts'

const small = parametersForAverage(4096)
/** The same lengths in every segment. */
const parameters = { ...small, growth: { ...small.growth, doublings: 0 } }

function createCutter(take: (bytes: Uint8Array) => void = () => {}): ContentCutter {
  const chunker = createChunker(parameters, Buffer.alloc(32, 1))
  return new ContentCutter(chunker, createKeyedHasher(Buffer.alloc(32, 2)), (_, bytes) => take(bytes))
}

/** Bytes that look random and follow from a number. */
function content(lengthBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes)
  let state = seed * 2654435761 + 1
  for (let at = 0; at < lengthBytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

/** Feed content in pieces of these lengths, over and over. */
function cutInPieces(cutter: ContentCutter, bytes: Buffer, pieces: readonly number[]) {
  let turn = 0
  for (let at = 0; at < bytes.length; )
    at += feed(cutter, bytes.subarray(at), pieces[turn++ % pieces.length]!)
  return cutter.finish()
}

/** Give the cutter as much as it has room for, at most so many bytes. @returns how many it took */
function feed(cutter: ContentCutter, bytes: Buffer, mostBytes: number): number {
  const { window, roomStart, roomEnd } = cutter
  const part = bytes.subarray(0, Math.min(mostBytes, roomEnd - roomStart))
  window.set(part, roomStart)
  cutter.advance(part.length)
  return part.length
}

describe('ContentCutter', () => {
  test('chunks in order are the content, and do not depend on how it comes', () => {
    const anyPieces = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 5 })
    const cutter = createCutter()
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300_000 }), fc.nat(5), anyPieces, (length, seed, pieces) => {
        const bytes = content(length, seed)
        const chunks: Buffer[] = []
        const collecting = createCutter((chunk) => chunks.push(Buffer.from(chunk)))
        const found = cutInPieces(collecting, bytes, pieces)
        expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
        expect(found.sizeBytes).toBe(length)
        expect(found.ids.length).toBe(chunks.length * 32)
        // One cutter for content after content, as threads use it.
        expect(cutInPieces(cutter, bytes, [1 << 20])).toEqual(found)
      }),
      { numRuns: 25 },
    )
  })

  test('of nothing has no chunk', () => {
    expect(createCutter().finish()).toEqual({ ids: Buffer.alloc(0), sizeBytes: 0 })
  })

  test('starts anew after content that broke off', () => {
    const cutter = createCutter()
    const bytes = content(50_000, 1)
    const whole = cutInPieces(cutter, bytes, [7000])
    feed(cutter, bytes, 7000)
    cutter.reset()
    expect(cutInPieces(cutter, bytes, [7000])).toEqual(whole)
    feed(cutter, Buffer.from([1]), 1)
    cutter.reset()
    expect(cutInPieces(cutter, bytes, [7000])).toEqual(whole)
  })

  test('begins a fresh segment every 64 MiB: what follows is cut as if it stood alone', () => {
    const cutter = createCutter()
    const tail = content(100_000, 3)
    const alone = cutInPieces(cutter, tail, [1 << 20])
    const hash = createHash('sha256')
    let sizeBytes = 0
    const head = Buffer.alloc(1 << 20, 5)
    const counting = createCutter((chunk) => {
      hash.update(chunk)
      sizeBytes += chunk.length
    })
    const feedAll = (all: Buffer): void => {
      for (let at = 0; at < all.length; ) at += feed(counting, all.subarray(at), all.length)
    }
    for (let at = 0; at < segmentBytes; at += head.length) feedAll(head)
    feedAll(tail)
    const found = counting.finish()
    expect([found.sizeBytes, sizeBytes]).toEqual([segmentBytes + 100_000, segmentBytes + 100_000])
    expect(found.ids.subarray(-alone.ids.length)).toEqual(alone.ids)
    cutter.startAt(segmentBytes)
    expect(cutInPieces(cutter, tail, [1 << 20])).toEqual(alone)
  })
})
