import { displayName, type FileId, type ForgetGroup } from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, shortId } from '../format.ts'
import { snapshotJson } from '../snapshot-json.ts'
import { describeGroup, formatSnapshots, type GroupName } from '../snapshot-table.ts'

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
      await output.line(`${nameGroup(group)}: keep ${countOf(keep.length, 'snapshot')}`)
      for (const line of formatSnapshots(keep, { isCompact, comma: ', ' })) await output.line(line)
      await output.line()
    }
    if (remove.length > 0) {
      const verb = isDryRun ? 'would remove' : 'remove'
      await output.line(`${nameGroup(group)}: ${verb} ${countOf(remove.length, 'snapshot')}`)
      const rows = remove.map((snapshot) => ({ snapshot }))
      for (const line of formatSnapshots(rows, { isCompact, comma: ', ' })) await output.line(line)
      await output.line()
    }
    for (const id of damaged) await output.line(`snapshot ${shortId(id)}, which is damaged`)
  }
  if (groups.length === 0) await output.line('no snapshot matches')
}

/** As `describeGroup`; `snapshots` where nothing sets the group apart. */
export function nameGroup(group: GroupName): string {
  return describeGroup(group) ?? 'snapshots'
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
