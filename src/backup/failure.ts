import { hasCode, systemCode } from '../errors/index.ts'

/** True for what costs one file or folder: the system refuses, or the node is of a type that nobody knows. */
export function costsOneFile(error: unknown): boolean {
  return systemCode(error) !== undefined || hasCode(error, 'UNSUPPORTED')
}
