/**
 * Find: names in many snapshots, and the versions of one path. Reads folders only where they differ from those of a
 * snapshot before.
 */
export type { FindConditions } from './conditions.ts'
export type { FindOptions, FoundEntries } from './find.ts'
export { find } from './find.ts'
export { compileGlob } from './glob.ts'
export type { HistoryOptions, PathVersion } from './history.ts'
export { history } from './history.ts'
