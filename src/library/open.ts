import { openBackend } from '../backend/index.ts'
import { chunkerConfig } from '../backup/index.ts'
import type { Secret } from '../crypto/index.ts'
import * as store from '../repository/index.ts'
import { defaultCacheDirectory } from './places.ts'

export interface OpenOptions {
  /** A path, or an address such as `sftp:user@host:/path`. */
  readonly location: string
  /** Or what gives it: called once the place is known to hold something, so that nobody is asked in vain. */
  readonly secret: Secret | (() => Promise<Secret>)
  /** Folder for the local index and other caches; null keeps them in memory. Default: the user's cache folder. */
  readonly cacheDirectory?: string | null
  /** Lines for the user that are no errors, such as a rebuilt index. */
  readonly onNotice?: (message: string) => void
}

export interface CreateOptions extends OpenOptions {
  /** Average length of chunks at the start of a file: a power of two from 4 KiB to 1 MiB. */
  readonly chunkerAverageBytes?: number
  /** zstd level, 0 for none. */
  readonly compressionLevel?: number
  readonly packTargetBytes?: number
}

/** Open a repository. Close it when done. @throws HoldfastError NO_REPOSITORY, WRONG_KEY, DAMAGED, NEWER_FORMAT */
export async function openRepository(options: OpenOptions): Promise<store.Repository> {
  const backend = await openBackend(options.location)
  const secret = await secretOf(options)
  return await store.openRepository(backend, { ...options, secret, cacheDirectory: cacheOf(options) })
}

/** Make a repository and open it. @throws HoldfastError ALREADY_EXISTS, also for a place that is in use for something else */
export async function createRepository(options: CreateOptions): Promise<store.Repository> {
  const { compressionLevel, packTargetBytes } = options
  const backend = await openBackend(options.location, { create: true, mayHold: store.TOP_NAMES })
  return await store.createRepository(backend, {
    ...options,
    secret: await secretOf(options),
    cacheDirectory: cacheOf(options),
    chunker: chunkerConfig(options.chunkerAverageBytes),
    settings: {
      ...(compressionLevel === undefined ? {} : { compressionLevel }),
      ...(packTargetBytes === undefined ? {} : { packTargetBytes }),
    },
    nowMs: Date.now(),
  })
}

async function secretOf({ secret }: OpenOptions): Promise<Secret> {
  return typeof secret === 'function' ? await secret() : secret
}

function cacheOf(options: OpenOptions): string | null {
  return options.cacheDirectory === undefined ? defaultCacheDirectory() : options.cacheDirectory
}
