import { DamagedError, HoldfastError } from '../errors/index.ts'

/**
 * What an error says of a stored file, without the file's name.
 *
 * @throws the error itself, when it is none of damage, a newer format or storage that cannot be read
 */
export function problemOf(error: unknown): string {
  if (!(error instanceof HoldfastError)) throw error
  if (error.code !== 'DAMAGED' && error.code !== 'NEWER_FORMAT' && error.code !== 'IO') throw error
  if (!(error instanceof DamagedError)) return error.message
  const prefix = `${error.file} is damaged: `
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message
}
