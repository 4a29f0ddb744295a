import { setImmediate } from 'node:timers/promises'
import type { Backend } from '../backend/index.ts'
import {
  createKeyedHasher,
  type FileOpener,
  HEADER_BYTES,
  type KeyedHasher,
  type Subkeys,
  saltOf,
} from '../crypto/index.ts'
import { type ChunkId, type FileId, ID_BYTES, toHex } from '../encoding/index.ts'
import { checkAborted, DamagedError, HoldfastError } from '../errors/index.ts'
import type { BlockPlace, ChunkPlace } from '../index/index.ts'
import {
  createBlockScratch,
  createPackOpener,
  type OpenedBlock,
  openBlock,
  type PackFooter,
  readFooter,
} from '../pack/index.ts'
import { fileName, type PackKind } from './layout.ts'
import type { StoredPack } from './list.ts'
import { type SealedBlock, type SealedBlocks, sealedBlock } from './sealed-blocks.ts'
import { withFileName } from './sealed-value.ts'
import { alone, type Stretch, stretchesOf } from './stretches.ts'

/** One block of a pack as it was read: its payload and plaintext, or why there is none. */
export type BlockResult =
  | ({ readonly place: BlockPlace } & OpenedBlock)
  | { readonly place: BlockPlace; readonly error: unknown }

const CACHE_BYTES: Record<PackKind, number> = { data: 32 * 1024 * 1024, tree: 64 * 1024 * 1024 }
/** Enough for a walk that opens each page once: neighbours lie in few blocks. */
const WALK_KEEPS_BYTES = 16 * 1024 * 1024
const OPENERS = 1024
/** Tree chunks that are read without a turn to the event loop; a block that is not kept counts as so many. */
const READ_NOW = 1024
const BLOCK_PAGES = 32

/** Reads and opens blocks. Bounded memory: the most recent blocks of each kind, and the keys of some packs. */
export class BlockReader {
  private readonly backend: Backend
  private readonly subkeys: Subkeys
  private readonly openers = new Map<FileId, FileOpener>()
  private readonly caches: Record<PackKind, BlockCache> = {
    data: new BlockCache(CACHE_BYTES.data),
    tree: new BlockCache(CACHE_BYTES.tree),
  }
  private readonly hashers: Record<PackKind, KeyedHasher>
  private readonly hash = Buffer.alloc(ID_BYTES)
  private readonly scratch = createBlockScratch()
  private sealed: Buffer = Buffer.alloc(0)
  /** Pages read without a promise since the last turn. */
  private readNow = 0

  constructor(backend: Backend, subkeys: Subkeys) {
    this.backend = backend
    this.subkeys = subkeys
    this.hashers = { data: createKeyedHasher(subkeys.dataIds), tree: createKeyedHasher(subkeys.treeIds) }
  }

  /** Keep few tree blocks from now on: enough for a walk that opens each page once. */
  beginWalk(): void {
    this.caches.tree.limitTo(WALK_KEEPS_BYTES)
  }

  /** Give back what is kept of trees, and keep as much as usual from now on. */
  endWalk(): void {
    this.caches.tree.limitTo(0)
    this.caches.tree.limitTo(CACHE_BYTES.tree)
  }

  /** The id a chunk's bytes have. */
  chunkIdOf(kind: PackKind, bytes: Uint8Array): ChunkId {
    return this.hashers[kind].hash(bytes) as Uint8Array as ChunkId
  }

  /** Cut a chunk out of its block's plaintext and check it against its id. A view. @throws DamagedError */
  cutChunk(plain: Buffer, id: ChunkId, place: ChunkPlace): Buffer {
    const bytes = this.cutSound(plain, id, place)
    if (bytes !== undefined) return bytes
    const { pack, kind } = place.block
    throw new DamagedError(fileName(kind, pack), `chunk ${toHex(id)} is not what its id says`)
  }

  private cutSound(plain: Buffer, id: ChunkId, place: ChunkPlace): Buffer | undefined {
    const end = place.offsetBytes + place.lengthBytes
    if (end > plain.length) return undefined
    const bytes = plain.subarray(place.offsetBytes, end)
    this.hashers[place.block.kind].hashInto(bytes, this.hash, 0)
    return this.hash.equals(id) ? bytes : undefined
  }

