/**
 * Backend: where the files of a repository are kept. One interface, told in types.ts; here the implementations
 * for a local directory and for memory, and the reading of `--repo` locations. Knows names and bytes, nothing
 * of what they mean: no keys, no hashes, no snapshots. Implements docs/format.md, "Files and their names".
 */
export { parseLocation } from './location.ts'
export type { MemoryOperation } from './memory.ts'
export { createMemoryBackend } from './memory.ts'
export { temporaryOwner } from './names.ts'
export { openBackend } from './open.ts'
export type { Backend, PutOptions, StagedFile, StoredFile } from './types.ts'
export { MAX_WHOLE_BYTES } from './types.ts'
