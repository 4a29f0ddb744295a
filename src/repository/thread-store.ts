import { closeSync } from 'node:fs'
import { loadZstd } from '../compression/index.ts'
import { createKeyedHasher, type FileOpener, hashImplementation } from '../crypto/index.ts'
import type { ChunkId, FileId } from '../encoding/index.ts'
import { hasCode, systemCode } from '../errors/index.ts'
import { fillFrom } from '../filesystem/index.ts'
import {
  type BlockPlace,
  type ChunkReader,
  type IndexAddress,
  loadLmdb,
  openIndexReader,
} from '../index/index.ts'
import {
  type BlockBuilder,
  createBlockBuilder,
  createPackOpener,
  openBlock,
  type PlainBlock,
} from '../pack/index.ts'
import {
  type BlockSlotsMemory,
  createBlockSlotsMemory,
  createSlotAllocator,
  openBlockSlots,
} from './block-slots.ts'
import type { PackKind } from './layout.ts'
import { openLocalPack } from './local-blocks.ts'
import type { Repository } from './repository.ts'
import { openRunTable, type RunTable, type RunTableMemory } from './run-table.ts'
import { type RunWriter, TREE_BLOCK_BYTES, TREE_LEVEL } from './run-writer.ts'
import { WriteQueue, type WriteQueueMemory } from './write-queue.ts'

/** What a thread needs to store chunks for a run; plain data. */
export interface ThreadStoreSettings {
  readonly index: IndexAddress
  readonly cacheCheckKey: Uint8Array
  readonly treeIdsKey: Uint8Array
  readonly treeFilesKey: Uint8Array
  /** The repository's folder where it is one on this machine. */
  readonly localFolder: string | undefined
  readonly table: RunTableMemory
  readonly queue: WriteQueueMemory
  readonly slots: BlockSlotsMemory
}

/** @param index where the repository's own client index is */
export function threadStoreSettings(
  repository: Repository,
  writer: RunWriter,
  { index, threads }: { readonly index: IndexAddress; readonly threads: number },
): ThreadStoreSettings {
  const { subkeys, localFolder } = repository
  return {
    index,
    cacheCheckKey: subkeys.cacheCheck,
    treeIdsKey: subkeys.treeIds,
    treeFilesKey: subkeys.files.tree,
    localFolder,
    table: writer.tableMemory,
    queue: writer.queueMemory,
    slots: createBlockSlotsMemory(threads),
  }
}

/** Where chunks of a run go, in the run's own thread or another. */
export interface ChunkStore {
  /** True when a snapshot may name this chunk: it has a good copy, or this run stores it. */
  isStored(id: ChunkId): boolean
  /** True when the caller must store this data chunk. */
  reserveData(id: ChunkId): boolean
  /** Store a tree chunk unless it is stored. Borrowed. */
  saveTree(bytes: Uint8Array): ChunkId
  /** Memory for a block's payload. */
  allocate(lengthBytes: number): Uint8Array
  /** Store a block whose chunks the caller has reserved. Owned by the store from now on. */
  addBlock(kind: PackKind, block: PlainBlock): void
}

/** Load the libraries that every thread's store needs. */
export function loadThreadStore(): void {
  loadLmdb()
  loadZstd()
  hashImplementation()
}

export interface ThreadStore extends ChunkStore {
  /** A tree chunk, authenticated and re-hashed, without the main thread; undefined when it takes more to read it. */
  readTree(id: ChunkId): Buffer | undefined
  /** Look at the newest state of the index from now on: an old one keeps LMDB from using its pages again. */
  renew(): void
  /** Hand on the open block. */
  flush(): void
  close(): Promise<void>
}

/**
 * The store of one thread. Blocks go to `emit`, counted in the queue, their payloads in the shared slots; while too
 * much waits to be written, storing waits.
 */
