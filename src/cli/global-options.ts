import { type Command, Option } from 'commander'
import { HoldfastError } from '../errors/index.ts'
import { isRaw } from './raw-arguments.ts'
import { collect } from './values.ts'

/** Options that every command takes, before or after its name. */
export interface GlobalOptions {
  readonly repo?: string
  readonly passwordFile?: string
  readonly passwordCommand?: string
  readonly keyFile?: string
  /** `KEY=VALUE` each. */
  readonly option: readonly string[]
  readonly cacheDir?: string
  readonly cache: boolean
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: number
  readonly progress: boolean
  readonly debug: boolean
  /** False and set: restic's spellings, which mean nothing here. */
  readonly lock: boolean
  readonly retryLock?: string
}

const HEADING = 'Global options:'

/** A command and those above it each parse their own; `readGlobalOptions` puts them together. */
export function addGlobalOptions(command: Command): void {
  const options = [
    new Option('-r, --repo <location>', 'the repository: a path or an address; env HOLDFAST_REPOSITORY'),
    new Option('--password-file <file>', 'read the password from a file; env HOLDFAST_PASSWORD_FILE'),
    new Option(
      '--password-command <command>',
      'take the password from what a command prints; env HOLDFAST_PASSWORD_COMMAND',
    ),
    new Option('--key-file <file>', 'open with a key file in place of a password; env HOLDFAST_KEY_FILE'),
    new Option('-o, --option <key=value>', 'an option of the storage, for remote ones').argParser(collect),
    new Option(
      '--cache-dir <folder>',
      'where the local index is kept; env HOLDFAST_CACHE_DIR (default: ~/.cache/holdfast)',
    ),
    new Option('--no-cache', 'keep the local index in memory for this run'),
    new Option('--json', 'results, progress and errors as JSON'),
    new Option('-q, --quiet', 'print errors only'),
    new Option('-v, --verbose', 'say more, such as each file as it is done').argParser(
      (_: string, count: number = 0) => count + 1,
    ),
    new Option('--no-progress', 'no progress display'),
    new Option('--debug', 'print where an error came from'),
    new Option('--no-lock', 'accepted for scripts written for restic; there are no locks').hideHelp(),
    new Option(
      '--retry-lock <duration>',
      'accepted for scripts written for restic; there are no locks',
    ).hideHelp(),
  ]
  for (const option of options) command.addOption(option.helpGroup(HEADING))
}

/**
 * The global options as they stand in a parsed command and the commands above it; the nearest wins.
 *
 * @throws HoldfastError USAGE for a value that is not text
 */
export function readGlobalOptions(command: Command): GlobalOptions {
  const merged: Record<string, unknown> = { option: [], verbose: 0 }
  for (const one of withParents(command)) {
    for (const [name, value] of Object.entries(one.opts())) {
      if (one.getOptionValueSource(name) === 'default') merged[name] ??= value
      else if (name === 'option') merged.option = [...(merged.option as string[]), ...(value as string[])]
      else if (name === 'verbose') merged.verbose = (merged.verbose as number) + (value as number)
      else merged[name] = value
    }
  }
  return { json: false, quiet: false, debug: false, ...merged } as unknown as GlobalOptions
}

/** Only arguments may be bytes that are no text. @throws HoldfastError USAGE */
export function checkOptionsAreText(command: Command): void {
  for (const one of withParents(command)) {
    for (const option of one.options) {
      const values: unknown[] = [one.getOptionValue(option.attributeName())].flat()
      if (!values.some((value) => typeof value === 'string' && isRaw(value))) continue
      throw new HoldfastError('USAGE', `the value of ${option.long ?? option.flags} is not valid UTF-8`, {
        hint: 'only arguments may be such paths; holdfast backup --files-from-raw takes them from a file',
      })
    }
  }
}

/** Outermost first. */
function withParents(command: Command): Command[] {
  return command.parent === null ? [command] : [...withParents(command.parent), command]
}
