import type { Command } from 'commander'
import type { Context } from '../context.ts'

/** Accepted for scripts written for restic. */
export function define(command: Command, context: Context): void {
  command
    .option('--remove-all', 'accepted for scripts written for restic')
    .action(
      async () =>
        await context.output.line('nothing to do: there are no locks, and no command ever waits for one'),
    )
}
