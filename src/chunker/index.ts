/**
 * Chunker: where a file's content is cut into chunks (docs/format.md, "Chunking"). Finds cut points only; it
 * neither reads files nor hashes, and knows nothing of how chunks are stored.
 */
export type { Chunker } from './chunker.ts'
export { createChunker } from './chunker.ts'
export type { ChunkerParameters } from './parameters.ts'
export { checkParameters, defaultParameters, parametersForAverage, segmentBytes } from './parameters.ts'
