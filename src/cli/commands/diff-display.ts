import {
  type Change,
  type DiffResult,
  type DiffTotals,
  displayName,
  nameBytes,
  type PathVersion,
  type RawName,
} from '../../index.ts'
import { countOf, formatBytes, formatCount } from '../format.ts'
import { jsonName } from '../node-display.ts'

type Letters = Readonly<Record<Change['change'] | PathVersion['change'], string>>

/** restic's; `?` after `M` for content that changed while times, size and inode did not. */
export const changeLetters: Letters = {
  added: '+',
  removed: '-',
  type: 'T',
  content: 'M',
  silent: 'M?',
  metadata: 'U',
  same: '',
}

export const changeWords: Letters = {
  added: 'there',
  removed: 'gone',
  type: 'another type',
  content: 'content',
  silent: 'content, but no time: damage?',
  metadata: 'metadata',
  same: '',
}

/** `M    /path`, a folder with `/` at its end. */
export function changeLine(change: Change): string {
  return `${changeLetters[change.change].padEnd(5)}${displayName(pathOf(change))}`
}

export function changeJson(change: Change): object {
  const path = pathOf(change)
  return {
    message_type: 'change',
    path: jsonName(path),
    path_base64: typeof path === 'string' ? undefined : path.toString('base64'),
    modifier: changeLetters[change.change],
  }
}

function pathOf({ path, before, after }: Change): RawName {
  if ((after ?? before) !== 'directory' || path === '/') return path
  return typeof path === 'string' ? `${path}/` : Buffer.concat([nameBytes(path), Buffer.from('/')])
}

export function statisticsJson(names: readonly [string, string], result: DiffResult): object {
  return {
    message_type: 'statistics',
    source_snapshot: names[0],
    target_snapshot: names[1],
    changed_files: result.changedFiles,
    added: totalsJson(result.added),
    removed: totalsJson(result.removed),
  }
}

function totalsJson(totals: DiffTotals): object {
  return {
    files: totals.files,
    dirs: totals.directories,
    others: totals.others,
    data_blobs: totals.dataChunks,
    tree_blobs: totals.treeChunks,
    bytes: totals.bytes,
  }
}

export function statisticsLines({ added, removed, changedFiles }: DiffResult, isLive: boolean): string[] {
  const both = (one: number, other: number): string =>
    `${formatCount(one).padStart(9)} new, ${formatCount(other).padStart(9)} removed`
  return [
    `files       ${both(added.files, removed.files)}, ${countOf(changedFiles, 'changed', 'changed').padStart(17)}`,
    `folders     ${both(added.directories, removed.directories)}`,
    `others      ${both(added.others, removed.others)}`,
    ...(isLive
      ? []
      : [
          `chunks      ${both(added.dataChunks, removed.dataChunks)}`,
          `tree chunks ${both(added.treeChunks, removed.treeChunks)}`,
        ]),
    `added       ${formatBytes(added.bytes)}`,
    `removed     ${formatBytes(removed.bytes)}`,
  ]
}
