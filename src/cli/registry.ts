import type { Command } from 'commander'
import type { Context } from './context.ts'

/** What each file in `commands/` exports: it adds arguments, options and the action to its command. */
interface CommandModule {
  define(command: Command, context: Context): void
}

export interface CommandEntry {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly summary: string
  /** Loaded when the command is used, so that nothing pays for what it does not use. */
  load(): Promise<CommandModule>
}

/** Every command, in the order of the help. */
export const registry: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'make a repository',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'backup',
    summary: 'back up files and folders as a snapshot',
    load: () => import('./commands/backup.ts'),
  },
  {
    name: 'snapshots',
    summary: 'list snapshots',
    load: () => import('./commands/snapshots.ts'),
  },
  {
    name: 'ls',
    summary: 'list the files in a snapshot',
    load: () => import('./commands/ls.ts'),
  },
  {
    name: 'find',
    summary: 'find files and folders in snapshots by name',
    load: () => import('./commands/find.ts'),
  },
  {
    name: 'history',
    summary: 'list the versions of a file or folder',
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'diff',
    summary: 'list what differs between snapshots, or from the files as they are now',
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'restore',
    summary: 'bring files of a snapshot back',
    load: () => import('./commands/restore.ts'),
  },
  {
    name: 'dump',
    summary: 'write one file of a snapshot to stdout',
    load: () => import('./commands/dump.ts'),
  },
  {
    name: 'verify',
    aliases: ['check'],
    summary: 'look for damage',
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'forget',
    summary: 'remove snapshots, by id or by rules',
    load: () => import('./commands/forget.ts'),
  },
  {
    name: 'prune',
    summary: 'remove data that no snapshot needs',
    load: () => import('./commands/prune.ts'),
  },
  {
    name: 'copy',
    summary: 'copy snapshots to another repository',
    load: () => import('./commands/copy.ts'),
  },
  {
    name: 'repair',
    summary: 'rebuild what is lost or damaged',
    load: () => import('./commands/repair.ts'),
  },
  {
    name: 'key',
    summary: 'passwords and key files that open the repository',
    load: () => import('./commands/key.ts'),
  },
  {
    name: 'stats',
    summary: 'sizes and counts',
    load: () => import('./commands/stats.ts'),
  },
  {
    name: 'bench',
    summary: 'measure how fast this machine is',
    load: () => import('./commands/bench.ts'),
  },
  {
    name: 'cat',
    summary: 'print a file of the repository in readable form',
    load: () => import('./commands/cat.ts'),
  },
  {
    name: 'list',
    summary: 'list the ids of stored files of a kind',
    load: () => import('./commands/list.ts'),
  },
  {
    name: 'unlock',
    summary: 'nothing: there are no locks',
    load: () => import('./commands/unlock.ts'),
  },
  {
    name: 'cache',
    summary: 'the folder of local indexes',
    load: () => import('./commands/cache.ts'),
  },
]