export function openThreadStore(
  settings: ThreadStoreSettings,
  emit: (kind: PackKind, block: PlainBlock) => void,
  isAborted: () => boolean,
): ThreadStore {
  const index = openIndexReader(settings.index, Buffer.from(settings.cacheCheckKey))
  const table: RunTable = openRunTable(settings.table)
  const queue = new WriteQueue(settings.queue)
  const trees: BlockBuilder = createBlockBuilder(loadZstd(), TREE_BLOCK_BYTES, TREE_LEVEL)
  const hasher = createKeyedHasher(settings.treeIdsKey)
  const reader =
    settings.localFolder === undefined ? undefined : createTreeReader(settings, settings.localFolder, index)
  const addBlock = (kind: PackKind, block: PlainBlock): void => {
    queue.waitForRoom(isAborted)
    queue.add(block.payload.length)
    emit(kind, block)
  }
  const allocate = createSlotAllocator(openBlockSlots(settings.slots), isAborted)
  const flush = (): void => {
    const block = trees.take(allocate)
    if (block !== undefined) addBlock('tree', block)
  }
  return {
    isStored: (id) => index.has(id) || table.has(id),
    reserveData: (id) => !index.has(id) && table.reserve(id),
    saveTree(bytes) {
      const id = hasher.hash(bytes) as Uint8Array as ChunkId
      if (index.has(id) || !table.reserve(id)) return id
      if (trees.isFullFor(bytes.length)) flush()
      trees.add(id, bytes)
      return id
    },
    allocate,
    addBlock,
    readTree: (id) => reader?.(id),
    renew: index.renew,
    flush,
    close: () => index.close(),
  }
}

/** Blocks and keys of packs that are kept at hand: neighbours in a tree are neighbours in a block. */
const KEPT_BLOCKS = 32
const KEPT_OPENERS = 64

function createTreeReader(
  settings: ThreadStoreSettings,
  folder: string,
  index: ChunkReader,
): (id: ChunkId) => Buffer | undefined {
  const hasher = createKeyedHasher(settings.treeIdsKey)
  const key = Buffer.from(settings.treeFilesKey)
  const blocks = new Map<string, Buffer>()
  const openers = new Map<FileId, FileOpener>()
  const digest = Buffer.alloc(32)

  const readPlain = (place: BlockPlace): Buffer => {
    const blockKey = `${place.pack}/${place.number}`
    const known = blocks.get(blockKey)
    if (known !== undefined) return known
    const fd = openLocalPack(folder, 'tree', place.pack)
    try {
      let opener = openers.get(place.pack)
      if (opener === undefined) {
        opener = createPackOpener('tree', key, place.salt)
        keep(openers, KEPT_OPENERS, place.pack, opener)
      }
      const { plain } = openBlock(opener, place, readUpTo(fd, place.offsetBytes, place.storedBytes))
      keep(blocks, KEPT_BLOCKS, blockKey, plain)
      return plain
    } finally {
      closeSync(fd)
    }
  }
  return (id) => {
    const place = index.find(id)
    if (place === undefined || place.block.kind !== 'tree') return undefined
    try {
      const plain = readPlain(place.block)
      const end = place.offsetBytes + place.lengthBytes
      if (end > plain.length) return undefined
      const bytes = plain.subarray(place.offsetBytes, end)
      hasher.hashInto(bytes, digest, 0)
      return digest.equals(id) ? bytes : undefined
    } catch (error) {
      // Whoever asks turns to the repository then, which knows of other copies and says what is wrong.
      if (hasCode(error, 'DAMAGED') || hasCode(error, 'NEWER_FORMAT') || systemCode(error) !== undefined) {
        return undefined
      }
      throw error
    }
  }
}

function readUpTo(fd: number, offsetBytes: number, lengthBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(lengthBytes)
  // A pack that is too short is not authentic.
  return bytes.subarray(0, fillFrom(fd, bytes, offsetBytes))
}

function keep<Key, Value>(map: Map<Key, Value>, most: number, key: Key, value: Value): void {
  if (map.size >= most) map.delete(map.keys().next().value!)
  map.set(key, value)
}
