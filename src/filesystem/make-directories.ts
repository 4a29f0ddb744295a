import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { RawName } from '../encoding/index.ts'
import { systemCode } from '../errors/index.ts'

/**
 * Make a directory and what is missing above it. Node's own recursive mkdir never returns where a folder can hold
 * no new ones and says that they do not exist, as /proc does.
 *
 * @returns true when the directory itself was not there. Throws the system's errors: EEXIST where something that is
 *   no directory is in the way at any level
 */
export function makeDirectories(path: RawName, mode: number): boolean {
  try {
    return makeDirectory(path, mode)
  } catch (error) {
    const parent = parentOf(path)
    if (systemCode(error) !== 'ENOENT' || parent === undefined) throw error
    makeDirectories(parent, mode)
    return makeDirectory(path, mode)
  }
}

function makeDirectory(path: RawName, mode: number): boolean {
  try {
    mkdirSync(path, { mode })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST' && isDirectory(path)) return false
    throw error
  }
}

function isDirectory(path: RawName): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Undefined for what has no parent to be made. */
function parentOf(path: RawName): RawName | undefined {
  if (typeof path === 'string') return dirname(path) === path ? undefined : dirname(path)
  let end = path.length
  while (end > 1 && path[end - 1] === 0x2f) end--
  const slash = path.subarray(0, end).lastIndexOf(0x2f)
  return slash <= 0 ? undefined : path.subarray(0, slash)
}
