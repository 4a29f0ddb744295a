/**
 * Snapshot: the record of one backup, choosing among them, and the one way to write one safely
 * (docs/format.md, "Snapshots"; docs/architecture.md, "Prune").
 */
export type { SessionOptions, SnapshotDraft } from './commit.ts'
export { commitSnapshot } from './commit.ts'
export { confirmSnapshot } from './confirm.ts'
export type { ListedSnapshot, SnapshotList } from './list.ts'
export { listSnapshots } from './list.ts'
export type { ChunkSet } from './reachable.ts'
export { createChunkSet, isTreeWhole } from './reachable.ts'
export type { GitState, Snapshot, SnapshotRecord, SnapshotSummary } from './record.ts'
export { checkSnapshot, parseSnapshot, snapshotValue } from './record.ts'
export type { ChooseOptions, SnapshotArgument, SnapshotFilter } from './select.ts'
export { chooseSnapshot, matchesFilter, parseSnapshotArgument } from './select.ts'
export type { ZoneOffset } from './time.ts'
export { formatTimeWithOffset, machineOffsetMinutes, parseTime, subtractMonths } from './time.ts'
