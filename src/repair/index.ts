/**
 * Repair: the index from the packs' footers, config and settings from the copy in the key (docs/format.md). What
 * it writes is durable before it removes anything, and it removes only what cannot be read.
 */
export type { RepairConfigResult } from './config.ts'
export { repairConfig } from './config.ts'
export type { RepairIndexOptions, RepairIndexResult } from './repair-index.ts'
export { repairIndex } from './repair-index.ts'
