import { randomBytes } from 'node:crypto'
import { loadZstd } from '../../../src/compression/index.ts'
import { saltOf } from '../../../src/crypto/index.ts'
import { type ChunkId, chunkId, parseSessionId, type SessionId } from '../../../src/encoding/index.ts'
import {
  createBlockBuilder,
  createPackOpener,
  FIRST_BLOCK_OFFSET,
  type FinishedPack,
  openBlock,
  type PackFooter,
  PackWriter,
  type PlainBlock,
  readFooter,
} from '../../../src/pack/index.ts'

export const subkey: Buffer = Buffer.alloc(32, 0x5a)
export const session: SessionId = parseSessionId('00112233445566778899aabbccddeeff')!

export interface Chunk {
  readonly id: ChunkId
  readonly bytes: Uint8Array
}

/** A chunk with a random id: packs do not look at what ids mean. */
export function chunk(bytes: Uint8Array): Chunk {
  return { id: chunkId(randomBytes(32)), bytes }
}

export function makeBlock(chunks: readonly Chunk[], level = 3): PlainBlock {
  const builder = createBlockBuilder(loadZstd(), 1024 * 1024, level)
  for (const { id, bytes } of chunks) builder.add(id, bytes)
  return builder.take()!
}

/** Write a whole pack into memory. */
export async function makePack(
  blocks: readonly PlainBlock[],
  hideSize = false,
): Promise<{ readonly file: Buffer; readonly pack: FinishedPack }> {
  const parts: Uint8Array[] = []
  const writer = new PackWriter('data', subkey, session, {
    append: async (bytes) => void parts.push(Uint8Array.from(bytes)),
  })
  for (const block of blocks) await writer.append(block)
  const pack = await writer.finish(hideSize)
  return { file: Buffer.concat(parts), pack }
}

/** Read a whole pack: its footer, and the plaintext of each block. */
export async function readPack(
  file: Buffer,
): Promise<{ readonly footer: PackFooter; readonly plain: readonly Buffer[] }> {
  const opener = createPackOpener('data', subkey, saltOf('data', file))
  const footer = await readFooter(opener, file.length, async (offset, length) =>
    file.subarray(offset, offset + length),
  )
  let offset = FIRST_BLOCK_OFFSET
  const plain = footer.blocks.map((block, number) => {
    const sealed = file.subarray(offset, offset + block.storedBytes)
    offset += block.storedBytes
    return openBlock(opener, { number, ...block }, sealed).plain
  })
  return { footer, plain }
}
