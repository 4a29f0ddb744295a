import type { Command } from 'commander'
import { checkAborted } from '../../errors/index.ts'
import { displayName, find, type ListedSnapshot, type Repository, type WalkEntry } from '../../index.ts'
import type { Context } from '../context.ts'
import { formatMoment, shortId } from '../format.ts'
import { foundJson, longLine } from '../node-display.ts'
import { withRepository } from '../repository-access.ts'
import { chooseNewestFirst } from '../snapshot-choice.ts'
import { createTextBatch } from '../text-batch.ts'
import { addFindOptions, type FindCommandOptions, readFindOptions } from './find-options.ts'

export function define(command: Command, context: Context): void {
  command.argument(
    '<pattern...>',
    'names with *, ? and [a-z]; with / the end of a path, with / at its start a whole path',
  )
  addFindOptions(command).action(
    async (patterns: readonly string[], options: FindCommandOptions) =>
      await withRepository(
        context,
        async (repository) => await print(context, repository, patterns, options),
      ),
  )
}

/** The text of a result, one snapshot after the other. */
interface FoundPrinter {
  begin(snapshot: ListedSnapshot): string
  entry(entry: WalkEntry): string
  end(snapshot: ListedSnapshot, hits: number): string
  finish(): string
}

async function print(
  context: Context,
  repository: Repository,
  patterns: readonly string[],
  options: FindCommandOptions,
): Promise<void> {
  const { output, signal } = context
  const wanted = { ...readFindOptions(options), signal }
  const snapshots = await chooseNewestFirst(context, repository, options)
  if (options.reverse) snapshots.reverse()
  const batch = createTextBatch(output)
  const printer = output.isJson ? jsonPrinter() : textPrinter(options.long ?? false)
  let last: ListedSnapshot | undefined
  let hits = 0
  for await (const { snapshot, entries } of find(repository, snapshots, patterns, wanted)) {
    checkAborted(signal)
    if (output.isClosed) return
    if (output.isQuiet && !output.isJson) continue
    if (snapshot !== last) {
      if (last !== undefined) await batch.add(printer.end(last, hits))
      await batch.add(printer.begin(snapshot))
      last = snapshot
      hits = 0
    }
    hits += entries.length
    for (const entry of entries) await batch.add(printer.entry(entry))
  }
  if (last !== undefined) await batch.add(printer.end(last, hits))
  await batch.add(printer.finish())
  await batch.flush()
}

function textPrinter(isLong: boolean): FoundPrinter {
  let space = ''
  return {
    begin(snapshot) {
      const state = snapshot.isConfirmed ? '' : ' (unconfirmed)'
      const title = `Found matching entries in snapshot ${shortId(snapshot.id)} from ${formatMoment(snapshot.timeMs)}${state}`
      const text = `${space}${title}\n`
      space = '\n'
      return text
    },
    entry: (entry) => `${isLong ? longLine(entry) : displayName(entry.path)}\n`,
    end: () => '',
    finish: () => '',
  }
}

/** One array, as restic prints it, written as it comes. */
function jsonPrinter(): FoundPrinter {
  let comma = '['
  let entryComma = ''
  return {
    begin() {
      const text = `${comma}{"matches":[`
      comma = ','
      entryComma = ''
      return text
    },
    entry(entry) {
      const text = `${entryComma}${JSON.stringify(foundJson(entry))}`
      entryComma = ','
      return text
    },
    end: (snapshot, hits) => `],"hits":${hits},"snapshot":"${snapshot.id}"}`,
    finish: () => (comma === '[' ? '[]\n' : ']\n'),
  }
}
