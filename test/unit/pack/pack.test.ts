import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSealer, HEADER_BYTES, hashBytes, saltOf, TAG_BYTES } from '../../../src/crypto/index.ts'
import { encodeValue, toHex } from '../../../src/encoding/index.ts'
import {
  CHUNK_ROW_BYTES,
  createPackOpener,
  expandPayload,
  MAXIMUM_BLOCK_CHUNKS,
  methods,
  openBlock,
  PackWriter,
  type PlainBlock,
  padContent,
  padmeBytes,
  readFooter,
} from '../../../src/pack/index.ts'
import { chunk, makeBlock, makePack, readPack, session, subkey } from './make-pack.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })
const text = Buffer.from('some text that compresses well. '.repeat(3000))

const blocks = [
  makeBlock([chunk(text), chunk(Buffer.from('tail'))]),
  makeBlock([chunk(randomBytes(5000)), chunk(Buffer.alloc(1)), chunk(randomBytes(4096))]),
  makeBlock([chunk(Buffer.from('x'))]),
]

const plainOf = (block: PlainBlock): Buffer =>
  expandPayload(block.method, Buffer.from(block.payload), block.plainBytes)

test('a pack is read back from its own bytes and named by their hash', async () => {
  const { file, pack } = await makePack(blocks)
  expect(pack.sizeBytes).toBe(file.length)
  expect(pack.id).toBe(toHex(hashBytes(file)))
  const { footer, plain } = await readPack(file)
  expect(footer.session).toBe(session)
  expect(footer.blocks.map((block) => block.storedBytes)).toEqual([4096, 12_288, 4096])
  expect(footer.blocks.map((block) => Buffer.from(block.chunks))).toEqual(
    blocks.map((block) => Buffer.from(block.chunks)),
  )
  expect(pack.blocks.map((block) => block.plainBytes)).toEqual(blocks.map((block) => block.plainBytes))
  expect(plain).toEqual(blocks.map(plainOf))
})

test('blocks lie end to end after the header, then the footer and its length', async () => {
  const { file, pack } = await makePack(blocks)
  const blockBytes = pack.blocks.reduce((sum, block) => sum + block.storedBytes, 0)
  const footerBytes = file.readUInt32LE(file.length - 4)
  expect(HEADER_BYTES + blockBytes + footerBytes + 4).toBe(file.length)
  expect((footerBytes - TAG_BYTES) % 512).toBe(0)
})

test('every changed byte is found by the name, and without the name by opening', {
  timeout: 30_000,
}, async () => {
  const { file, pack } = await makePack([
    makeBlock([chunk(Buffer.alloc(3000, 1))]),
    makeBlock([chunk(randomBytes(3000))]),
  ])
  for (let at = 0; at < file.length; at++) {
    const changed = Buffer.from(file)
    changed[at]! ^= 1 << (at & 7)
    if (toHex(hashBytes(changed)) === pack.id) expect.fail(`byte ${at} does not change the name`)
    const code = await readPack(changed).then(
      () => 'none',
      (error: { code?: string }) => error.code,
    )
    if (code !== (at === 8 && changed[8] !== 0 ? 'NEWER_FORMAT' : 'DAMAGED')) {
      expect.fail(`byte ${at} changed: ${code}`)
    }
  }
})

test('every cut, and bytes added, are found', async () => {
  const { file } = await makePack(blocks.slice(2))
  for (let length = 0; length < file.length; length += 1 + (length % 7)) {
    await expect(readPack(file.subarray(0, length))).rejects.toThrow(damaged)
  }
  await expect(readPack(Buffer.concat([file, Buffer.alloc(1)]))).rejects.toThrow(damaged)
  await expect(readPack(Buffer.concat([file, file.subarray(-4)]))).rejects.toThrow(damaged)
  // A block taken out of the middle leaves an authentic footer that no longer fits.
  const { file: three } = await makePack(blocks)
  const gap = Buffer.concat([three.subarray(0, HEADER_BYTES), three.subarray(HEADER_BYTES + 4096)])
  await expect(readPack(gap)).rejects.toThrow(damaged)
})

