import {
  displayName,
  type RestoreItem,
  type RestoreOptions,
  type RestoreProgress,
  type RestoreResult,
} from '../index.ts'
import type { Context } from './context.ts'
import { countOf, formatBytes, formatElapsed, formatTook } from './format.ts'
import { createProgress } from './progress.ts'

export interface RestoreDisplay {
  readonly listeners: Pick<RestoreOptions, 'onProgress' | 'onError' | 'onWarning' | 'onItem'>
  summary(result: RestoreResult, target: string): Promise<void>
  end(): void
}

/** Shows a restore while it runs, and what came of it. */
export function createRestoreDisplay(context: Context, isDryRun: boolean): RestoreDisplay {
  const { output } = context
  const progress = createProgress(context)
  const startedMs = performance.now()
  const elapsedMs = (): number => performance.now() - startedMs
  return {
    listeners: {
      onProgress: (state) =>
        progress.update({
          text: () => progressText(state, elapsedMs()),
          status: () => progressStatus(state, elapsedMs()),
        }),
      onError: ({ path, message, isDamage }) =>
        output.problem(`cannot restore ${displayName(path)}: ${message}`, {
          error: { message },
          during: 'restore',
          item: displayName(path),
          damage: isDamage,
        }),
      onWarning: ({ path, message }) => output.note(`${displayName(path)}: ${message}`),
      ...(output.verbosity > 0 ? { onItem: (item: RestoreItem) => void listItem(context, item) } : {}),
    },
    summary: async (result, target) => {
      progress.end()
      const durationMs = result.endedMs - result.startedMs
      await output.json({
        message_type: 'summary',
        dry_run: isDryRun,
        seconds_elapsed: Math.floor(durationMs / 1000),
        ...countsJson(result),
        error_count: result.errors,
        warning_count: result.warnings,
      })
      for (const line of summaryLines(result, target, isDryRun)) await output.line(line)
    },
    end: () => progress.end(),
  }
}

async function listItem({ output }: Context, { path, action, sizeBytes }: RestoreItem): Promise<void> {
  const item = displayName(path)
  await output.json({ message_type: 'verbose_status', action, item, size: sizeBytes })
  await output.line(`${action.padEnd(9)}  ${item}`)
}

function shareDone(state: RestoreProgress): number | undefined {
  const { expectedBytes } = state
  if (expectedBytes === undefined || expectedBytes === 0) return undefined
  return Math.min((state.bytesRestored + state.bytesSkipped) / expectedBytes, 1)
}

function progressText(state: RestoreProgress, elapsedMs: number): string {
  const share = shareDone(state)
  return [
    formatElapsed(elapsedMs),
    ...(share === undefined ? [] : [`${Math.floor(share * 100)}%`]),
    countOf(state.filesRestored, 'file'),
    formatBytes(state.bytesRestored),
    `${formatBytes((state.bytesRestored / Math.max(elapsedMs, 1)) * 1000)}/s`,
    ...(state.errors === 0 ? [] : [countOf(state.errors, 'error')]),
    displayName(state.currentPath),
  ].join('  ')
}

function progressStatus(state: RestoreProgress, elapsedMs: number): object {
  const { expectedBytes } = state
  return {
    message_type: 'status',
    seconds_elapsed: Math.floor(elapsedMs / 1000),
    percent_done: shareDone(state) ?? 0,
    ...countsJson({
      ...state,
      totalBytes: expectedBytes ?? state.totalBytes,
    }),
  }
}

type Counts = Pick<
  RestoreResult,
  'totalFiles' | 'filesRestored' | 'filesSkipped' | 'totalBytes' | 'bytesRestored' | 'bytesSkipped'
>

function countsJson(counts: Counts): object {
  return {
    total_files: counts.totalFiles,
    files_restored: counts.filesRestored,
    files_skipped: counts.filesSkipped,
    total_bytes: counts.totalBytes,
    bytes_restored: counts.bytesRestored,
    bytes_skipped: counts.bytesSkipped,
  }
}

function summaryLines(result: RestoreResult, target: string, isDryRun: boolean): string[] {
  const elapsed = formatTook(result.endedMs - result.startedMs)
  const what = `${countOf(result.filesRestored, 'file or folder', 'files and folders')}, ${formatBytes(result.bytesRestored)}`
  return [
    ...(result.filesSkipped === 0
      ? []
      : [
          `left as they are: ${countOf(result.filesSkipped, 'file or folder', 'files and folders')}, ${formatBytes(result.bytesSkipped)}`,
        ]),
    isDryRun ? `dry run: would restore ${what} to ${target}` : `restored ${what} to ${target} in ${elapsed}`,
  ]
}
