import type { Command } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import {
  type BackupOptions,
  type BackupResult,
  backup,
  backupStream,
  displayName,
  endPreparation,
  machineOffsetMinutes,
  parseTime,
  prepareBackup,
  type Repository,
} from '../../index.ts'
import { createBackupDisplay } from '../backup-display.ts'
import { addExcludeOptions, type ExcludeOptions, readExcludes } from '../backup-excludes.ts'
import { readSourcePaths, type SourceOptions } from '../backup-sources.ts'
import { openCommand, openStdin } from '../backup-streams.ts'
import { addCompressionOption, compressionLevelOf } from '../compression-option.ts'
import type { Context } from '../context.ts'
import { countOf } from '../format.ts'
import { withRepositoryForBackup } from '../repository-access.ts'
import { noteSameDisk } from '../same-disk.ts'
import { choose } from '../snapshot-choice.ts'
import { collect, parseWholeNumber } from '../values.ts'

interface Options extends SourceOptions, ExcludeOptions {
  readonly tag?: readonly string[]
  readonly host?: string
  readonly time?: string
  readonly description?: string
  readonly parent?: string
  readonly force?: boolean
  readonly oneFileSystem?: boolean
  readonly stdin?: boolean
  readonly stdinFromCommand?: boolean
  readonly stdinFilename?: string
  readonly dryRun?: boolean
  readonly skipIfUnchanged?: boolean
  readonly withAtime?: boolean
  readonly ignoreInode?: boolean
  readonly ignoreCtime?: boolean
  readonly compression?: string
  readonly readConcurrency?: number
}

/** Each takes some ten megabytes. */
const MOST_THREADS = 64

export function define(command: Command, context: Context): void {
  command
    .argument('[path...]', 'files and folders to back up')
    .option('--tag <tag,…>', 'give the snapshot these tags; may be repeated', collect)
    .option('-H, --host <host>', "the machine's name to keep (default: this machine's)")
    .option('--time <time>', 'the moment to keep, such as "2026-03-01 18:00" (default: now)')
    .option('--description <text>', 'a text to keep with the snapshot')
    .option('--parent <snapshot>', 'compare with this snapshot (default: the last of this host and paths)')
    .option('-f, --force', 'read every file, changed or not')
  addExcludeOptions(command)
  command
    .option('-x, --one-file-system', 'leave out what is mounted below the paths')
    .option('--files-from <file>', 'back up what the patterns in a file match; - is stdin', collect)
    .option('--files-from-verbatim <file>', 'back up the paths in a file, one on each line', collect)
    .option('--files-from-raw <file>', 'back up the paths in a file, each ended by a NUL byte', collect)
    .option('--stdin', 'back up what comes in on stdin as one file')
    .option('--stdin-from-command', 'run the arguments as a command and back up what it prints')
    .option('--stdin-filename <name>', 'name of that file in the snapshot (default: stdin)')
    .option('-n, --dry-run', 'store nothing; say what would be stored')
    .option('--skip-if-unchanged', 'make no snapshot when nothing has changed')
    .option('--with-atime', 'keep when files were last read')
    .option('--ignore-inode', 'a file with another inode number may count as unchanged')
    .option('--ignore-ctime', 'a file with another status change time may count as unchanged')
  addCompressionOption(command, "how hard this backup compresses (default: the repository's)")
  command
    .option(
      '--read-concurrency <n>',
      'how many threads read (default: one for each core, at most 8)',
      (text) => parseWholeNumber(text, 1, MOST_THREADS),
    )
    .action(async (paths: readonly string[], options: Options) => {
      checkTogether(paths, options)
      // A stream is read by this thread alone, and so are files where the index is in memory.
      const isShared = !options.stdin && !options.stdinFromCommand && context.options.cache
      if (isShared) prepareBackup(options.readConcurrency)
      try {
        await withRepositoryForBackup(context, async (repository, place) => {
          const result = await run(context, repository, paths, options)
          if (place.isDefault) noteSameDisk(context, repository, paths)
          failIfIncomplete(result)
        })
      } finally {
        await endPreparation()
      }
    })
}

