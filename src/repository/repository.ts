import { isAbsolute } from 'node:path'
import type { Backend } from '../backend/index.ts'
import type { Subkeys } from '../crypto/index.ts'
import { type ChunkId, type FileId, type SessionId, toHex, type Value } from '../encoding/index.ts'
import { checkAborted, DamagedError, HoldfastError, hasCode, isLossOfData } from '../errors/index.ts'
import type { BlockPlace, ChunkPlace, ClientIndex, IndexFacts } from '../index/index.ts'
import { BlockReader, type BlockResult, type PackContent } from './block-reader.ts'
import { checkWritable, type RepositoryConfig } from './config.ts'
import { indexFileValue } from './index-file.ts'
import { fileName, type NamedKind, type PackKind } from './layout.ts'
import type { StoredPack } from './list.ts'
import { type LoadOptions, loadIndex } from './load.ts'
import type { SealedBlocks } from './sealed-blocks.ts'
import { fileIdOf, openValue, sealValue, type ValueKind } from './sealed-value.ts'
import type { Settings } from './settings.ts'

/** Kinds of small files that are named by their hash and hold one sealed value. */
export type NamedValueKind = ValueKind & NamedKind

export interface RepositoryParts {
  readonly backend: Backend
  readonly config: RepositoryConfig
  readonly masterKey: Buffer
  readonly subkeys: Subkeys
  readonly settings: Settings
  readonly index: ClientIndex
  /** Where the client index is; undefined when it is in memory. */
  readonly indexDirectory: string | undefined
  /** The key that opened the repository. */
  readonly keyName: FileId
  /** Lines for the user that are no errors. */
  readonly onNotice: (message: string) => void
}

/** An open repository: one key, one door to its storage. Made by `openRepository` or `createRepository`. */
export class Repository {
  readonly backend: Backend
  readonly config: RepositoryConfig
  readonly masterKey: Buffer
  readonly subkeys: Subkeys
  readonly settings: Settings
  readonly index: ClientIndex
  /** `ClientIndex.generation` of what the last `loadIndex` has taken in. To be read as soon as that resolves. */
  loadedGeneration = -1
  readonly indexDirectory: string | undefined
  /** The key in use, which cannot be removed: the one that opened the repository, or took its place since. */
  keyName: FileId
  readonly onNotice: (message: string) => void
  private readonly blocks: BlockReader
  private readonly noticed = new Set<string>()

  constructor(parts: RepositoryParts) {
    this.backend = parts.backend
    this.config = parts.config
    this.masterKey = parts.masterKey
    this.subkeys = parts.subkeys
    this.settings = parts.settings
    this.index = parts.index
    this.indexDirectory = parts.indexDirectory
    this.keyName = parts.keyName
    this.onNotice = parts.onNotice
    this.blocks = new BlockReader(parts.backend, parts.subkeys)
  }

  /** The repository's id, 16 bytes. */
  get id(): Uint8Array {
    return this.config.id
  }

  /** The folder on this machine that the repository is, absolute; undefined for one that is elsewhere. */
  get localFolder(): string | undefined {
    const { location } = this.backend
    return isAbsolute(location) ? location : undefined
  }

  /** Take in every fact that is durable now. @returns true when there was anything new @throws DamagedError */
  async loadIndex(options: LoadOptions = {}): Promise<boolean> {
    return await loadIndex(this, options)
  }

  /** Tell the user, but only the first time. */
  noticeOnce(message: string): void {
    if (this.noticed.has(message)) return
    this.noticed.add(message)
    this.onNotice(message)
  }

  /** @throws HoldfastError NEWER_FORMAT when this program may only read */
  checkWritable(): void {
    checkWritable(this.config)
  }

  /**
   * Read one chunk, authenticated and re-hashed, from any copy that can be read: good ones first. When none
   * can, the index is loaded again as long as that brings something new. A pack that gives a damaged block is lost for
   * this client from then on: the next backup stores anew what its source still has of it.
   *
   * @returns a view into a block that may be shared: not to be written to
   * @throws DamagedError when no copy can be read
   */
  async readChunk(kind: PackKind, id: ChunkId, signal?: AbortSignal): Promise<Buffer> {
    const tried = new Set<string>()
    const untried = (): ChunkPlace[] =>
      this.index.findAll(id).filter(({ block }) => block.kind === kind && !tried.has(nameOfBlock(block)))
    let problem: unknown
    for (;;) {
      for (const place of untried()) {
        tried.add(nameOfBlock(place.block))
        try {
          return this.blocks.cutChunk(await this.blocks.readBlock(place.block, signal), id, place)
        } catch (error) {
          checkAborted(signal)
          if (!isLossOfData(error) && !hasCode(error, 'IO')) throw error
          if (hasCode(error, 'DAMAGED')) this.noteLost(place.block.pack)
          // What could not be read now is not known to be lost.
          if (problem === undefined || hasCode(error, 'IO')) problem = error
        }
      }
      if (await this.loadIndex({ tolerateDamage: true, signal })) continue
      // Somebody else in this process may have loaded the news.
      if (untried().length > 0) continue
      if (problem !== undefined && !hasCode(problem, 'NO_SUCH_FILE')) throw problem
      const place = this.index.findAll(id)[0]
      if (place !== undefined) {
        throw new DamagedError(fileName(kind, place.block.pack), 'it is missing', { cause: problem })
      }
      throw new HoldfastError('DAMAGED', `chunk ${toHex(id)} is in no pack that the index knows`, {
        hint: 'run holdfast repair index, then holdfast verify',
      })
    }
  }

