import type { Command } from 'commander'
import { defaultCacheDirectory, displayName } from '../../index.ts'
import type { Context } from '../context.ts'
import { accessOptions } from '../repository-access.ts'

/** Says where the local indexes are; there is nothing that has to be done about them. */
export function define(command: Command, context: Context): void {
  command.option('--cleanup', 'accepted for scripts written for restic').action(async () => {
    const { output } = context
    const { cacheDirectory = defaultCacheDirectory() } = accessOptions(context)
    await output.json({ message_type: 'cache', directory: cacheDirectory })
    if (cacheDirectory === null) return await output.line('nothing to do: local indexes are kept in memory')
    await output.line(
      `local indexes are kept in ${displayName(cacheDirectory)}, a folder for each repository`,
    )
    await output.line('nothing to do: each may be deleted at any time and is built again when it is needed')
  })
}
