/** Every stable error code with the exit code it ends a command with. docs/cli.md lists the same table. */
export const exitCodes = {
  FAILED: 1,
  USAGE: 2,
  SOURCE_INCOMPLETE: 3,
  NO_REPOSITORY: 10,
  WRONG_KEY: 12,
  DAMAGED: 20,
  INTERRUPTED: 130,
  /** A path that has to be read or written cannot be. */
  IO: 1,
  /** The repository, or one of its features, is of a newer format than this program reads or writes. */
  NEWER_FORMAT: 1,
  ALREADY_EXISTS: 1,
  NO_SNAPSHOT: 1,
  NO_SUCH_PATH: 1,
  /** A file of the repository is not there. Callers that know it must be there turn this into DAMAGED. */
  NO_SUCH_FILE: 1,
  UNSUPPORTED: 1,
} as const

export type ErrorCode = keyof typeof exitCodes

export interface ErrorOptions {
  /** What the user can do about it: a sentence, with the next command where there is one. */
  readonly hint?: string
  readonly cause?: unknown
}

/**
 * The one error class for everything a user can meet. `message` says what failed and on what (a path, an id);
 * it never holds a secret. Programmer errors are plain `Error`.
 */
export class HoldfastError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HoldfastError'
    this.code = code
    this.hint = options.hint
  }

  get exitCode(): number {
    return exitCodes[this.code]
  }
}

/** Damage in a stored file: `file` is its name in the repository, for example `data/ab/ab…`. */
export class DamagedError extends HoldfastError {
  readonly file: string
  /** What is wrong with it. */
  readonly problem: string

  constructor(file: string, problem: string, options: ErrorOptions = {}) {
    super('DAMAGED', `${file} is damaged: ${problem}`, {
      hint: 'run holdfast verify --read-data to see which snapshots are touched',
      ...options,
    })
    this.name = 'DamagedError'
    this.file = file
    this.problem = problem
  }
}

/** True for a HoldfastError with this code. */
export function hasCode(error: unknown, code: ErrorCode): error is HoldfastError {
  return error instanceof HoldfastError && error.code === code
}

/** True for what another copy would heal: damage in the repository, and files of it that are gone. */
export function isLossOfData(error: unknown): error is HoldfastError {
  return hasCode(error, 'DAMAGED') || hasCode(error, 'NO_SUCH_FILE')
}

/**
 * The system's error code (`ENOENT`, …) of an error thrown by node:fs, which comes with an errno, or Node's own (`ERR_…`)
 * where it refuses before the system is asked: a NUL in a path, a number out of range. Undefined for anything else,
 * a HoldfastError too.
 */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  const isOfSystem = 'errno' in error && typeof error.errno === 'number'
  return isOfSystem || error.code.startsWith('ERR_') ? error.code : undefined
}

/** Throw INTERRUPTED when the signal is aborted. Called at least once per block or file of every long call. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new HoldfastError('INTERRUPTED', 'interrupted', { cause: signal.reason })
}
