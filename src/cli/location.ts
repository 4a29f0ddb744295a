import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { defaultRepositoryLocation } from '../index.ts'
import type { Context } from './context.ts'

export interface RepositoryPlace {
  readonly location: string
  /** True for the embedded default, when neither an option nor the environment names one. */
  readonly isDefault: boolean
}

/** Which repository is meant. @throws HoldfastError USAGE when the environment names two */
export function findPlace(context: Context): RepositoryPlace {
  const { options, environment: env } = context
  if (options.repo !== undefined) return { location: options.repo, isDefault: false }
  const { HOLDFAST_REPOSITORY: named, HOLDFAST_REPOSITORY_FILE: file } = env
  if (named !== undefined && file !== undefined) {
    throw new HoldfastError('USAGE', 'HOLDFAST_REPOSITORY and HOLDFAST_REPOSITORY_FILE are both set', {
      hint: 'unset one of them',
    })
  }
  if (named !== undefined) return { location: named, isDefault: false }
  if (file !== undefined) return { location: readLocationFile(file), isDefault: false }
  return { location: defaultRepositoryLocation(), isDefault: true }
}

/** True when the embedded default repository has been made. */
export function hasDefaultRepository(): boolean {
  const location = defaultRepositoryLocation()
  return ['config', 'keys'].some((name) => existsSync(join(location, name)))
}

function readLocationFile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const code = systemCode(cause)
    if (code === undefined) throw cause
    throw new HoldfastError('IO', `HOLDFAST_REPOSITORY_FILE names ${path}, which cannot be read (${code})`, {
      cause,
    })
  }
  return text.replace(/\r?\n$/, '')
}
