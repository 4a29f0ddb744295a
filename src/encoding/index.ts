/**
 * Encoding: ids, raw file names, and the one binary encoding of everything that is stored (docs/format.md,
 * "Values"). Knows nothing of what the values mean.
 */
export { byteStrings, Fields, texts } from './fields.ts'
export type { ChunkId, FileId, SessionId } from './ids.ts'
export { chunkId, fromHex, ID_BYTES, parseFileId, parseSessionId, toHex } from './ids.ts'
export type { RawName } from './names.ts'
export { compareNames, displayName, joinName, nameBytes, nameFromBytes } from './names.ts'
export { ValueWriter } from './value-writer.ts'
export type { Value } from './values.ts'
export { decodeValue, encodeValue } from './values.ts'
