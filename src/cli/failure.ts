import { CommanderError } from 'commander'
import { HoldfastError, hasCode, systemCode } from '../errors/index.ts'

/** What a command ended with, as it is told to the user. */
export interface Failure {
  readonly exitCode: number
  readonly message: string
  readonly hint: string | undefined
}

/** Bring whatever was thrown into one form. Undefined when it was no failure, such as the help. */
export function describeFailure(error: unknown, isAborted: boolean): Failure | undefined {
  if (error instanceof CommanderError) return describeUsage(error)
  if (isAborted || hasCode(error, 'INTERRUPTED')) {
    return { exitCode: 130, message: 'interrupted', hint: 'nothing is lost; run the same command again' }
  }
  if (error instanceof HoldfastError) {
    return { exitCode: error.exitCode, message: error.message, hint: error.hint }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (systemCode(error) !== undefined) return { exitCode: 1, message, hint: undefined }
  return {
    exitCode: 1,
    message: `internal error: ${message}`,
    hint: 'this is a fault of the program; run it again with --debug to see where',
  }
}

function describeUsage(error: CommanderError): Failure | undefined {
  if (error.exitCode === 0) return undefined
  if (error.code === 'commander.help') {
    return { exitCode: 2, message: 'no command was given', hint: 'holdfast help lists them' }
  }
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1').replace(/^Did you mean/, 'did you mean')
  return { exitCode: 2, message, hint: hint ?? 'holdfast help <command> shows how to use a command' }
}

/** One object on one line, as scripts read it. */
export function failureAsJson(failure: Failure): string {
  return JSON.stringify({
    message_type: 'exit_error',
    code: failure.exitCode,
    message: failure.message,
    hint: failure.hint,
  })
}

export function failureAsText(failure: Failure): string {
  const hint = failure.hint === undefined ? '' : `\n  ${failure.hint}`
  return `holdfast: ${failure.message}${hint}`
}
