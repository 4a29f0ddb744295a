import { displayName, formatTimeWithOffset, type ListedSnapshot, toHex } from '../index.ts'
import { shortId } from './format.ts'
import { summaryCounts } from './summary-counts.ts'

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
      ...summaryCounts(summary),
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
