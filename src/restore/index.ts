/**
 * Restore: from a snapshot to files. Plans in windows of the walk, reads every block once for each window, checks
 * every chunk against its id, and writes nothing outside the target (docs/architecture.md, "Restore"). A file gets
 * its name only when it is whole.
 */
export type { DumpOptions } from './dump.ts'
export { dumpFile } from './dump.ts'
export type {
  OverwriteRule,
  RestoreAction,
  RestoreItem,
  RestoreOptions,
  RestoreProblem,
  RestoreProgress,
  RestoreResult,
} from './options.ts'
export { restore } from './restore.ts'
