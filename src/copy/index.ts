/**
 * Copy: snapshots into another repository, whatever its keys and the lengths of its chunks are. Content is cut anew, so that
 * it is stored once beside what the other repository's own backups store; what two snapshots share is copied once.
 */
export { copySnapshots } from './copy.ts'
export type { CopiedSnapshot, CopyOptions, CopyProgress } from './options.ts'
