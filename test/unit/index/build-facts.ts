import { createHash } from 'node:crypto'
import { type ChunkId, chunkId, type FileId, type SessionId } from '../../../src/encoding/index.ts'
import type { BlockFacts, IndexFacts, PackFacts } from '../../../src/index/index.ts'

/** Ids that follow from a name, so that failures can be read. */
export function idOf(name: string): ChunkId {
  return chunkId(createHash('sha256').update(name).digest())
}

export function fileOf(name: string): FileId {
  return createHash('sha256').update(`file ${name}`).digest('hex') as FileId
}

export const session: SessionId = '0123456789abcdef0123456789abcdef' as SessionId

export interface ChunkSketch {
  readonly id: ChunkId
  readonly lengthBytes: number
}

export function blockOf(chunks: readonly ChunkSketch[]): BlockFacts {
  const rows = Buffer.concat(
    chunks.map(({ id, lengthBytes }) => {
      const row = Buffer.alloc(36)
      row.set(id)
      row.writeUInt32LE(lengthBytes, 32)
      return row
    }),
  )
  const plainBytes = chunks.reduce((sum, chunk) => sum + chunk.lengthBytes, 0)
  return { storedBytes: 4096 * chunks.length, payloadBytes: plainBytes, plainBytes, method: 1, chunks: rows }
}

/** A pack named `name` whose blocks hold the chunks with these names, each 100 bytes and its number long. */
export function packOf(name: string, blocks: readonly (readonly string[])[]): PackFacts {
  const built = blocks.map((chunks) =>
    blockOf(chunks.map((chunk, place) => ({ id: idOf(chunk), lengthBytes: 100 + place }))),
  )
  const sizeBytes = built.reduce((sum, block) => sum + block.storedBytes, 48)
  return {
    id: fileOf(name),
    kind: name.startsWith('tree') ? 'tree' : 'data',
    sizeBytes,
    session,
    salt: new Uint8Array(idOf(`salt of ${name}`)),
    blocks: built,
  }
}

export function factsOf(facts: Partial<IndexFacts>): IndexFacts {
  return { packs: [], condemned: [], replaces: [], ...facts }
}

export interface IndexFile {
  readonly file: FileId
  readonly facts: IndexFacts
}

export function indexFile(name: string, facts: Partial<IndexFacts>): IndexFile {
  return { file: fileOf(name), facts: factsOf(facts) }
}

/** The files in order; with `failure`, it is thrown after the last. */
export async function* filesOf(files: readonly IndexFile[], failure?: Error): AsyncGenerator<IndexFile> {
  yield* files
  if (failure) throw failure
}
