import type { RawName } from '../encoding/index.ts'
import { createExcluder } from '../filesystem/index.ts'
import type { RestoreOptions } from './options.ts'

/** Whether a node is wanted; `leads` for a folder that is not but may have wanted things below it. */
type Choice = 'wanted' | 'leads' | 'left-out'

export type Selection = (path: RawName, isDirectory: boolean) => Choice

/** @throws HoldfastError USAGE for a pattern that can match nothing */
export function createSelection({
  include = [],
  exclude = [],
}: Pick<RestoreOptions, 'include' | 'exclude'>): Selection {
  if (include.length === 0 && exclude.length === 0) return () => 'wanted'
  const isExcluded = createExcluder({ patterns: exclude })
  const isIncluded = include.length === 0 ? () => true : createExcluder({ patterns: include })
  return (path, isDirectory) => {
    if (isExcluded(path, isDirectory)) return 'left-out'
    if (isIncluded(path, isDirectory)) return 'wanted'
    return isDirectory ? 'leads' : 'left-out'
  }
}
