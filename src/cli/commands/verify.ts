import type { Command } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import {
  displayName,
  type FileId,
  openBackend,
  type Repository,
  type Subset,
  verify,
  verifyNames,
} from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf, formatBytes } from '../format.ts'
import { findPlace } from '../location.ts'
import { createProgress } from '../progress.ts'
import { withRepository } from '../repository-access.ts'
import { choose } from '../snapshot-choice.ts'
import { foundText, progressStatus, progressText, showReport } from './verify-display.ts'
import { parseSubset } from './verify-options.ts'

interface Options {
  readonly readData?: boolean
  readonly readDataSubset?: Subset
  /** False with --no-key. */
  readonly key: boolean
}

export function define(command: Command, context: Context): void {
  command
    .argument('[snapshot...]', 'walk only these: ids or beginnings of them, latest, latest~N')
    .option('--read-data', 'read every pack whole, and check each chunk in it')
    .option('--read-data-subset <part>', 'the same for some packs: n/t, a percentage or a size', parseSubset)
    .option('--no-key', 'open nothing: check that stored files have the hash that is their name')
    .action(async (wanted: readonly string[], options: Options) => {
      if (options.key) {
        await withRepository(context, async (repository) => {
          await checkRepository(context, repository, wanted, options)
        })
        return
      }
      if (wanted.length > 0 || options.readData || options.readDataSubset !== undefined) {
        throw new HoldfastError('USAGE', '--no-key goes with no snapshots and no other option', {
          hint: 'it reads every file of the repository; run holdfast verify --no-key alone',
        })
      }
      await checkNames(context)
    })
}

async function checkRepository(
  context: Context,
  repository: Repository,
  wanted: readonly string[],
  options: Options,
): Promise<void> {
  const { signal } = context
  const progress = createProgress(context)
  const { readDataSubset: subset } = options
  try {
    const snapshots: FileId[] = []
    for (const one of wanted) snapshots.push((await choose(context, repository, one, {})).id)
    const report = await verify(repository, {
      snapshots: wanted.length > 0 ? snapshots : undefined,
      readData: options.readData || subset !== undefined,
      subset: options.readData ? undefined : subset,
      onProgress: (state) =>
        progress.update({ text: () => progressText(state), status: () => progressStatus(state) }),
      signal,
    })
    await showReport(context, report)
    failIfDamaged(report.problems.length)
  } finally {
    progress.end()
  }
}

async function checkNames(context: Context): Promise<void> {
  const { output, signal } = context
  const { location } = findPlace(context)
  const backend = await openBackend(location)
  const progress = createProgress(context)
  try {
    const report = await verifyNames(backend, {
      onProblem: (problem) =>
        output.problem(foundText(problem), { item: displayName(problem.file), kind: problem.kind }),
      onProgress: ({ filesRead, bytesRead }) =>
        progress.update({
          text: () => `reading  ${countOf(filesRead, 'file')}, ${formatBytes(bytesRead)}`,
          status: () => ({ message_type: 'status', files_done: filesRead, bytes_done: bytesRead }),
        }),
      signal,
    })
    if (report.filesRead === 0) {
      throw new HoldfastError('NO_REPOSITORY', `there is no repository at ${backend.location}`, {
        hint: `make one with: holdfast init --repo ${backend.location}`,
      })
    }
    for (const name of report.foreign) output.note(`${displayName(name)} is no file of a repository`)
    await output.json({
      message_type: 'summary',
      num_errors: report.problems.length,
      files_checked: report.filesRead,
      bytes_read: report.bytesRead,
      foreign_files: report.foreign.map(displayName),
    })
    await output.line(`read ${countOf(report.filesRead, 'file')}, ${formatBytes(report.bytesRead)}`)
    if (report.problems.length === 0) {
      await output.line('every file has the hash that is its name; what is missing is found only with a key')
    }
    failIfDamaged(report.problems.length)
  } finally {
    progress.end()
    await backend.close()
  }
}

function failIfDamaged(problems: number): void {
  if (problems === 0) return
  throw new HoldfastError('DAMAGED', `${countOf(problems, 'problem')} found in the repository`, {
    hint: 'the lines above name what is touched and what to do',
  })
}
