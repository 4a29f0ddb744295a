/**
 * Prune: removes what no snapshot needs, beside any number of writers, without locks and clocks
 * (docs/architecture.md, "Prune").
 */
export type {
  PackTotals,
  PruneOptions,
  PrunePlan,
  PruneProgress,
  PruneResult,
  WaitingFor,
} from './options.ts'
export { prune } from './prune.ts'