test('a block does not open in another place, pack or kind', async () => {
  const [one, two] = [await makePack(blocks), await makePack(blocks)]
  const block = (file: Buffer, number: number): Buffer => {
    const stored = [4096, 12_288, 4096]
    const from = HEADER_BYTES + stored.slice(0, number).reduce((sum, bytes) => sum + bytes, 0)
    return file.subarray(from, from + stored[number]!)
  }
  const opener = createPackOpener('data', subkey, one.pack.salt)
  const shape = { number: 0, ...one.pack.blocks[0]! }
  const opened = openBlock(opener, shape, block(one.file, 0))
  expect(opened.plain.equals(plainOf(blocks[0]!))).toBe(true)
  expect(Buffer.compare(opened.payload, blocks[0]!.payload)).toBe(0)
  expect(() => openBlock(opener, shape, block(one.file, 2))).toThrow(damaged)
  expect(() => openBlock(opener, { ...shape, number: 2 }, block(one.file, 0))).toThrow(damaged)
  expect(() => openBlock(opener, shape, block(two.file, 0))).toThrow(damaged)
  expect(() => openBlock(createPackOpener('tree', subkey, one.pack.salt), shape, block(one.file, 0))).toThrow(
    damaged,
  )
  expect(() =>
    openBlock(createPackOpener('data', Buffer.alloc(32), one.pack.salt), shape, block(one.file, 0)),
  ).toThrow(damaged)
})

test('a block with a wrong shape is damage, not a crash and not other bytes', async () => {
  const { file, pack } = await makePack(blocks)
  const opener = createPackOpener('data', subkey, saltOf('data', file))
  const sealed = [file.subarray(48, 48 + 4096), file.subarray(48 + 4096, 48 + 4096 + 12_288)]
  for (const number of [0, 1]) {
    const shape = { number, ...pack.blocks[number]! }
    for (const change of [
      { plainBytes: shape.plainBytes - 1 },
      { plainBytes: shape.plainBytes + 1 },
      { plainBytes: 0 },
      { payloadBytes: shape.payloadBytes - 1 },
      { payloadBytes: 0 },
      { payloadBytes: 1_000_000 },
      { method: 1 - shape.method },
    ]) {
      expect(() => openBlock(opener, { ...shape, ...change }, sealed[number]!)).toThrow(damaged)
    }
  }
})

test('the footer is read in one go where it is small, in two where it is not', async () => {
  const many = Array.from({ length: 3000 }, () => chunk(randomBytes(1)))
  for (const [block, reads] of [
    [makeBlock([chunk(text)]), 1],
    [makeBlock(many), 2],
  ] as const) {
    const { file } = await makePack([block])
    const ranges: [number, number][] = []
    const opener = createPackOpener('data', subkey, saltOf('data', file))
    const footer = await readFooter(opener, file.length, async (offset, length) => {
      ranges.push([offset, length])
      expect(offset).toBeGreaterThanOrEqual(0)
      expect(offset + length).toBeLessThanOrEqual(file.length)
      return file.subarray(offset, offset + length)
    })
    expect(footer.blocks[0]!.chunks.length).toBe(block.chunks.length)
    expect(ranges.length).toBe(reads)
  }
})

test('a stated footer length is bounded before anything is read or kept', async () => {
  const { file } = await makePack(blocks)
  const opener = createPackOpener('data', subkey, saltOf('data', file))
  const sizeBytes = 900 * 1024 * 1024
  for (const stated of [0xffffffff, sizeBytes - 51, 65 * 1024 * 1024]) {
    let asked = 0
    const read = async (_offset: number, length: number): Promise<Buffer> => {
      asked += length
      const tail = Buffer.alloc(length)
      tail.writeUInt32LE(stated, length - 4)
      return tail
    }
    await expect(readFooter(opener, sizeBytes, read)).rejects.toThrow(damaged)
    expect(asked).toBeLessThanOrEqual(64 * 1024)
  }
})

test('an authentic footer with blocks that do not fit, or nonsense in it, is damage', async () => {
  const footers = [
    Buffer.alloc(0),
    Buffer.from('nonsense'),
    encodeValue([Buffer.alloc(16), [[4096, 1, methods.stored, rows(1)]]]),
    encodeValue([Buffer.alloc(16), Array(3).fill([4096, 1, methods.stored, rows(1)])]),
    encodeValue([Buffer.alloc(16), [[8192, 5000, methods.zstd, rows(1)]]]),
  ]
  const expected = ['DAMAGED', 'DAMAGED', 'none', 'DAMAGED', 'DAMAGED']
  const codes: (string | undefined)[] = []
  for (const footer of footers) {
    const sealer = createSealer('data', subkey, Buffer.alloc(0))
    const block = sealer.seal(Buffer.alloc(4080))
    const sealed = sealer.sealFooter(padContent(footer, Buffer.alloc(512)))
    const trailer = Buffer.alloc(4)
    trailer.writeUInt32LE(sealed.length)
    const file = Buffer.concat([sealer.header, block, sealed, trailer])
    codes.push(
      await readPack(file).then(
        () => 'none',
        (error: { code?: string }) => error.code,
      ),
    )
  }
  expect(codes).toEqual(expected)
})

