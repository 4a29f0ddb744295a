import {
  type BackupItem,
  type BackupOptions,
  type BackupProblem,
  type BackupProgress,
  type BackupResult,
  displayName,
} from '../index.ts'
import type { Context } from './context.ts'
import { countOf, formatBytes, formatCount, formatElapsed, formatTook, shortId } from './format.ts'
import { createProgress } from './progress.ts'
import { summaryCounts } from './summary-counts.ts'

export interface BackupDisplay {
  readonly listeners: Pick<BackupOptions, 'onProgress' | 'onError' | 'onWarning' | 'onItem'>
  summary(result: BackupResult): Promise<void>
  end(): void
}

/** Shows a backup while it runs, and what came of it. */
export function createBackupDisplay(context: Context, isDryRun: boolean): BackupDisplay {
  const { output } = context
  const progress = createProgress(context)
  const startedMs = performance.now()
  const elapsedMs = (): number => performance.now() - startedMs
  const isListing = output.verbosity > 0
  return {
    listeners: {
      onProgress: (state) =>
        progress.update({
          text: () => progressText(state, elapsedMs()),
          status: () => progressStatus(state, elapsedMs()),
        }),
      onError: ({ path, message, during }: BackupProblem) =>
        output.problem(`cannot read ${displayName(path)}: ${message}`, {
          error: { message },
          during: during === 'scan' ? 'scan' : 'archival',
          item: displayName(path),
        }),
      onWarning: ({ path, message }) => output.note(`${displayName(path)}: ${message}`),
      ...(isListing ? { onItem: (item: BackupItem) => void listItem(context, item) } : {}),
    },
    summary: async (result) => {
      progress.end()
      await output.json(summaryJson(result, isDryRun))
      for (const line of summaryLines(result, isDryRun)) await output.line(line)
    },
    end: () => progress.end(),
  }
}

async function listItem({ output }: Context, { path, action, sizeBytes }: BackupItem): Promise<void> {
  const item = displayName(path)
  await output.json({ message_type: 'verbose_status', action, item, data_size: sizeBytes })
  await output.line(`${action.padEnd(9)}  ${item}`)
}

/** The share done as the parent's totals let one guess; undefined without a guess that still holds. */
function shareDone({ bytesDone, expectedBytes }: BackupProgress): number | undefined {
  if (expectedBytes === undefined || expectedBytes === 0 || bytesDone > expectedBytes) return undefined
  return bytesDone / expectedBytes
}

function progressText(state: BackupProgress, elapsedMs: number): string {
  const { filesDone, bytesDone, errors, currentPath } = state
  const share = shareDone(state)
  const parts = [
    formatElapsed(elapsedMs),
    ...(share === undefined ? [] : [`~${Math.floor(share * 100)}%`]),
    countOf(filesDone, 'file'),
    formatBytes(bytesDone),
    `${formatBytes((bytesDone / Math.max(elapsedMs, 1)) * 1000)}/s`,
    ...(share === undefined
      ? []
      : [`${formatElapsed((elapsedMs / Math.max(share, 0.001)) * (1 - share))} left`]),
    ...(errors === 0 ? [] : [countOf(errors, 'error')]),
    displayName(currentPath),
  ]
  return parts.join('  ')
}

function progressStatus(state: BackupProgress, elapsedMs: number): object {
  const share = shareDone(state)
  return {
    message_type: 'status',
    seconds_elapsed: Math.floor(elapsedMs / 1000),
    ...(share === undefined || share === 0
      ? {}
      : { seconds_remaining: Math.floor(((elapsedMs / share) * (1 - share)) / 1000) }),
    percent_done: share ?? 0,
    total_files: Math.max(state.expectedFiles ?? 0, state.filesDone),
    files_done: state.filesDone,
    total_bytes: Math.max(state.expectedBytes ?? 0, state.bytesDone),
    bytes_done: state.bytesDone,
    error_count: state.errors,
    current_files: [displayName(state.currentPath)],
  }
}

function summaryJson(result: BackupResult, isDryRun: boolean): object {
  const { summary } = result
  return {
    message_type: 'summary',
    dry_run: isDryRun,
    ...summaryCounts(summary),
    backup_start: new Date(result.startedMs).toISOString(),
    backup_end: new Date(result.endedMs).toISOString(),
    total_duration: (result.endedMs - result.startedMs) / 1000,
    error_count: summary.errors,
    own_places_left_out: result.ownPlacesLeftOut.map(displayName),
    snapshot_id: result.snapshotId,
  }
}

function summaryLines(result: BackupResult, isDryRun: boolean): string[] {
  const { summary, snapshotId, ownPlacesLeftOut } = result
  const counts = (fresh: number, changed: number, same: number): string =>
    `${formatCount(fresh)} new, ${formatCount(changed)} changed, ${formatCount(same)} unchanged`
  const packed = formatBytes(summary.addedPackedBytes)
  return [
    `files    ${counts(summary.filesNew, summary.filesChanged, summary.filesUnmodified)}`,
    `folders  ${counts(summary.directoriesNew, summary.directoriesChanged, summary.directoriesUnmodified)}`,
    `added    ${formatBytes(summary.addedBytes)}${isDryRun ? '' : `, stored as ${packed}`}`,
    `total    ${countOf(summary.totalFiles, 'file')}, ${formatBytes(summary.totalBytes)} in ${formatTook(summary.durationMs)}`,
    ...ownPlacesLeftOut.map((path) => `left out ${displayName(path)}, which belongs to the repository`),
    outcome(snapshotId, isDryRun),
  ]
}

function outcome(snapshotId: string | undefined, isDryRun: boolean): string {
  if (isDryRun) return 'dry run: nothing was stored'
  return snapshotId === undefined
    ? 'nothing has changed: no snapshot was made'
    : `snapshot ${shortId(snapshotId)} saved`
}
