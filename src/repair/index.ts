/**
 * Repair: the index from the packs' footers, config and settings from the copy in the key, what damaged packs still hold,
 * snapshots without what is lost (docs/format.md, docs/cli.md). What it writes is durable before it removes anything, and
 * it removes only what cannot be read, or what it was told to forget.
 */
export type { RepairConfigResult } from './config.ts'
export { repairConfig } from './config.ts'
export type { RepairIndexOptions, RepairIndexResult } from './repair-index.ts'
export { repairIndex } from './repair-index.ts'
export type { RepairedPack, RepairPacksOptions } from './repair-packs.ts'
export { repairPacks } from './repair-packs.ts'
export type { RepairedSnapshot, RepairSnapshotsOptions } from './repair-snapshots.ts'
export { repairSnapshots } from './repair-snapshots.ts'
