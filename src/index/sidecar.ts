import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../errors/index.ts'
import { SCHEMA } from './rows.ts'

/** Names in the index's directory. LMDB gives the first two. */
export const DATA_NAME = 'data.mdb'
export const LOCK_NAME = 'lock.mdb'
const SIDECAR_NAME = 'clean'

/** Bytes at the start of the data file that hold both meta pages, at LMDB's largest page size. */
const META_BYTES = 2 * 65_536
const firstLine = /^holdfast index (\d{1,9})\n/

/**
 * The file that says that the data file is as the last writer left it: schema, size, times, inode and a hash of
 * the meta pages. Gone while somebody writes, so that a data file without it is looked through before it is opened.
 */
export interface Sidecar {
  remove(): void
  /** Does nothing when the data file was replaced since the index was opened. */
  write(): void
}

/** @param inode of the data file that is open */
export function createSidecar(directory: string, inode: bigint): Sidecar {
  const path = join(directory, SIDECAR_NAME)
  return {
    remove: () => rmSync(path, { force: true }),
    write() {
      const data = describeData(directory)
      if (data?.inode !== inode) return
      try {
        writeFileSync(path, data.text, { mode: 0o600 })
      } catch (error) {
        // Without it the data file is looked through the next time: slower, and as safe.
        if (systemCode(error) === undefined) throw error
        rmSync(path, { force: true })
      }
    },
  }
}

/** What the sidecar says of the data file as it is now; garbage counts as missing. */
export function readSidecar(directory: string): 'matches' | 'missing' | 'other-version' {
  let text: string
  try {
    text = readFileSync(join(directory, SIDECAR_NAME), 'latin1')
  } catch (error) {
    if (isMissing(error)) return 'missing'
    throw error
  }
  const schema = firstLine.exec(text)?.[1]
  if (schema !== undefined && schema !== String(SCHEMA)) return 'other-version'
  return text === describeData(directory)?.text ? 'matches' : 'missing'
}

/** The text a sidecar must have now; undefined when there is no data file that can be read. */
export function describeData(
  directory: string,
): { readonly inode: bigint; readonly text: string } | undefined {
  let fd: number
  try {
    fd = openSync(join(directory, DATA_NAME), 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  try {
    const status = fstatSync(fd, { bigint: true })
    if (!status.isFile()) return undefined
    const start = Buffer.alloc(META_BYTES)
    const startBytes = readSync(fd, start, 0, META_BYTES, 0)
    const hash = createHash('sha256').update(start.subarray(0, startBytes)).digest('hex')
    const text = [
      `holdfast index ${SCHEMA}`,
      `size ${status.size}`,
      `modified ${status.mtimeNs}`,
      `changed ${status.ctimeNs}`,
      `inode ${status.ino}`,
      `start ${hash}`,
      '',
    ].join('\n')
    return { inode: status.ino, text }
  } finally {
    closeSync(fd)
  }
}

/** True for the errors of a path that is not there, or is something else than a file. */
export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO', 'EACCES'].includes(systemCode(error) ?? '')
}