async function run(
  context: Context,
  repository: Repository,
  args: readonly string[],
  options: Options,
): Promise<BackupResult> {
  const display = createBackupDisplay(context, options.dryRun ?? false)
  try {
    const settings = { ...(await readSettings(context, repository, options)), ...display.listeners }
    const { stdinFilename = 'stdin' } = options
    let result: BackupResult
    if (options.stdin)
      result = await backupStream(repository, stdinFilename, openStdin(context.signal), settings)
    else if (options.stdinFromCommand) {
      const open = openCommand(args, context.signal)
      result = await backupStream(repository, stdinFilename, open, settings)
    } else {
      const paths = readSourcePaths(args, options)
      result = await backup(repository, paths, settings)
    }
    await display.summary(result)
    if ((options.stdin || options.stdinFromCommand) && result.summary.totalBytes === 0)
      context.output.problem(
        'nothing came: the file in the snapshot is empty; a pipe hides a program that failed',
      )
    return result
  } finally {
    display.end()
  }
}

async function readSettings(
  context: Context,
  repository: Repository,
  options: Options,
): Promise<BackupOptions> {
  const level = compressionLevelOf(options.compression)
  const { time, host, description, readConcurrency, parent } = options
  return {
    excludes: readExcludes(options),
    tags: (options.tag ?? []).flatMap((list) => list.split(',')).filter((tag) => tag !== ''),
    ...(description === undefined ? {} : { description }),
    ...(host === undefined ? {} : { host }),
    ...(time === undefined ? {} : { timeMs: parseTime(time, Date.now(), machineOffsetMinutes) }),
    ...(parent === undefined ? {} : { parent: (await choose(context, repository, parent, {})).id }),
    ...(options.force ? { parent: null } : {}),
    oneFileSystem: options.oneFileSystem ?? false,
    withAtime: options.withAtime ?? false,
    ignoreInode: options.ignoreInode ?? false,
    ignoreCtime: options.ignoreCtime ?? false,
    skipIfUnchanged: options.skipIfUnchanged ?? false,
    isDryRun: options.dryRun ?? false,
    ...(level === undefined ? {} : { compressionLevel: level }),
    ...(readConcurrency === undefined ? {} : { threads: readConcurrency }),
    signal: context.signal,
  }
}

function checkTogether(paths: readonly string[], options: Options): void {
  const { stdin = false, stdinFromCommand = false, stdinFilename } = options
  const lists = [options.filesFrom, options.filesFromVerbatim, options.filesFromRaw].flatMap(
    (one) => one ?? [],
  )
  const isStream = stdin || stdinFromCommand
  const usage = (message: string, hint: string): HoldfastError =>
    new HoldfastError('USAGE', message, { hint })
  if (stdin && stdinFromCommand) {
    throw usage('--stdin and --stdin-from-command are given together', 'give one of them')
  }
  if (isStream && lists.length > 0) {
    throw usage('a stream and files cannot be backed up together', 'leave out --files-from or --stdin')
  }
  if (stdin && paths.length > 0) {
    throw usage(`--stdin takes no paths: ${displayName(paths[0] ?? '')}`, 'back up the paths by themselves')
  }
  if (stdinFromCommand && paths.length === 0) {
    throw usage(
      '--stdin-from-command needs a command',
      'holdfast backup --stdin-from-command -- pg_dump shop',
    )
  }
  if (!isStream && stdinFilename !== undefined) {
    throw usage('--stdin-filename needs --stdin or --stdin-from-command', 'holdfast backup --stdin < file')
  }
  if (lists.filter((file) => file === '-').length > 1)
    throw usage('stdin can be only one list', 'join the lists')
  if (!isStream && paths.length === 0 && lists.length === 0) {
    throw usage('there is nothing to back up', 'give paths, for example: holdfast backup ~')
  }
}

/** The snapshot is made all the same; the exit code says that it lacks something. */
function failIfIncomplete({ isIncomplete, summary, snapshotId }: BackupResult): void {
  if (!isIncomplete) return
  const what =
    summary.errors === 1 ? '1 file or folder' : countOf(summary.errors, 'file or folder', 'files and folders')
  const saved = snapshotId === undefined ? '' : '; the snapshot has everything else'
  throw new HoldfastError('SOURCE_INCOMPLETE', `${what} could not be read${saved}`, {
    hint: 'the lines above name them; run as a user who may read them, or leave them out with --exclude',
  })
}
