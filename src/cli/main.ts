import { createContext } from './context.ts'
import { describeFailure, failureAsJson, failureAsText } from './failure.ts'
import { createProgram } from './program.ts'
import { readArguments } from './raw-arguments.ts'

const INTERRUPTED_EXIT = 130

/**
 * Run the program on this process's arguments. The only place where errors become exit codes.
 * The first SIGINT, SIGTERM or SIGHUP lets the command end in order, the second ends it at once.
 */
export async function main(): Promise<void> {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(INTERRUPTED_EXIT)
      controller.abort(name)
    })
  }
  const words = readArguments()
  const fail = (error: unknown): number => report(error, words, controller.signal.aborted)
  process.on('uncaughtException', (error) => process.exit(fail(error)))

  const context = createContext(controller.signal)
  let exitCode = 0
  try {
    await createProgram(context).parseAsync(words, { from: 'user' })
  } catch (error) {
    exitCode = fail(error)
  }
  // Threads or an open stdin must not keep a command alive that is done; what was written goes out first.
  await Promise.all([process.stdout, process.stderr].map(flush))
  process.exit(exitCode)
}

/** @returns the exit code */
function report(error: unknown, words: readonly string[], isAborted: boolean): number {
  const failure = describeFailure(error, isAborted)
  if (failure === undefined) return 0
  // The words are looked at, since the error may be about how to read them.
  const isAsked = (option: string): boolean => words.includes(option)
  const text = isAsked('--json') ? failureAsJson(failure) : failureAsText(failure)
  process.stderr.write(`${text}\n`)
  if (isAsked('--debug')) process.stderr.write(`${stackOf(error)}\n`)
  return failure.exitCode
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}

async function flush(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
