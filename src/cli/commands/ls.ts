import type { Command } from 'commander'
import { listNodesInBatches, listPathLines, parseSnapshotArgument, type RawName } from '../../index.ts'
import type { Context } from '../context.ts'
import { longLine, nodeJsonText } from '../node-display.ts'
import { rawName } from '../raw-arguments.ts'
import { withRepository } from '../repository-access.ts'
import {
  addChoiceOptions,
  type ChoiceOptions,
  choose,
  describeSnapshot,
  snapshotOr,
} from '../snapshot-choice.ts'
import { snapshotJson } from '../snapshot-json.ts'

interface Options extends ChoiceOptions {
  readonly long?: boolean
  readonly recursive?: boolean
}

export function define(command: Command, context: Context): void {
  command
    .argument('[snapshot[:path]]', 'an id or the beginning of one, latest, or latest~N')
    .argument('[path...]', 'folders or files in it')
    .option('-l, --long', 'with permissions, owner, size and time')
    .option('--recursive', 'everything below (the default)')
    .option('--no-recursive', 'one level only')
  addChoiceOptions(command)
  command.action(
    async (argument: string | undefined, paths: readonly string[], options: Options) =>
      await list(context, snapshotOr(argument, options), paths.map(rawName), options),
  )
}

async function list(
  context: Context,
  argument: string,
  paths: readonly RawName[],
  options: Options,
): Promise<void> {
  const { output, signal } = context
  const wanted = parseSnapshotArgument(rawName(argument))
  const places = wanted.path === undefined ? paths : [wanted.path, ...paths]
  await withRepository(context, async (repository) => {
    const snapshot = await choose(context, repository, wanted.snapshot, options)
    await output.json({ message_type: 'snapshot', struct_type: 'snapshot', ...snapshotJson(snapshot) })
    await output.line(`${describeSnapshot(snapshot)}:`)
    for (const path of places.length === 0 ? ['/'] : places) {
      const wantedList = { path, isRecursive: options.recursive ?? true, signal }
      if (!output.isJson && !options.long) {
        for await (const lines of listPathLines(repository, snapshot, wantedList)) {
          if (output.isClosed) return
          if (!output.isQuiet) await output.bytes(lines)
        }
        continue
      }
      for await (const entries of listNodesInBatches(repository, snapshot, wantedList)) {
        if (output.isClosed) return
        await output.jsonTexts(entries, nodeJsonText)
        await output.lines(entries, longLine)
      }
    }
  })
}
