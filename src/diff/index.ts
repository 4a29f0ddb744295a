/**
 * Diff: what differs between two snapshots, or between a snapshot and the file system as it is. Reads folders only
 * where they differ, and content of snapshots never.
 */
export type { Change, DiffResult, DiffTotals } from './changes.ts'
export type { DiffOptions, DiffPlace } from './diff.ts'
export { diff } from './diff.ts'
export type { LiveDiffOptions } from './live.ts'
export { diffLive } from './live.ts'
