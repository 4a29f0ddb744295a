/**
 * Forget: which snapshots a retention policy keeps, and removing the others. Frees no space by itself; that is
 * prune's part.
 */
export type { Duration } from './duration.ts'
export { formatDuration, isZeroDuration, parseDuration } from './duration.ts'
export type { ForgetGroup, ForgetOptions, RemovedSnapshots } from './forget.ts'
export { planForget, removeSnapshots } from './forget.ts'
export type { GroupKey, KeepPolicy, KeptSnapshot, Period } from './policy.ts'
export { applyPolicy, groupSnapshots, isEmptyPolicy, parseKeepCount, UNLIMITED } from './policy.ts'
