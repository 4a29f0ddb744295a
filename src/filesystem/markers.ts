import { closeSync, readSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { joinName } from '../encoding/index.ts'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { openForReading } from './reading.ts'
import { readStatus, statusOf } from './status.ts'

/** A file whose presence in a folder says that what is in the folder is to be left out. */
export interface Marker {
  readonly name: string
  /** How the file has to begin; any file of the name will do when it is empty. */
  readonly header: string
}

/** The cache directory tag of bford.info/cachedir. */
export const cacheDirectoryMarker: Marker = {
  name: 'CACHEDIR.TAG',
  header: 'Signature: 8a477f597d28d172789f06886806bc55',
}

/** Parse `name` or `name:header`. Throws USAGE for a name that cannot be one. */
export function parseMarker(text: string): Marker {
  const colon = text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new HoldfastError('USAGE', `"${text}" names no file to look for`, {
      hint: 'write the name of a file, such as .nobackup, or name:header',
    })
  }
  return { name, header: colon < 0 ? '' : text.slice(colon + 1) }
}

/**
 * Whether a folder holds the marker. A header is looked for in a regular file only, never through a symbolic
 * link. A marker that cannot be read counts as absent, so that its folder is kept.
 */
export function hasMarker(directory: RawName, marker: Marker): boolean {
  const path = joinName(directory, marker.name)
  try {
    if (marker.header === '') return readStatus(path) !== undefined
    return startsWith(path, Buffer.from(marker.header, 'utf8'))
  } catch (error) {
    if (ABSENT.has(systemCode(error) ?? '')) return false
    throw error
  }
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'EISDIR', 'ENXIO'])

function startsWith(path: RawName, header: Buffer): boolean {
  const fd = openForReading(path)
  try {
    if (statusOf(fd).type !== 'file') return false
    const start = Buffer.alloc(header.length)
    return readSync(fd, start, 0, start.length, 0) === start.length && start.equals(header)
  } finally {
    closeSync(fd)
  }
}
