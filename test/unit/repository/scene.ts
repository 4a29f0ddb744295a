import { randomBytes } from 'node:crypto'
import { type Backend, createMemoryBackend, type MemoryOperation } from '../../../src/backend/index.ts'
import { chunkerConfig } from '../../../src/backup/index.ts'
import { loadZstd } from '../../../src/compression/index.ts'
import type { ScryptCost, Secret } from '../../../src/crypto/index.ts'
import type { ChunkId, FileId, SessionId } from '../../../src/encoding/index.ts'
import { createBlockBuilder } from '../../../src/pack/index.ts'
import {
  type BlockPlace,
  type CreateOptions,
  createRepository,
  endSession,
  type OpenOptions,
  openRepository,
  type PackKind,
  type Repository,
  RunWriter,
  type RunWriterOptions,
  startSession,
} from '../../../src/repository/index.ts'

export const secret: Secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 7) }
/** The least that is allowed: tests open many keys. */
export const cheapCost: ScryptCost = { logN: 10, r: 8, p: 1 }

/** The files of one repository in memory, and every call that any client of it made. */
export interface MemoryStore {
  readonly files: Map<string, Buffer>
  readonly calls: { readonly operation: MemoryOperation; readonly name: string }[]
  /** Asked before every call; what it throws is the call's error. */
  before: (operation: MemoryOperation, name: string) => void | Promise<void>
  backend(): Backend
  create(options?: Partial<CreateOptions>): Promise<Repository>
  open(options?: Partial<OpenOptions>): Promise<Repository>
  /** Names below a directory. */
  names(directory: string): string[]
}

export function createStore(files: Map<string, Buffer> = new Map()): MemoryStore {
  const calls: { operation: MemoryOperation; name: string }[] = []
  const store: MemoryStore = {
    files,
    calls,
    before: () => {},
    backend: () =>
      createMemoryBackend({
        files,
        async onCall(operation, name) {
          calls.push({ operation, name })
          await store.before(operation, name)
        },
      }),
    create: (options) =>
      createRepository(store.backend(), {
        secret,
        cacheDirectory: null,
        chunker: chunkerConfig(),
        nowMs: 1_700_000_000_000,
        cost: cheapCost,
        ...options,
      }),
    open: (options) => openRepository(store.backend(), { secret, cacheDirectory: null, ...options }),
    names: (directory) => [...files.keys()].filter((name) => name.startsWith(`${directory}/`)).sort(),
  }
  return store
}

/** Run something with a writer under a session of its own; what it stored is durable and listed afterwards. */
export async function write<Result>(
  repository: Repository,
  use: (writer: RunWriter, session: SessionId) => Result | Promise<Result>,
  options?: RunWriterOptions,
): Promise<Result> {
  const session = await startSession(repository.backend, repository, 'test', 1_700_000_000_000)
  const writer = new RunWriter(repository, session, options)
  const result = await use(writer, session)
  await writer.finish()
  await endSession(repository.backend, session)
  return result
}

/** Store chunks; their ids in the same order. */
export async function storeChunks(
  repository: Repository,
  kind: PackKind,
  chunks: readonly Uint8Array[],
): Promise<ChunkId[]> {
  return await write(repository, (writer) =>
    chunks.map((bytes) => {
      const id = ownId(repository, kind, bytes)
      writer.saveChunk(kind, id, bytes)
      return id
    }),
  )
}

/** Store blocks of exactly these chunks in one data pack, uncompressed; where the blocks lie. */
export async function storeBlocks(
  repository: Repository,
  blocks: readonly (readonly Uint8Array[])[],
): Promise<{ readonly pack: FileId; readonly places: readonly BlockPlace[] }> {
  const before = new Set([...repository.index.packs()].map((row) => row.id))
  await write(repository, (writer) => {
    for (const chunks of blocks) {
      const builder = createBlockBuilder(loadZstd(), 64 * 1024, 0)
      for (const bytes of chunks) builder.add(ownId(repository, 'data', bytes), bytes)
      writer.addBlock('data', builder.take()!)
    }
  })
  const added = [...repository.index.packs()].filter((row) => !before.has(row.id))
  if (added.length !== 1) throw new Error(`${added.length} packs were written`)
  return { pack: added[0]!.id, places: repository.index.blocks(added[0]!.number) }
}

/** A chunk's id in memory of its own. */
export function ownId(repository: Repository, kind: PackKind, bytes: Uint8Array): ChunkId {
  return Uint8Array.from(repository.chunkIdOf(kind, bytes)) as ChunkId
}

export function randomChunks(count: number, lengthBytes: number): Buffer[] {
  return Array.from({ length: count }, () => randomBytes(lengthBytes))
}

/** Flip one bit of a stored file, in a copy: listings and readers hold the old bytes. */
export function flipBit(files: Map<string, Buffer>, name: string, at: number): void {
  const bytes = Buffer.from(files.get(name)!)
  bytes[at]! ^= 0x10
  files.set(name, bytes)
}
