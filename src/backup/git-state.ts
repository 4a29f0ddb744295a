import { closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openForReading, statusOf } from '../filesystem/index.ts'
import type { GitState } from '../snapshot/index.ts'
import { costsOneFile } from './failure.ts'

const MAXIMUM_BYTES = 4n * 1024n * 1024n

/**
 * Commit and branch of the git work tree at a path; null when there is none. Read from files: running git in a
 * folder that somebody else may have written would run what its configuration says.
 */
export function readGitState(path: string): GitState | null {
  const folder = join(path, '.git')
  const head = readLine(join(folder, 'HEAD'))
  if (head === undefined) return null
  if (/^[0-9a-f]{40,64}$/.test(head)) return { commit: head, branch: '' }
  const ref = /^ref: (refs\/heads\/([^\0]{1,200}))$/.exec(head)
  if (ref === null || ref[1]!.split('/').includes('..')) return null
  const commit = readLine(join(folder, ref[1]!)) ?? packedRef(folder, ref[1]!)
  return { commit: commit !== undefined && /^[0-9a-f]{40,64}$/.test(commit) ? commit : '', branch: ref[2]! }
}

function packedRef(folder: string, ref: string): string | undefined {
  const line = readText(join(folder, 'packed-refs'))
    ?.split('\n')
    .find((one) => one.endsWith(` ${ref}`))
  return line?.slice(0, line.indexOf(' '))
}

function readLine(path: string): string | undefined {
  return readText(path)?.trimEnd()
}

/** A small regular file's text; anything else there, such as a fifo that would never end, is not read. */
function readText(path: string): string | undefined {
  try {
    const fd = openForReading(path)
    try {
      const { type, sizeBytes } = statusOf(fd)
      return type === 'file' && sizeBytes <= MAXIMUM_BYTES ? readFileSync(fd, 'utf8') : undefined
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (costsOneFile(error)) return undefined
    throw error
  }
}
