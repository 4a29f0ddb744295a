/**
 * Backup: from files to a snapshot. Walks the sources, reuses what is unchanged since the parent, has the rest
 * read, cut and hashed in threads, and stores directories as they end (docs/architecture.md, "Backup").
 */
export { backup } from './backup.ts'
export { chunkerConfig } from './chunker-config.ts'
export type { ContentStore } from './content-store.ts'
export { createContentStore } from './content-store.ts'
export type {
  BackupExcludes,
  BackupItem,
  BackupOptions,
  BackupProblem,
  BackupProgress,
  BackupResult,
} from './options.ts'
export { endPreparation, prepareBackup } from './prepare.ts'
export { backupStream } from './stream.ts'
