import type { SnapshotSummary } from '../index.ts'

/** What a backup counted, as restic's scripts know it. Errors are left to the caller, who has them last. */
export function summaryCounts(summary: SnapshotSummary): Record<string, number> {
  return {
    files_new: summary.filesNew,
    files_changed: summary.filesChanged,
    files_unmodified: summary.filesUnmodified,
    dirs_new: summary.directoriesNew,
    dirs_changed: summary.directoriesChanged,
    dirs_unmodified: summary.directoriesUnmodified,
    data_blobs: summary.dataChunks,
    tree_blobs: summary.treeChunks,
    data_added: summary.addedBytes,
    data_added_packed: summary.addedPackedBytes,
    total_files_processed: summary.totalFiles,
    total_bytes_processed: summary.totalBytes,
  }
}
