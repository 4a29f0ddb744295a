import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { withRepository } from '../repository-access.ts'
import { addPruneOptions, type PruneChoice } from './prune-options.ts'
import { runPrune } from './prune-run.ts'

interface Options extends PruneChoice {
  readonly dryRun?: boolean
}

export function define(command: Command, context: Context): void {
  addPruneOptions(command)
  command
    .option('-n, --dry-run', 'change nothing; say what would be done')
    .action(
      async (options: Options) =>
        await withRepository(
          context,
          async (repository) => await runPrune(context, repository, options, options.dryRun ?? false),
        ),
    )
}
