import { type Command, Option } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import { type OverwriteRule, parseSnapshotArgument, type RestoreResult, restore } from '../../index.ts'
import type { Context } from '../context.ts'
import { countOf } from '../format.ts'
import { rawName } from '../raw-arguments.ts'
import { withRepository } from '../repository-access.ts'
import { createRestoreDisplay } from '../restore-display.ts'
import {
  addChoiceOptions,
  type ChoiceOptions,
  choose,
  describeSnapshot,
  snapshotOr,
} from '../snapshot-choice.ts'
import { collect } from '../values.ts'

interface Options extends ChoiceOptions {
  readonly target?: string
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly overwrite: OverwriteRule
  readonly dryRun?: boolean
  readonly verify?: boolean
  readonly sparse?: boolean
  readonly numericIds?: boolean
  readonly ownership: boolean
}

const rules: readonly OverwriteRule[] = ['always', 'if-changed', 'if-newer', 'never']

export function define(command: Command, context: Context): void {
  command
    .argument('[snapshot[:path]]', 'an id or the beginning of one, latest, or latest~N')
    .option('-t, --target <folder>', 'where to; whole paths are made below it')
    .option('-i, --include <pattern>', 'only what matches, by the rules of .gitignore', collect)
    .option('-e, --exclude <pattern>', 'all but what matches', collect)
    .addOption(
      new Option('--overwrite <rule>', 'what happens to files that are there')
        .choices(rules)
        .default('always'),
    )
    .option('-n, --dry-run', 'write nothing; say what would be restored')
    .option('--verify', 'read back each file that was written')
    .option('--sparse', 'leave out runs of zeros on disk')
    .option('--numeric-ids', 'take owners by number, not by name')
    .option('--no-ownership', 'do not set owners')
  addChoiceOptions(command)
  command.action(
    async (argument: string | undefined, options: Options) =>
      await run(context, snapshotOr(argument, options), options),
  )
}

async function run(context: Context, argument: string, options: Options): Promise<void> {
  const { output, signal } = context
  const { target } = options
  if (target === undefined) {
    throw new HoldfastError('USAGE', 'restore needs to know where to', {
      hint: 'name a folder with --target; whole paths are made below it, so --target / puts everything back in place',
    })
  }
  const wanted = parseSnapshotArgument(rawName(argument))
  await withRepository(context, async (repository) => {
    const snapshot = await choose(context, repository, wanted.snapshot, options)
    await output.line(`restoring ${describeSnapshot(snapshot)}`)
    const display = createRestoreDisplay(context, options.dryRun ?? false)
    try {
      const result = await restore(repository, snapshot, {
        target,
        path: wanted.path,
        include: options.include ?? [],
        exclude: options.exclude ?? [],
        overwrite: options.overwrite,
        isDryRun: options.dryRun ?? false,
        verify: options.verify ?? false,
        sparse: options.sparse ?? false,
        numericIds: options.numericIds ?? false,
        noOwnership: !options.ownership,
        ...display.listeners,
        signal,
      })
      await display.summary(result, target)
      failIfIncomplete(result)
    } finally {
      display.end()
    }
  })
}

function failIfIncomplete({ errors, damaged }: RestoreResult): void {
  if (errors === 0) return
  const what = countOf(errors, 'file or folder', 'files and folders')
  if (damaged === 0) {
    throw new HoldfastError('IO', `${what} could not be restored`, {
      hint: 'the lines above say why; run the same command again to restore what is missing',
    })
  }
  throw new HoldfastError(
    'DAMAGED',
    `${what} could not be restored, ${damaged} of them for damage in the repository`,
    {
      hint: 'holdfast verify --read-data shows what is damaged, and which command mends it; an older snapshot may still have the files',
    },
  )
}
