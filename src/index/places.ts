import type { ChunkId, FileId, SessionId } from '../encoding/index.ts'
import type { IndexFacts, PackKind } from './facts.ts'

/** Where a block lies. */
export interface BlockPlace {
  readonly pack: FileId
  readonly kind: PackKind
  /** Of the pack: what opens its blocks, with the key of its kind. Memory of its own, which all blocks share. */
  readonly salt: Uint8Array
  /** The block's number in its pack, from 0. */
  readonly number: number
  /** From the start of the pack. */
  readonly offsetBytes: number
  readonly storedBytes: number
  readonly payloadBytes: number
  readonly plainBytes: number
  readonly method: number
}

/** Where one copy of a chunk lies. */
export interface ChunkPlace {
  readonly block: BlockPlace
  /** In the block's plaintext. */
  readonly offsetBytes: number
  readonly lengthBytes: number
}

/**
 * - good: its chunks may be relied on.
 * - condemned: a fact; never a good copy again, and stronger than `lost`.
 * - lost: missing, short or known to be damaged; what this client found, not a fact.
 */
export type PackState = 'good' | 'condemned' | 'lost'

/** A pack that some index file lists. */
export interface PackRow {
  /** Dense, from 0; names the pack in `Home.pack` and `blocks`. */
  readonly number: number
  readonly id: FileId
  readonly kind: PackKind
  readonly sizeBytes: number
  readonly session: SessionId
  /** 32 bytes. */
  readonly salt: Uint8Array
  /** Chunks in it, one that is there twice counted twice. */
  readonly chunkCount: number
  readonly state: PackState
}

/** One copy of a chunk, by numbers. */
export interface Home {
  /** `PackRow.number`. */
  readonly pack: number
  /** The block's number in its pack. */
  readonly block: number
  /** In the block's plaintext. */
  readonly offsetBytes: number
  readonly lengthBytes: number
}

/** What is known of a chunk in short. */
export interface ChunkStanding {
  /** `ClientIndex.chunkNumber` of this chunk. */
  readonly number: number
  /** Of its plaintext; every copy has the same. */
  readonly lengthBytes: number
  /** A good copy is known. */
  readonly isGood: boolean
}

export interface ChunkRow {
  readonly id: ChunkId
  /** `ClientIndex.chunkNumber` of this chunk. */
  readonly number: number
  /** At least one; in packs that are listed, of any state. */
  readonly homes: readonly Home[]
}

/**
 * Answers from one view of the index. A view holds only whole loads: it never says that a pack holds a chunk
 * without saying which packs are condemned by the same or any earlier load. Ids are borrowed.
 */
export interface ChunkReader {
  /** True when a good copy is known: in a pack that is listed, not condemned and not lost. */
  has(id: ChunkId): boolean
  /** Place of a good copy; undefined exactly where `has` is false. */
  find(id: ChunkId): ChunkPlace | undefined
  /** Look at the newest state from now on. A view also ends by itself when the thread turns to its event loop. */
  renew(): void
}

/**
 * Where each chunk is: what a set of index files says, as facts that only grow, and which packs this client
 * found lost. Rebuilt from the repository whenever it is in doubt. Synchronous calls answer from one view
 * each; a call that changes something is durable when it returns or resolves, and is seen by the next call.
 * Several processes may use one index at once.
 */
export interface ClientIndex extends ChunkReader {
  /** The index files whose facts the index says. */
  files(): ReadonlySet<FileId>
  /**
   * Take in index files, whole or not at all: when it throws, no fact of this call is seen.
   *
   * @param files any order; files and packs that are known already cost little
   * @param gone index files of `files()` that the repository does not have any more
   * @returns 'rebuild-needed', with nothing changed, when a file of `gone` is not named by the `replaces` of any
   *   file taken in: the repository was rolled back, or merged files were never seen; also when the index is rotten.
   *   The caller resets the index and takes in every file. 'reset-meanwhile', with nothing changed, when another process
   *   reset the index: the caller takes in every file.
   * @throws HoldfastError INTERRUPTED when the signal is aborted; whatever `files` throws
   */
  update(
    files: AsyncIterable<{ readonly file: FileId; readonly facts: IndexFacts }>,
    gone?: readonly FileId[],
    signal?: AbortSignal,
  ): Promise<UpdateResult>
  /** Every known copy: good ones first, then those in condemned packs, then those in lost ones. */
  findAll(id: ChunkId): ChunkPlace[]
  /** A number below `chunkNumbers` that stays this chunk's own until `reset`; undefined for an unknown chunk. */
  chunkNumber(id: ChunkId): number | undefined
  /** `chunkNumber`, `has` and the length in one look-up. */
  look(id: ChunkId): ChunkStanding | undefined
  /** All that is known of a chunk; undefined where no listed pack has it. */
  chunk(id: ChunkId): ChunkRow | undefined
  /** Exclusive upper bound of chunk numbers. Numbers are dense, and never used again, also after `reset`. */
  readonly chunkNumbers: number
  /**
   * Raised by `reset` and whenever a pack stops being good: a chunk that had a good copy when this was what it is now
   * has one still.
   */
  readonly losses: number
  /** Raised by `reset`: what was looked up before and what is looked up after it may be of two repositories. */
  readonly generation: number
  /** Every listed pack, by number. */
  packs(): Iterable<PackRow>
  /** A listed pack by its id. */
  pack(id: FileId): PackRow | undefined
  isCondemned(id: FileId): boolean
  /** Every condemned pack, also those no index file lists. */
  condemned(): Iterable<FileId>
  /** Every chunk with a copy in a listed pack, by id, in one pass over one view with bounded memory. */
  chunks(): Iterable<ChunkRow>
  /** The blocks of a listed pack in order; none for a number that is no listed pack. */
  blocks(packNumber: number): readonly BlockPlace[]
  /** Their chunks are no good copies from now on. Kept until `markFound` or `reset`; also for unknown packs. */
  markLost(packs: readonly FileId[]): void
  markFound(packs: readonly FileId[]): void
  /** A small file kept by `putCached`, owned by the caller. Whoever opens it must treat damage as a miss. */
  getCached(name: string): Buffer | undefined
  /** Keep small files as they are stored in the repository, still sealed. Names of 1 to 500 bytes. */
  putCached(files: Iterable<readonly [name: string, bytes: Uint8Array]>): void
  removeCached(names: Iterable<string>): void
  cachedNames(): Iterable<string>
  /** Forget everything: facts, lost packs and cached files. */
  reset(): Promise<void>
  /** Undefined where threads cannot open it: it is in memory, or another has taken its place on disk. */
  address(): IndexAddress | undefined
  /** Nothing may be called afterwards. Iterations under way must have ended. */
  close(): Promise<void>
}

export type UpdateResult = 'updated' | 'rebuild-needed' | 'reset-meanwhile'

/** Where a thread finds the index that its process has open (`openIndexReader`). Plain data. */
export interface IndexAddress {
  readonly directory: string
  /** Of the data file, in decimal. */
  readonly inode: string
  /** Random, drawn when the index was begun: no other has it. */
  readonly birth: string
  /** Of the view that the address was given from: an older state is that of a copy that somebody put there. */
  readonly version: number
}

/** Where a copy in a pack of this state stands in `findAll`: lower is better. */
export function rankOf(condemned: boolean, lost: boolean): number {
  return lost ? 2 : condemned ? 1 : 0
}

export function stateOf(condemned: boolean, lost: boolean): PackState {
  return condemned ? 'condemned' : lost ? 'lost' : 'good'
}
