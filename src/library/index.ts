/**
 * Library: puts the rooms together for programs: repositories by location, default places, key files, and
 * listing what is in a snapshot. `src/index.ts` is its public face.
 */
export { createKeyFile, formatKeyText, readKeyFile } from './key-files.ts'
export type { ListOptions } from './nodes.ts'
export { listNodes, listNodesInBatches, resolvePath } from './nodes.ts'
export type { CreateOptions, OpenOptions } from './open.ts'
export { createRepository, openRepository } from './open.ts'
export { listPathLines } from './path-lines.ts'
export { defaultCacheDirectory, defaultKeyFile, defaultRepositoryLocation } from './places.ts'