function rows(...lengths: number[]): Buffer {
  const table = Buffer.alloc(lengths.length * CHUNK_ROW_BYTES)
  lengths.forEach((length, index) => {
    table.writeUInt32LE(length, index * CHUNK_ROW_BYTES + 32)
  })
  return table
}

describe('PackWriter', () => {
  test('hides its size among PADMÉ lengths when asked', async () => {
    for (let count = 1; count <= 40; count += 3) {
      const list = Array.from({ length: count }, () => blocks[1]!)
      const { file, pack } = await makePack(list, true)
      expect(padmeBytes(file.length)).toBe(file.length)
      expect(pack.sizeBytes).toBe(file.length)
      expect(pack.id).toBe(toHex(hashBytes(file)))
      expect((await readPack(file)).plain.length).toBe(count)
    }
  })

  test('packs of the same blocks have other bytes and names', async () => {
    const [one, two] = [await makePack(blocks), await makePack(blocks)]
    expect(one.pack.id).not.toBe(two.pack.id)
    expect(one.file.length).toBe(two.file.length)
  })

  test('a block may be reused when append() resolves', async () => {
    const block = makeBlock([chunk(randomBytes(100))])
    const expected = { payload: Buffer.from(block.payload), chunks: Buffer.from(block.chunks) }
    const parts: Uint8Array[] = []
    const writer = new PackWriter('data', subkey, session, {
      append: async (bytes) => void parts.push(Uint8Array.from(bytes)),
    })
    await writer.append(block)
    block.payload.fill(0)
    block.chunks.fill(0)
    await writer.finish(false)
    const { footer, plain } = await readPack(Buffer.concat(parts))
    expect(Buffer.from(footer.blocks[0]!.chunks)).toEqual(expected.chunks)
    expect(plain[0]).toEqual(expected.payload)
  })

  test('tells how much it has written', async () => {
    const writer = new PackWriter('tree', subkey, session, { append: async () => {} })
    expect(writer.sizeBytes).toBe(0)
    await writer.append(blocks[2]!)
    expect(writer.sizeBytes).toBe(HEADER_BYTES + 4096)
    const before = writer.sizeBytes
    const pack = await writer.finish(false)
    expect(pack.sizeBytes).toBeGreaterThan(before)
  })

  test('a failing sink fails the append with its own error', async () => {
    const full = new Error('no space')
    const writer = new PackWriter('data', subkey, session, { append: () => Promise.reject(full) })
    await expect(writer.append(blocks[0]!)).rejects.toBe(full)
  })

  test('a pack without blocks is a mistake', async () => {
    await expect(makePack([])).rejects.toThrow(/at least one block/)
  })

  test('filled until isFull with the smallest chunks, its footer is still read', async () => {
    const lengths = Buffer.alloc(MAXIMUM_BLOCK_CHUNKS * CHUNK_ROW_BYTES)
    for (let at = 32; at < lengths.length; at += CHUNK_ROW_BYTES) lengths.writeUInt32LE(1, at)
    const block: PlainBlock = {
      method: methods.zstd,
      payload: Buffer.alloc(100),
      plainBytes: MAXIMUM_BLOCK_CHUNKS,
      chunks: lengths,
    }
    const parts: Uint8Array[] = []
    const writer = new PackWriter('data', subkey, session, {
      append: async (bytes) => void parts.push(Uint8Array.from(bytes)),
    })
    let count = 0
    for (; count < 40 && !writer.isFull; count++) await writer.append(block)
    await writer.finish(true)
    const file = Buffer.concat(parts)
    const opener = createPackOpener('data', subkey, saltOf('data', file))
    const footer = await readFooter(opener, file.length, async (from, length) =>
      file.subarray(from, from + length),
    )
    expect(footer.blocks.length).toBe(count)
  })
})
