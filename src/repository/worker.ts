/**
 * The repository's second door, for worker threads: what cuts, knows and packs chunks, and opens blocks, without
 * the repository itself. Subkeys, the place of the client index and the table of this run come in as plain data.
 */
export { loadZstd } from '../compression/index.ts'
export type { BlockPlace } from '../index/index.ts'
export type { PlainBlock } from '../pack/index.ts'
export { createBlockBuilder } from '../pack/index.ts'
export type { BlockCheckKeys, BlockFindings } from './block-check.ts'
export { createBlockChecker } from './block-check.ts'
export type { CopyRange } from './block-copy.ts'
export { createBlockCopier } from './block-copy.ts'
export type { BlockRange } from './block-range.ts'
export type { BlockSlotsMemory } from './block-slots.ts'
export { createSlotAllocator, openBlockSlots } from './block-slots.ts'
export type { PackKind } from './layout.ts'
export type { LocalBlocks } from './local-blocks.ts'
export { createLocalBlocks } from './local-blocks.ts'
export { DATA_BLOCK_BYTES } from './run-writer.ts'
export type { BlockKeys, BlockOpener, SealedBlock, SealedBlocks } from './sealed-blocks.ts'
export { createBlockOpener } from './sealed-blocks.ts'
export type { ChunkStore, ThreadStoreSettings } from './thread-store.ts'
export { loadThreadStore, openThreadStore } from './thread-store.ts'
