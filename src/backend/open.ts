import { HoldfastError } from '../errors/index.ts'
import { parseLocation } from './location.ts'
import type { Backend } from './types.ts'

export interface OpenOptions {
  /**
   * Make the repository's directory with the first file put there, as `init` does. Without it an absent or empty
   * directory is NO_REPOSITORY, at opening and later: the mount point of a disk that is gone is never
   * taken for a repository without snapshots, and never written to. Default false.
   */
  readonly create?: boolean
  /** With `create`: what may be at the top of the place. Where there is anything else it is in use for something. Default: all. */
  readonly mayHold?: readonly string[]
}

/** Open the storage at a location as the user wrote it. @throws USAGE, UNSUPPORTED, NO_REPOSITORY, IO */
export async function openBackend(location: string, options: OpenOptions = {}): Promise<Backend> {
  const parsed = parseLocation(location)
  if (parsed.kind === 'local') {
    const { openLocalBackend } = await import('./local.ts')
    return openLocalBackend(parsed.path, options)
  }
  throw new HoldfastError('UNSUPPORTED', `${parsed.kind}: repositories are not in this version`, {
    hint: 'use a path; a remote directory can be mounted first',
  })
}
