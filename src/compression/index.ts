/**
 * Compression: zstd frames with a hard limit on what they may become. One file wraps the library, so that
 * another one can take its place.
 */
export type { Zstd } from './zstd.ts'
export { loadZstd } from './zstd.ts'
