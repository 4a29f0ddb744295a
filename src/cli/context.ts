import type { Command } from 'commander'
import { type GlobalOptions, readGlobalOptions } from './global-options.ts'
import { createOutput, type Output } from './output.ts'

/** What a command works with beside its own arguments. */
export interface Context {
  /** Global options; they are known once a command's action runs. */
  readonly options: GlobalOptions
  readonly output: Output
  /** Aborted by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal
  readonly environment: NodeJS.ProcessEnv
  /** Take the global options from a parsed command. */
  begin(command: Command): void
}

export function createContext(signal: AbortSignal, environment: NodeJS.ProcessEnv = process.env): Context {
  let options: GlobalOptions | undefined
  let output: Output | undefined
  return {
    signal,
    environment,
    get options() {
      if (options === undefined) throw new Error('global options are read before a command was parsed')
      return options
    },
    get output() {
      if (output === undefined) throw new Error('output is used before a command was parsed')
      return output
    },
    begin(command) {
      options = readGlobalOptions(command)
      output = createOutput({
        isJson: options.json,
        isQuiet: options.quiet,
        verbosity: options.verbose,
        isProgressWanted: options.progress && !options.quiet,
      })
      if (!options.lock || options.retryLock !== undefined)
        output.detail('--no-lock and --retry-lock do nothing: there are no locks')
    },
  }
}
