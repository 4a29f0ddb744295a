import { displayName, type ListedSnapshot, type RawName } from '../index.ts'
import { formatBytes, formatMoment, shortId } from './format.ts'
import { type Column, formatTable } from './table.ts'

/** A snapshot, with what one table says of it besides. Rows of one table have the same of these. */
export interface SnapshotRow {
  readonly snapshot: ListedSnapshot
  readonly reasons?: readonly string[]
  readonly notes?: string
}

export interface SnapshotTableOptions {
  /** One line for each snapshot, without its paths. */
  readonly isCompact: boolean
  /** Stands between tags, and between reasons, where they share a line. */
  readonly comma: string
}

/** Lines of a table of snapshots, in the order of the rows, of which there is one at least. */
export function formatSnapshots(rows: readonly SnapshotRow[], options: SnapshotTableOptions): string[] {
  const { isCompact } = options
  const columns: Column[] = [
    { title: 'ID' },
    { title: 'Time' },
    { title: 'Host' },
    { title: 'Tags' },
    ...(rows[0]?.reasons === undefined ? [] : [{ title: 'Reasons' }]),
    ...(isCompact ? [] : [{ title: 'Paths' }]),
    { title: 'Size', align: 'right' },
    ...(rows[0]?.notes === undefined ? [] : [{ title: '' }]),
  ]
  return formatTable(
    columns,
    rows.map((row) => cellsOf(row, options)),
  )
}

function cellsOf(
  { snapshot, reasons, notes }: SnapshotRow,
  { isCompact, comma }: SnapshotTableOptions,
): string[] {
  const separator = isCompact ? comma : '\n'
  return [
    shortId(snapshot.id),
    formatMoment(snapshot.timeMs),
    displayName(snapshot.host),
    snapshot.tags.map(displayName).join(separator),
    ...(reasons === undefined ? [] : [reasons.map(displayName).join(separator)]),
    ...(isCompact ? [] : [snapshot.paths.map(displayName).join('\n')]),
    formatBytes(snapshot.summary.totalBytes),
    ...(notes === undefined ? [] : [notes]),
  ]
}

/** What the snapshots of a group have in common; undefined for what they were not grouped by. */
export interface GroupName {
  readonly host: string | undefined
  readonly paths: readonly RawName[] | undefined
  readonly tags: readonly string[] | undefined
}

/** `host alpha, paths /home, /etc`; undefined where nothing sets the group apart. */
export function describeGroup({ host, paths, tags }: GroupName): string | undefined {
  const parts = [
    ...(host === undefined ? [] : [`host ${displayName(host)}`]),
    ...(paths === undefined ? [] : [`paths ${paths.map(displayName).join(', ')}`]),
    ...(tags === undefined
      ? []
      : [tags.length === 0 ? 'no tags' : `tags ${tags.map(displayName).join(', ')}`]),
  ]
  return parts.length === 0 ? undefined : parts.join(', ')
}
