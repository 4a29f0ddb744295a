import { systemCode } from '../errors/index.ts'

/** One thing about a node that could not be read or restored. The rest of the node was still dealt with. */
export interface Problem {
  readonly what: 'type' | 'owner' | 'xattr' | 'mode' | 'times'
  /** Says what failed and why, without the node's path, which the caller knows better. No full stop. */
  readonly message: string
  readonly cause: unknown
}

/** A problem whose message ends with the system's code or the error's own message in brackets. */
export function problem(what: Problem['what'], message: string, cause: unknown): Problem {
  const reason = systemCode(cause) ?? (cause instanceof Error ? cause.message : String(cause))
  return { what, message: `${message} (${reason})`, cause }
}
