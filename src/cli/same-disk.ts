import { statSync } from 'node:fs'
import { systemCode } from '../errors/index.ts'
import type { Repository } from '../index.ts'
import type { Context } from './context.ts'
import { rawName } from './raw-arguments.ts'

/** Say that a disk that fails takes the backup with it, where sources and repository are on one disk. */
export function noteSameDisk(context: Context, repository: Repository, sources: readonly string[]): void {
  const { location } = repository.backend
  const device = deviceOf(location)
  const isSame = device !== undefined && sources.some((source) => deviceOf(rawName(source)) === device)
  if (!isSame) return
  context.output.note(
    `${location} is on the same disk as what it backs up; for a copy that survives the disk: holdfast init --repo /other/disk/backup, then back up there too`,
  )
}

function deviceOf(path: string | Buffer): bigint | undefined {
  try {
    return statSync(path, { bigint: true }).dev
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}
