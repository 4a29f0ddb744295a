/**
 * Repository: config, keys, sessions, and every byte in and out of storage. The one user of `pack`, `index` and
 * `compression` (docs/format.md). Knows chunks and files, not what snapshots or trees mean.
 */
export { temporaryOwner } from '../backend/index.ts'
export type {
  BlockPlace,
  ChunkPlace,
  ChunkRow,
  ClientIndex,
  IndexAddress,
  IndexFacts,
  PackFacts,
  PackRow,
} from '../index/index.ts'
export type { PlainBlock } from '../pack/index.ts'
export { CHUNK_ROW_BYTES, createBlockBuilder, MAXIMUM_BLOCK_BYTES } from '../pack/index.ts'
export type { BlockCheckKeys, BlockFindings } from './block-check.ts'
export { blockCheckKeys } from './block-check.ts'
export type { BlockCopier, BlockCopyOptions, CopyRange } from './block-copy.ts'
export { createBlockCopier } from './block-copy.ts'
export type { BlockRange } from './block-range.ts'
export { readBlockRanges } from './block-range.ts'
export type { BlockResult, PackContent } from './block-reader.ts'
export { packPlaces } from './block-reader.ts'
export type { BlockSlotsMemory } from './block-slots.ts'
export { createBlockSlotsMemory, openBlockSlots } from './block-slots.ts'
export type { ChunkerConfig, RepositoryConfig } from './config.ts'
export { configValue, parseConfig } from './config.ts'
export type { CreateOptions } from './create.ts'
export { createRepository } from './create.ts'
export { indexFileValue, parseIndexFile } from './index-file.ts'
export { createIndexFileReader } from './index-files.ts'
export type { KeyInfo } from './key-file.ts'
export { parseKeyFile } from './key-file.ts'
export type { AddKeyOptions, KeySummary } from './keys.ts'
export { addKey, listKeys, readKeyFiles, removeKey, replaceKey } from './keys.ts'
export type { CopySource } from './known-copies.ts'
export { createCopySource } from './known-copies.ts'
export type { NamedKind, PackKind, StoredName } from './layout.ts'
export {
  CONFIG_NAME,
  directories,
  fileName,
  overName,
  parseName,
  sessionName,
  TEMPORARY_DIRECTORY,
  TOP_NAMES,
} from './layout.ts'
export type { NamedFile, StoredPack } from './list.ts'
export { isListed, listFiles, listPacks } from './list.ts'
export type { LoadOptions, PackCheck } from './load.ts'
export { markLostPacks, requireListedPacks } from './load.ts'
export type { OpenOptions } from './open.ts'
export { openRepository } from './open.ts'
export type { PackCheckOptions, PackFinding } from './pack-check.ts'
export { checkPack } from './pack-check.ts'
export type { Pending } from './pending.ts'
export { parsePending, pendingValue } from './pending.ts'
export type { RangeMemory } from './range-memory.ts'
export { createRangeMemory } from './range-memory.ts'
export { Repository } from './repository.ts'
export { rewriteConfig, rewriteSettings } from './rewrite.ts'
export type { RunStatistics, RunWriterOptions } from './run-writer.ts'
export { DATA_BLOCK_BYTES, RunWriter, TREE_BLOCK_BYTES } from './run-writer.ts'
export { fileIdOf, openValue, sealValue } from './sealed-value.ts'
export type { SessionInfo, SessionList } from './session.ts'
export {
  declareOver,
  endSession,
  isOver,
  isProcessGone,
  listSessions,
  readSession,
  startSession,
  whoAmI,
} from './session.ts'
export { checkSessionFile } from './session-check.ts'
export type { Settings } from './settings.ts'
export { defaultSettings, packTargetBytesOf, parseSettings } from './settings.ts'
export { problemOf } from './stored-problem.ts'
export type { ThreadStoreSettings } from './thread-store.ts'
export { threadStoreSettings } from './thread-store.ts'
export { PROGRAM_VERSION } from './version.ts'
export { WriteQueue } from './write-queue.ts'