  /**
   * A tree chunk without a promise, out of a block that is kept, or read at once where storage can. undefined for
   * whatever goes wrong, which the other calls are to say; and now and then where all is well, so that the thread
   * turns to its event loop: `turn` first, then `readBlock`.
   */
  readTreeNow(id: ChunkId, place: ChunkPlace | undefined): Buffer | undefined {
    if (place?.block.kind !== 'tree') return undefined
    if (this.readNow >= READ_NOW) return undefined
    this.readNow++
    const plain = this.caches.tree.get(place.block) ?? this.readBlockNow(place.block)
    return plain && this.cutSound(plain, id, place)
  }

  /** Turn to the event loop if much was read without a promise since the last time. */
  async turn(): Promise<void> {
    if (this.readNow < READ_NOW) return
    this.readNow = 0
    await setImmediate()
  }

  private readBlockNow(place: BlockPlace): Buffer | undefined {
    const { backend } = this
    const { kind, pack } = place
    const name = fileName(kind, pack)
    if (backend.fillNow === undefined) return undefined
    if (this.sealed.length < place.storedBytes) this.sealed = Buffer.allocUnsafeSlow(place.storedBytes)
    const sealed = this.sealed.subarray(0, place.storedBytes)
    if (!backend.fillNow(name, place.offsetBytes, sealed)) return undefined
    this.readNow += BLOCK_PAGES
    try {
      const plain = this.scratch.open(
        this.openerOf(place),
        place,
        sealed,
        Buffer.allocUnsafeSlow(place.plainBytes),
      )
      this.caches[kind].put(place, plain)
      return plain
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error
      return undefined
    }
  }

  /** The plaintext of one block; kept for a while. Never written to. @throws DamagedError, NO_SUCH_FILE, IO */
  async readBlock(place: BlockPlace, signal?: AbortSignal): Promise<Buffer> {
    const cache = this.caches[place.kind]
    const known = cache.get(place)
    if (known !== undefined) return known
    const name = fileName(place.kind, place.pack)
    const sealed = await this.backend.getRange(name, place.offsetBytes, place.storedBytes, signal)
    const { plain } = this.open(place, sealed)
    cache.put(place, plain)
    return plain
  }

  /**
   * Read blocks of one pack, given in order of offset, neighbours in one request. Nothing is kept.
   * What cannot be read or opened is reported block by block.
   */
  async *readBlocks(places: readonly BlockPlace[], signal?: AbortSignal): AsyncGenerator<BlockResult> {
    for (const { group, offsetBytes, lengthBytes } of stretchesOf(places)) {
      checkAborted(signal)
      yield* this.readGroup(group, offsetBytes, lengthBytes, signal)
    }
  }

  /**
   * Fetch blocks of one pack, given in order of offset, neighbours in one request, for a thread to open. A block
   * that cannot be read has no stretch.
   */
  async fetchBlocks(places: readonly BlockPlace[], signal?: AbortSignal): Promise<SealedBlocks> {
    const { kind, pack, salt } = places[0]!
    const stretches: Buffer[] = []
    const blocks: SealedBlock[] = []
    const fetch = async (stretch: Stretch): Promise<void> => {
      const { group, offsetBytes, lengthBytes } = stretch
      let bytes: Buffer | undefined
      try {
        bytes = await this.backend.getRange(fileName(kind, pack), offsetBytes, lengthBytes, signal)
      } catch (error) {
        checkAborted(signal)
        if (!(error instanceof HoldfastError)) throw error
      }
      if (bytes === undefined && group.length > 1) {
        for (const place of group) await fetch(alone(place))
        return
      }
      const at = bytes === undefined ? -1 : stretches.push(bytes) - 1
      for (const place of group) blocks.push(sealedBlock(place, at, offsetBytes))
    }
    for (const stretch of stretchesOf(places)) await fetch(stretch)
    return { kind, pack, salt, blocks, stretches }
  }