  private noteLost(pack: FileId): void {
    if (this.index.pack(pack)?.state !== 'good') return
    try {
      this.index.markLost([pack])
    } catch (error) {
      // Reading goes on without a cache that can be written.
      if (!hasCode(error, 'IO')) throw error
    }
  }

  /** One tree chunk; see `readChunk`. */
  async readTree(id: ChunkId): Promise<Buffer> {
    await this.blocks.turn()
    return await this.readChunk('tree', id)
  }

  /** The same from a good copy that is at hand or on a disk of this machine; undefined sends the caller to `readTree`. */
  readTreeNow(id: ChunkId): Buffer | undefined {
    return this.blocks.readTreeNow(id, this.index.find(id))
  }

  /** To be called before a walk that opens each page once: it keeps few of the blocks that were read. */
  beginWalk(): void {
    this.blocks.beginWalk()
  }

  /** The walk is over: what it keeps is given back. */
  endWalk(): void {
    this.blocks.endWalk()
  }

  /** Blocks of one pack in order of offset, neighbours in one request; failures block by block. */
  readBlocks(places: readonly BlockPlace[], signal?: AbortSignal): AsyncGenerator<BlockResult> {
    return this.blocks.readBlocks(places, signal)
  }

  /** The same blocks as they are stored, for a thread to open (`createBlockOpener`). */
  async fetchBlocks(places: readonly BlockPlace[], signal?: AbortSignal): Promise<SealedBlocks> {
    return await this.blocks.fetchBlocks(places, signal)
  }

  /** The id these bytes have as a chunk of this kind. */
  chunkIdOf(kind: PackKind, bytes: Uint8Array): ChunkId {
    return this.blocks.chunkIdOf(kind, bytes)
  }

  /** What a pack says of itself, also where its header is damaged if the index lists it. @throws DamagedError, NO_SUCH_FILE, IO */
  async readPack(pack: StoredPack, signal?: AbortSignal): Promise<PackContent> {
    return await this.blocks.readFooter(pack, this.index.pack(pack.id)?.salt, signal)
  }

  /** Store one small file; durable when it resolves. @returns its name, the hash of its bytes */
  async putValue(kind: NamedValueKind, value: Value, session: SessionId): Promise<FileId> {
    const bytes = sealValue(this, kind, value)
    const id = fileIdOf(bytes)
    await this.backend.put(fileName(kind, id), bytes, { owner: session })
    return id
  }

  /**
   * Say facts in an index file of their own: durable first, then this client relies on them. What they name must
   * be durable already.
   *
   * @returns the index file's name
   */
  async putFacts(facts: IndexFacts, session: SessionId): Promise<FileId> {
    const file = await this.putValue('index', indexFileValue(facts), session)
    await this.index.update(once({ file, facts }))
    return file
  }

  /**
   * Read one small file, from the cache where it is kept there.
   *
   * @param options.kept with `isCached`: gets a file that was not in the cache, for the caller to keep it there
   *   with others; else it is kept at once
   * @throws HoldfastError NO_SUCH_FILE, DamagedError
   */
  async getValue<Result>(
    kind: NamedValueKind,
    id: FileId,
    parse: (value: Value) => Result,
    options: {
      readonly isCached?: boolean
      readonly kept?: [name: string, bytes: Buffer][]
      readonly signal?: AbortSignal | undefined
    } = {},
  ): Promise<Result> {
    const name = fileName(kind, id)
    if (options.isCached) {
      const cached = this.index.getCached(name)
      if (cached !== undefined && fileIdOf(cached) === id) return openValue(this, kind, name, cached, parse)
    }
    const bytes = await this.backend.get(name, options.signal)
    if (fileIdOf(bytes) !== id)
      throw new DamagedError(name, 'its bytes do not have the hash that is its name')
    const result = openValue(this, kind, name, bytes, parse)
    if (options.kept !== undefined) options.kept.push([name, bytes])
    else if (options.isCached) this.index.putCached([[name, bytes]])
    return result
  }

  async removeFile(kind: NamedKind, id: FileId): Promise<void> {
    await this.backend.remove(fileName(kind, id))
  }

  /** Release the index and the storage. Nothing may be called afterwards. */
  async close(): Promise<void> {
    await this.index.close()
    await this.backend.close()
  }
}

function nameOfBlock({ pack, number }: BlockPlace): string {
  return `${pack} ${number}`
}

async function* once<Item>(item: Item): AsyncGenerator<Item> {
  yield item
}
