import { loadZstd } from '../compression/index.ts'
import { createKeyedHasher, type KeyedHasher } from '../crypto/index.ts'
import type { ChunkId, SessionId } from '../encoding/index.ts'
import type { PackFacts } from '../index/index.ts'
import {
  type BlockBuilder,
  CHUNK_ROW_BYTES,
  createBlockBuilder,
  type PlainBlock,
  storedBlockBytes,
} from '../pack/index.ts'
import type { PackKind } from './layout.ts'
import { Packer } from './packer.ts'
import type { Repository } from './repository.ts'
import { createRunTableMemory, openRunTable, type RunTable, type RunTableMemory } from './run-table.ts'
import type { WriteQueueMemory } from './write-queue.ts'

/** Plaintext after which a data block closes. */
export const DATA_BLOCK_BYTES: number = 2 * 1024 * 1024
/** Tree blocks are small: one directory costs one small read. */
export const TREE_BLOCK_BYTES: number = 192 * 1024

export interface RunWriterOptions {
  /** zstd level of data blocks, 0 to store them as they are. Default: the repository's settings. */
  readonly compressionLevel?: number
  /** Slots of the table of chunks stored by this run. */
  readonly tableSlots?: number
  /** Store nothing; only count what would be stored. */
  readonly isDryRun?: boolean
}

/** What a run has added so far. Bytes are plaintext, packed bytes are what packs take in storage. */
export interface RunStatistics {
  dataChunks: number
  treeChunks: number
  dataBytes: number
  treeBytes: number
  /** Sealed blocks as they go into packs. */
  packedBytes: number
}

/** zstd level of tree blocks. */
export const TREE_LEVEL = 3

/**
 * Stores the chunks of one run under one session. A chunk that has a good copy, or was stored by this run, is
 * not stored again.
 */
export class RunWriter {
  readonly session: SessionId
  readonly compressionLevel: number
  /** For worker threads, which reserve chunks in the same table. */
  readonly tableMemory: RunTableMemory
  readonly statistics: RunStatistics = {
    dataChunks: 0,
    treeChunks: 0,
    dataBytes: 0,
    treeBytes: 0,
    packedBytes: 0,
  }
  private readonly isDryRun: boolean
  private readonly repository: Repository
  private readonly packer: Packer
  private readonly table: RunTable
  private readonly builders: Record<PackKind, BlockBuilder>
  private readonly treeHasher: KeyedHasher

  constructor(repository: Repository, session: SessionId, options: RunWriterOptions = {}) {
    this.repository = repository
    this.session = session
    this.compressionLevel = options.compressionLevel ?? repository.settings.compressionLevel
    this.isDryRun = options.isDryRun ?? false
    this.tableMemory = createRunTableMemory(options.tableSlots)
    this.table = openRunTable(this.tableMemory)
    const zstd = loadZstd()
    this.builders = {
      data: createBlockBuilder(zstd, DATA_BLOCK_BYTES, this.compressionLevel),
      tree: createBlockBuilder(zstd, TREE_BLOCK_BYTES, TREE_LEVEL),
    }
    this.treeHasher = createKeyedHasher(repository.subkeys.treeIds)
    this.packer = new Packer({
      backend: repository.backend,
      subkeys: repository.subkeys,
      session,
      settings: repository.settings,
      onPacks: (packs) => this.listPacks(packs),
    })
  }

  /** True when a snapshot may name this chunk: it has a good copy, or this run stores it. */
  isStored(id: ChunkId): boolean {
    return this.repository.index.has(id) || this.table.has(id)
  }

  /** True when the caller must store this data chunk: it has no good copy, and nobody in this run has it yet. */
  reserveData(id: ChunkId): boolean {
    return !this.repository.index.has(id) && this.table.reserve(id)
  }

  /** Store a tree chunk unless it is stored. */
  saveTree(bytes: Uint8Array): ChunkId {
    const id = this.treeHasher.hash(bytes) as Uint8Array as ChunkId
    this.saveChunk('tree', id, bytes)
    return id
  }

  /** Store a chunk whose id is known unless it is stored. @returns true when it was new */
  saveChunk(kind: PackKind, id: ChunkId, bytes: Uint8Array): boolean {
    if (this.repository.index.has(id) || !this.table.reserve(id)) return false
    const builder = this.builders[kind]
    if (builder.isFullFor(bytes.length)) this.closeBlock(kind)
    builder.add(id, bytes)
    return true
  }

  /** Memory for a block's payload. */
  allocate(lengthBytes: number): Uint8Array {
    return Buffer.allocUnsafeSlow(lengthBytes)
  }

  /** Store a block whose chunks the caller has reserved, here or in a worker. Owned by the writer from now on. */
  addBlock(kind: PackKind, block: PlainBlock): void {
    const { statistics } = this
    const chunks = block.chunks.length / CHUNK_ROW_BYTES
    if (kind === 'data') {
      statistics.dataChunks += chunks
      statistics.dataBytes += block.plainBytes
    } else {
      statistics.treeChunks += chunks
      statistics.treeBytes += block.plainBytes
    }
    statistics.packedBytes += storedBlockBytes(block.payload.length)
    if (this.isDryRun) block.release?.()
    else this.packer.add(kind, block)
  }

  /** Back-pressure: resolves when there is room for more. @throws what went wrong with earlier blocks */
  async drained(): Promise<void> {
    await this.packer.drained()
  }

  /** For worker threads, which wait while too much is on its way to storage. */
  get queueMemory(): WriteQueueMemory {
    return this.packer.queue.memory
  }

  /** Payload of blocks that are on their way to storage, in threads and here. */
  get waitingBytes(): number {
    return this.packer.queue.bytes
  }

  /** Bytes of finished packs of each kind. */
  get packedBytes(): Readonly<Record<PackKind, number>> {
    return this.packer.packedBytes
  }

  /** Everything stored is durable, and listed in durable index files, when this resolves. */
  async finish(): Promise<void> {
    this.closeBlock('data')
    this.closeBlock('tree')
    await this.packer.finish()
  }

  /** Give up what is not in a finished pack. */
  async discard(): Promise<void> {
    await this.packer.discard()
  }

  private closeBlock(kind: PackKind): void {
    const block = this.builders[kind].take()
    if (block !== undefined) this.addBlock(kind, block)
  }

  /** Packs are durable: say durably what they hold, then let this client rely on it. */
  private async listPacks(packs: readonly PackFacts[]): Promise<void> {
    await this.repository.putFacts({ packs, condemned: [], replaces: [] }, this.session)
  }
}
