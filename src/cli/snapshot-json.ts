import { displayName, formatTimeWithOffset, type ListedSnapshot, toHex } from '../index.ts'
import { shortId } from './format.ts'

/** A snapshot as restic's scripts know it, with `unconfirmed`, `incomplete`, `description` and `git` beside. */
export function snapshotJson(snapshot: ListedSnapshot): Record<string, unknown> {
  const { summary, timeMs, offsetMinutes } = snapshot
  return {
    time: formatTimeWithOffset(timeMs, offsetMinutes),
    parent: snapshot.parent ?? undefined,
    tree: toHex(snapshot.tree),
    paths: snapshot.paths.map(displayName),
    hostname: snapshot.host,
    username: snapshot.user,
    uid: snapshot.uid,
    gid: snapshot.gid,
    excludes: someOf(snapshot.excludes),
    tags: someOf(snapshot.tags),
    original: snapshot.original ?? undefined,
    description: snapshot.description === '' ? undefined : snapshot.description,
    git: snapshot.git ?? undefined,
    program_version: `holdfast ${snapshot.programVersion}`,
    summary: {
      backup_start: formatTimeWithOffset(timeMs, offsetMinutes),
      backup_end: formatTimeWithOffset(timeMs + summary.durationMs, offsetMinutes),
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
      error_count: summary.errors,
    },
    incomplete: snapshot.incomplete || undefined,
    unconfirmed: !snapshot.isConfirmed || undefined,
    id: snapshot.id,
    short_id: shortId(snapshot.id),
  }
}

/** Empty lists are left out, as restic does. */
function someOf<Item>(list: readonly Item[]): readonly Item[] | undefined {
  return list.length === 0 ? undefined : list
}
