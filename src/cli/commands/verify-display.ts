import {
  displayName,
  type FoundProblem,
  type Problem,
  type VerifyProgress,
  type VerifyReport,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, formatBytes, formatCount, formatShare, shortId } from '../format.ts'

/** Paths of a snapshot that are printed for one file; JSON has all that the report keeps. */
const SHOWN_PATHS = 20

const phases: Readonly<Record<VerifyProgress['phase'], string>> = {
  files: 'checking files',
  packs: 'reading packs',
  snapshots: 'walking snapshots',
  paths: 'finding what is touched',
}

export function progressText({ phase, done, total }: VerifyProgress): string {
  const format = phase === 'packs' ? formatBytes : formatCount
  const share = total === 0 ? '' : `  ${formatShare(done / total)}  of ${format(total)}`
  return `${phases[phase]}  ${format(done)}${share}`
}

export function progressStatus({ phase, done, total }: VerifyProgress): object {
  return { message_type: 'status', phase, done, total, percent_done: total === 0 ? 0 : done / total }
}

/** Everything that is wrong goes to stderr, also with -q; what was looked at goes to stdout. */
export async function showReport({ output }: Context, report: VerifyReport): Promise<void> {
  for (const problem of report.problems) {
    const text = output.isJson ? headline(problem) : problemLines(problem).join('\n')
    output.problem(text, problemJson(problem))
  }
  for (const { message } of report.notes) output.note(message)
  await output.json(summaryJson(report))
  for (const line of summaryLines(report)) await output.line(line)
}

/** `data/ab/ab… is damaged: why`. */
function headline({ file, kind, details }: Pick<Problem, 'file' | 'kind' | 'details'>): string {
  const states = {
    damaged: 'is damaged',
    missing: 'is missing',
    unreadable: 'cannot be read',
    newer: 'is of a newer format',
  } satisfies Record<Problem['kind'], string>
  return `${displayName(file)} ${states[kind]}: ${details.map(displayName).join('; ')}`
}

/** A problem for people: what is wrong, what it touches, what to do. */
export function problemLines(problem: Problem): string[] {
  const lines = [headline(problem)]
  for (const { id, paths, pathCount } of problem.snapshots) {
    const shown = paths.slice(0, SHOWN_PATHS)
    lines.push(
      `  snapshot ${shortId(id)} lacks ${countOf(pathCount, 'file or folder', 'files and folders')}:`,
    )
    lines.push(...shown.map((path) => `    ${displayName(path)}`))
    if (pathCount > shown.length) lines.push(`    and ${formatCount(pathCount - shown.length)} more`)
  }
  if (problem.isNeeded === false) lines.push('  no snapshot needs it')
  lines.push(`  ${problem.hint}`)
  return lines
}

function problemJson({ file, kind, details, isNeeded, snapshots, hint }: Problem): Record<string, unknown> {
  return {
    item: displayName(file),
    kind,
    details,
    needed: isNeeded,
    snapshots: snapshots.map(({ id, paths, pathCount }) => ({
      id,
      path_count: pathCount,
      paths: paths.map(displayName),
    })),
    hint,
  }
}

/** restic's names first. */
function summaryJson({ problems, notes, counts }: VerifyReport): object {
  const isPack = ({ file }: Problem): boolean => /^(data|trees)\//.test(file)
  return {
    message_type: 'summary',
    num_errors: problems.length,
    broken_packs: problems.filter(isPack).map(({ file }) => file.slice(file.lastIndexOf('/') + 1)),
    suggest_repair_index: problems.some(({ file }) => file === 'index' || file.startsWith('index/')),
    suggest_prune: notes.some(({ kind }) => kind === 'unlisted-pack'),
    notes: notes.map(({ kind, message }) => ({ kind, message })),
    files_checked: counts.smallFiles,
    packs: counts.packs,
    pack_bytes: counts.packBytes,
    packs_read: counts.packsRead,
    bytes_read: counts.bytesRead,
    snapshots: counts.snapshots,
    tree_blobs: counts.treeChunks,
    data_blobs: counts.dataChunks,
  }
}

function summaryLines({ problems, counts }: VerifyReport): string[] {
  const { smallFiles, packs, packBytes, packsRead, bytesRead, snapshots, treeChunks, dataChunks } = counts
  return [
    `snapshots  ${formatCount(snapshots)}, with ${formatCount(treeChunks + dataChunks)} chunks`,
    `packs      ${formatCount(packs)}, ${formatBytes(packBytes)}`,
    `read       ${countOf(smallFiles, 'small file')}, ${countOf(packsRead, 'pack')}, ${formatBytes(bytesRead)}`,
    ...(problems.length > 0
      ? []
      : [packsRead === 0 ? 'no problem was found; --read-data reads the packs too' : 'no problem was found']),
  ]
}

/** One thing that is wrong with a file, as the check without a key finds it. */
export function foundText({ file, kind, detail }: FoundProblem): string {
  return headline({ file, kind, details: [detail] })
}