  private async *readGroup(
    group: readonly BlockPlace[],
    offsetBytes: number,
    lengthBytes: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<BlockResult> {
    const { kind, pack } = group[0]!
    let bytes: Buffer
    try {
      bytes = await this.backend.getRange(fileName(kind, pack), offsetBytes, lengthBytes, signal)
    } catch (error) {
      checkAborted(signal)
      if (group.length > 1)
        for (const place of group)
          yield* this.readGroup([place], place.offsetBytes, place.storedBytes, signal)
      else yield { place: group[0]!, error }
      return
    }
    for (const place of group) {
      const at = place.offsetBytes - offsetBytes
      try {
        yield { place, ...this.open(place, bytes.subarray(at, at + place.storedBytes)) }
      } catch (error) {
        yield { place, error }
      }
    }
  }

  /**
   * A pack's own list of its blocks.
   *
   * @param known its salt; default: as its header says
   * @throws DamagedError, NO_SUCH_FILE, IO
   */
  async readFooter(
    { kind, id, sizeBytes }: StoredPack,
    known: Uint8Array | undefined,
    signal?: AbortSignal,
  ): Promise<PackContent> {
    const name = fileName(kind, id)
    const read = (offsetBytes: number, lengthBytes: number): Promise<Buffer> =>
      this.backend.getRange(name, offsetBytes, lengthBytes, signal)
    try {
      const salt = known ?? saltOf(kind, await read(0, Math.min(HEADER_BYTES, sizeBytes)))
      const opener = createPackOpener(kind, this.subkeys.files[kind], salt)
      return { salt, ...(await readFooter(opener, sizeBytes, read)) }
    } catch (error) {
      throw withFileName(name, error)
    }
  }

  private open(place: BlockPlace, sealed: Buffer): OpenedBlock {
    try {
      return openBlock(this.openerOf(place), place, sealed)
    } catch (error) {
      throw withFileName(fileName(place.kind, place.pack), error)
    }
  }

  private openerOf({ kind, pack, salt }: BlockPlace): FileOpener {
    const known = this.openers.get(pack)
    if (known !== undefined) return known
    const opener = createPackOpener(kind, this.subkeys.files[kind], salt)
    if (this.openers.size >= OPENERS) this.openers.delete(this.openers.keys().next().value!)
    this.openers.set(pack, opener)
    return opener
  }
}

/** What a pack says of itself: its salt in the header, the rest in the footer. */
export interface PackContent extends PackFooter {
  /** Memory of its own. */
  readonly salt: Uint8Array
}

/** Where the blocks of a pack lie, in order. */
export function packPlaces(
  kind: PackKind,
  pack: FileId,
  { salt, blocks }: Pick<PackContent, 'salt' | 'blocks'>,
): BlockPlace[] {
  let offsetBytes = HEADER_BYTES
  return blocks.map((block, number) => {
    const { storedBytes, payloadBytes, plainBytes, method } = block
    const place = { pack, kind, salt, number, offsetBytes, storedBytes, payloadBytes, plainBytes, method }
    offsetBytes += storedBytes
    return place
  })
}

interface CachedBlock {
  readonly plain: Buffer
  usedAt: number
}

/** Least recently used plaintexts up to a number of bytes: some hundreds of blocks. */
class BlockCache {
  private limitBytes: number
  private readonly packs = new Map<FileId, Map<number, CachedBlock>>()
  private bytes = 0
  private clock = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get({ pack, number }: BlockPlace): Buffer | undefined {
    const block = this.packs.get(pack)?.get(number)
    if (block !== undefined) block.usedAt = ++this.clock
    return block?.plain
  }

  put({ pack, number }: BlockPlace, plain: Buffer): void {
    let blocks = this.packs.get(pack)
    if (blocks?.has(number)) return
    while (this.bytes > 0 && this.bytes + plain.length > this.limitBytes) this.dropOldest()
    blocks = this.packs.get(pack)
    if (blocks === undefined) {
      blocks = new Map()
      this.packs.set(pack, blocks)
    }
    blocks.set(number, { plain, usedAt: ++this.clock })
    this.bytes += plain.length
  }

  limitTo(limitBytes: number): void {
    this.limitBytes = limitBytes
    while (this.bytes > limitBytes) this.dropOldest()
  }

  private dropOldest(): void {
    let oldest: { readonly pack: FileId; readonly number: number; readonly block: CachedBlock } | undefined
    for (const [pack, blocks] of this.packs) {
      for (const [number, block] of blocks) {
        if (oldest === undefined || block.usedAt < oldest.block.usedAt) oldest = { pack, number, block }
      }
    }
    if (oldest === undefined) return
    const blocks = this.packs.get(oldest.pack)!
    blocks.delete(oldest.number)
    if (blocks.size === 0) this.packs.delete(oldest.pack)
    this.bytes -= oldest.block.plain.length
  }
}
