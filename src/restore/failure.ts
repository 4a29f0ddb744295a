import { getSystemErrorMap } from 'node:util'
import { displayName, type RawName } from '../encoding/index.ts'
import { HoldfastError, systemCode } from '../errors/index.ts'

/** What the system says when nothing more can be written anywhere in the target. */
const ENDS_RUN: Readonly<Record<string, string>> = {
  ENOSPC: 'it is full',
  EDQUOT: 'its quota is used up',
  EROFS: 'it can only be read',
}

/** The error that ends the run, when this is one that no other file can be spared. */
export function endOfRun(error: unknown, target: RawName): HoldfastError | undefined {
  const reason = ENDS_RUN[systemCode(error) ?? '']
  if (reason === undefined) return undefined
  const message = `cannot restore into ${displayName(target)}: ${reason} (${systemCode(error)})`
  return new HoldfastError('IO', message, {
    hint: 'make room or choose another target; the same command then goes on, files that are whole are left alone',
    cause: error,
  })
}

/** True for what costs one file or folder: the system refused, or the repository does not have it. */
export function costsOneFile(error: unknown): boolean {
  if (error instanceof HoldfastError) return error.code !== 'INTERRUPTED'
  return systemCode(error) !== undefined
}

/** What went wrong, without paths of the system's own making. */
export function describeFailure(error: unknown): string {
  const code = systemCode(error)
  if (code === undefined || !(error instanceof Error)) {
    return error instanceof Error ? error.message : String(error)
  }
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0
  const text = getSystemErrorMap().get(errno)?.[1] ?? error.message
  const call = 'syscall' in error && typeof error.syscall === 'string' ? `${error.syscall}: ` : ''
  return `${call}${text} (${code})`
}
