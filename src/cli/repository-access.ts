import { existsSync } from 'node:fs'
import { HoldfastError, hasCode } from '../errors/index.ts'
import {
  createKeyFile,
  createRepository,
  defaultKeyFile,
  openRepository,
  type Repository,
  readKeyFile,
  type Secret,
} from '../index.ts'
import type { Context } from './context.ts'
import { quoteWord } from './format.ts'
import { findPlace, hasDefaultRepository, type RepositoryPlace } from './location.ts'
import { readGivenSecret, readOtherSecret, readSecret, type SecretSources } from './secret.ts'

/** Open the repository that is meant, use it, and close it whatever happens. */
export async function withRepository<Result>(
  context: Context,
  use: (repository: Repository) => Promise<Result>,
): Promise<Result> {
  const place = findPlace(context)
  if (place.isDefault && !hasDefaultRepository()) throw noRepository(place)
  return await closing(await open(context, place), use)
}

/** The same, but where no repository is named and the default one is not there yet it is made. */
export async function withRepositoryForBackup<Result>(
  context: Context,
  use: (repository: Repository, place: RepositoryPlace) => Promise<Result>,
): Promise<Result> {
  const place = findPlace(context)
  const isNew = place.isDefault && !hasDefaultRepository()
  const repository = isNew ? await makeDefault(context, place) : await open(context, place)
  return await closing(repository, async () => await use(repository, place))
}

/** Open the other of two repositories, beside the one that is meant. */
export async function withOtherRepository<Result>(
  context: Context,
  other: { readonly location: string; readonly side: 'to' | 'from'; readonly secret: SecretSources },
  use: (repository: Repository) => Promise<Result>,
): Promise<Result> {
  const { location, side, secret } = other
  const repository = await openAt(context, location, () => readOtherSecret(context, location, side, secret))
  return await closing(repository, use)
}

/** What the library is told about caches and notices by the global options. */
export function accessOptions(context: Context): {
  cacheDirectory?: string | null
  onNotice: (message: string) => void
} {
  const { options, output, environment } = context
  const onNotice = (message: string): void => output.note(message)
  if (!options.cache) return { cacheDirectory: null, onNotice }
  const cacheDirectory = options.cacheDir ?? environment.HOLDFAST_CACHE_DIR
  return cacheDirectory === undefined ? { onNotice } : { cacheDirectory, onNotice }
}

async function open(context: Context, { location, isDefault }: RepositoryPlace): Promise<Repository> {
  return await openAt(context, location, async () =>
    isDefault ? defaultSecret(context) : await readSecret(context, location),
  )
}

async function openAt(
  context: Context,
  location: string,
  secret: () => Promise<Secret>,
): Promise<Repository> {
  try {
    return await openRepository({ location, secret, ...accessOptions(context) })
  } catch (error) {
    if (!hasCode(error, 'NO_REPOSITORY')) throw error
    throw new HoldfastError('NO_REPOSITORY', error.message, {
      hint: `check the place and that its disk is mounted; to make a repository there: holdfast init --repo ${quoteWord(location)}`,
      cause: error,
    })
  }
}

function defaultSecret(context: Context): Secret {
  const given = readGivenSecret(context)
  if (given !== undefined) return given
  const path = defaultKeyFile()
  if (existsSync(path)) return readKeyFile(path)
  throw new HoldfastError('WRONG_KEY', `the key file of the default repository is gone: ${path}`, {
    hint: 'put it back from a copy, or type a recovery sheet into a file of that name; another key is given with --key-file or --password-file',
  })
}

async function makeDefault(context: Context, { location }: RepositoryPlace): Promise<Repository> {
  const keyPath = defaultKeyFile()
  const given = readGivenSecret(context)
  const hadKey = given === undefined && existsSync(keyPath)
  const secret = given ?? (hadKey ? readKeyFile(keyPath) : createKeyFile(keyPath))
  let repository: Repository
  try {
    repository = await createRepository({ location, secret, ...accessOptions(context) })
  } catch (error) {
    // Another backup was first.
    if (!hasCode(error, 'ALREADY_EXISTS') || !hasDefaultRepository()) throw error
    return await openAt(context, location, async () => secret)
  }
  const { output } = context
  if (hadKey)
    output.problem(
      `there was no repository at ${location}, though its key is there: a new one was made; if there are earlier backups, see that their disk is mounted`,
    )
  else output.note(`made a repository at ${location}`)
  if (given === undefined) {
    output.note(`its key is ${keyPath}: without the key nothing can be read back`)
    output.note('holdfast key export prints a recovery sheet to keep on paper')
  }
  return repository
}

function noRepository({ location }: RepositoryPlace): HoldfastError {
  return new HoldfastError('NO_REPOSITORY', `no repository was named, and there is none at ${location}`, {
    hint: 'name one with --repo or HOLDFAST_REPOSITORY; holdfast backup <path> makes the one there',
  })
}

async function closing<Result>(
  repository: Repository,
  use: (repository: Repository) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(repository)
  } finally {
    await repository.close()
  }
}
