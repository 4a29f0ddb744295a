import { displayName, type FileId, type ForgetGroup, type ListedSnapshot } from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, formatBytes, formatMoment, shortId } from '../format.ts'
import { snapshotJson } from '../snapshot-json.ts'
import { formatTable } from '../table.ts'

/** What happens to one group of snapshots, those that cannot be read among them. */
export interface ForgetPlan extends ForgetGroup {
  readonly damaged: readonly FileId[]
}

export interface ShowOptions {
  readonly isCompact: boolean
  readonly isDryRun: boolean
}

/** Say of each group what stays, why, and what goes. */
export async function showGroups(
  { output }: Context,
  groups: readonly ForgetPlan[],
  { isCompact, isDryRun }: ShowOptions,
): Promise<void> {
  await output.json(groups.map(groupJson))
  for (const group of groups) {
    const { keep, remove, damaged } = group
    if (keep.length > 0) {
      await output.line(`${describeGroup(group)}: keep ${countOf(keep.length, 'snapshot')}`)
      const rows = keep.map(({ snapshot, reasons }) => row(snapshot, reasons, isCompact))
      for (const line of formatTable(columns(true, isCompact), rows)) await output.line(line)
      await output.line()
    }
    if (remove.length > 0) {
      const verb = isDryRun ? 'would remove' : 'remove'
      await output.line(`${describeGroup(group)}: ${verb} ${countOf(remove.length, 'snapshot')}`)
      const rows = remove.map((snapshot) => row(snapshot, undefined, isCompact))
      for (const line of formatTable(columns(false, isCompact), rows)) await output.line(line)
      await output.line()
    }
    for (const id of damaged) await output.line(`snapshot ${shortId(id)}, which is damaged`)
  }
  if (groups.length === 0) await output.line('no snapshot matches')
}

/** `host alpha, paths /home, /etc`; `snapshots` where nothing sets the group apart. */
export function describeGroup({ host, paths, tags }: Pick<ForgetPlan, 'host' | 'paths' | 'tags'>): string {
  const parts = [
    ...(host === undefined ? [] : [`host ${displayName(host)}`]),
    ...(paths === undefined ? [] : [`paths ${paths.map(displayName).join(', ')}`]),
    ...(tags === undefined
      ? []
      : [tags.length === 0 ? 'no tags' : `tags ${tags.map(displayName).join(', ')}`]),
  ]
  return parts.length === 0 ? 'snapshots' : parts.join(', ')
}

function columns(hasReasons: boolean, isCompact: boolean): { title: string; align?: 'right' }[] {
  return [
    { title: 'ID' },
    { title: 'Time' },
    { title: 'Host' },
    { title: 'Tags' },
    ...(hasReasons ? [{ title: 'Reasons' }] : []),
    ...(isCompact ? [] : [{ title: 'Paths' }]),
    { title: 'Size', align: 'right' as const },
  ]
}

function row(snapshot: ListedSnapshot, reasons: readonly string[] | undefined, isCompact: boolean): string[] {
  const separator = isCompact ? ', ' : '\n'
  return [
    shortId(snapshot.id),
    formatMoment(snapshot.timeMs),
    displayName(snapshot.host),
    snapshot.tags.map(displayName).join(separator),
    ...(reasons === undefined ? [] : [reasons.map(displayName).join(separator)]),
    ...(isCompact ? [] : [snapshot.paths.map(displayName).join('\n')]),
    formatBytes(snapshot.summary.totalBytes),
  ]
}

/** A group as restic's scripts know it, with `damaged` beside. */
function groupJson({ host, paths, tags, keep, remove, damaged }: ForgetPlan): object {
  return {
    tags: tags ?? null,
    host: host ?? '',
    paths: paths?.map(displayName) ?? null,
    keep: keep.map(({ snapshot }) => snapshotJson(snapshot)),
    remove: remove.map(snapshotJson),
    reasons: keep.map(({ snapshot, reasons }) => ({ snapshot: snapshotJson(snapshot), matches: reasons })),
    damaged: damaged.length === 0 ? undefined : damaged,
  }
}
