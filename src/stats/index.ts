/**
 * Stats: what snapshots hold and what that takes, counted in restic's four ways. Reads only.
 */
export type { Stats, StatsMode, StatsOptions } from './stats.ts'
export { stats } from './stats.ts'
