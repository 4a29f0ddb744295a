/**
 * Index: where each chunk is, as facts that only grow, in an LMDB on this machine or in memory. It says exactly
 * what a set of index files says, is rebuilt from the repository whenever it is in doubt, and never calls a chunk
 * known that has no good copy. Does not read index files; private to `repository`.
 */
export { loadLmdb } from './environment.ts'
export type { BlockFacts, IndexFacts, PackFacts, PackKind } from './facts.ts'
export type { LmdbIndexOptions } from './lmdb-index.ts'
export { openIndexReader, openLmdbIndex } from './lmdb-index.ts'
export { createMemoryIndex } from './memory-index.ts'
export type {
  BlockPlace,
  ChunkPlace,
  ChunkReader,
  ChunkRow,
  ChunkStanding,
  ClientIndex,
  Home,
  IndexAddress,
  PackRow,
  PackState,
  UpdateResult,
} from './places.ts'
