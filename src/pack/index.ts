/**
 * Pack: blocks of chunks, and the immutable files that hold them (docs/format.md, "Packs"). Knows no chunk's
 * meaning and no place where files are kept. Private to `repository` but for the block builder, which worker
 * threads use through the repository's second door.
 */
export type { BlockBuilder, Method, PlainBlock } from './block.ts'
export {
  CHUNK_ROW_BYTES,
  createBlockBuilder,
  MAXIMUM_BLOCK_BYTES,
  MAXIMUM_BLOCK_CHUNKS,
  methods,
} from './block.ts'
export type { PackFooter } from './footer.ts'
export {
  BLOCK_ALIGNMENT_BYTES,
  blockValue,
  MAXIMUM_PACK_BLOCKS,
  MAXIMUM_PACK_BYTES,
  parseBlock,
  storedBlockBytes,
} from './footer.ts'
export { padContent, padmeBytes, unpadContent } from './padding.ts'
export type { BlockShape, OpenedBlock } from './reader.ts'
export { createBlockScratch, createPackOpener, expandPayload, openBlock, readFooter } from './reader.ts'
export type { FinishedPack } from './writer.ts'
export { FIRST_BLOCK_OFFSET, PackWriter } from './writer.ts'
