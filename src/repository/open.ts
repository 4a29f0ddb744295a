import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { Backend } from '../backend/index.ts'
import { deriveSubkeys, type Secret, type Subkeys } from '../crypto/index.ts'
import { toHex } from '../encoding/index.ts'
import { DamagedError, HoldfastError, hasCode, isLossOfData, systemCode } from '../errors/index.ts'
import { type ClientIndex, createMemoryIndex, openLmdbIndex } from '../index/index.ts'
import { checkSupported, parseConfig, type RepositoryConfig } from './config.ts'
import { type KeyFile, openKeyFile } from './key-file.ts'
import { readKeyFiles } from './keys.ts'
import { CONFIG_NAME, fileName } from './layout.ts'
import { holdsData, listFiles } from './list.ts'
import { Repository, type RepositoryParts } from './repository.ts'
import { fileIdOf, openValue, type Sealing } from './sealed-value.ts'
import { defaultSettings, parseSettings, type Settings } from './settings.ts'

export interface OpenOptions {
  readonly secret: Secret
  /** Folder of all caches; a folder named by the repository's id and place is made in it. Null keeps the index in memory. */
  readonly cacheDirectory: string | null
  readonly onNotice?: (message: string) => void
}

/**
 * Open a repository. The index is opened but not loaded.
 *
 * @throws HoldfastError NO_REPOSITORY, WRONG_KEY, DAMAGED, NEWER_FORMAT
 */
export async function openRepository(backend: Backend, options: OpenOptions): Promise<Repository> {
  const onNotice = options.onNotice ?? (() => {})
  const { key, masterKey, subkeys, config } = await openAnyKey(backend, options.secret, onNotice)
  checkSupported(config)
  const sealing: Sealing = { id: config.id, subkeys }
  const settings = await readSettings(backend, sealing, onNotice)
  const parts = { config, masterKey, subkeys, settings, keyName: key.name }
  const repository = await assemble(backend, parts, options)
  noteSettings(repository.index, settings, onNotice)
  return repository
}

/** Put a repository together with this client's index of it. */
export async function assemble(
  backend: Backend,
  parts: Pick<RepositoryParts, 'config' | 'masterKey' | 'subkeys' | 'settings' | 'keyName'>,
  { cacheDirectory, onNotice = () => {} }: OpenOptions,
): Promise<Repository> {
  const index = await openIndex(backend, parts.config, parts.subkeys, cacheDirectory, onNotice)
  return new Repository({ backend, ...parts, ...index, onNotice })
}

/** What a key leads to. */
interface Unlocked {
  readonly key: KeyFile
  readonly masterKey: Buffer
  readonly subkeys: Subkeys
  readonly config: RepositoryConfig
}

/**
 * Open a key with the secret. Of several the one that opens the config: one that does not was left by an init that
 * lost to another and was stopped before it removed its key. Without a config any, which has a copy of it.
 */
async function openAnyKey(
  backend: Backend,
  secret: Secret,
  onNotice: (message: string) => void,
): Promise<Unlocked> {
  const stored = await readConfigFile(backend)
  const { keys, damaged } = await readKeyFiles(backend)
  if (keys.length === 0 && damaged.length === 0) {
    if (stored !== 'missing' || (await holdsData(backend))) throw keysGone(backend)
    throw new HoldfastError('NO_REPOSITORY', `there is no repository at ${backend.location}`, {
      hint: `make one with: holdfast init --repo ${backend.location}`,
    })
  }
  let problem: unknown = keys.length === 0 ? damaged[0]?.error : undefined
  let withCopy: Unlocked | undefined
  for (const key of keys) {
    try {
      const opened = await openKeyFile(key, secret)
      if (opened === undefined) continue
      const { masterKey } = opened
      const subkeys = deriveSubkeys(masterKey)
      const config = openConfig({ id: opened.config.id, subkeys }, stored)
      const unlocked = { key, masterKey, subkeys, config: config ?? opened.config }
      if (config !== undefined) return withNotice(unlocked, onNotice)
      withCopy ??= unlocked
    } catch (error) {
      if (!hasCode(error, 'DAMAGED')) throw error
      problem ??= error
    }
  }
  if (withCopy !== undefined) {
    const { id } = withCopy.config
    if (stored !== 'missing' && keys.some((key) => Buffer.compare(key.repositoryId, id) !== 0))
      throw foreignKey(backend, withCopy.key)
    const what = stored === 'missing' ? 'missing' : 'damaged'
    onNotice(`the repository's config is ${what}; using the copy in the key. Run holdfast repair config`)
    return withNotice(withCopy, onNotice)
  }
  if (hasCode(problem, 'NEWER_FORMAT')) throw problem
  if (problem !== undefined) {
    throw new HoldfastError('DAMAGED', `the key of ${backend.location} is damaged`, {
      hint: 'put back the file of keys/ from a copy of the repository, or use another key',
      cause: problem,
    })
  }
  const hint =
    damaged.length > 0
      ? `${damaged.length} of ${keys.length + damaged.length} keys are damaged; yours may be one of them`
      : 'check the password or the key file; holdfast never shows which of them were tried'
  throw new HoldfastError('WRONG_KEY', `wrong password or key for ${backend.location}`, { hint })
}

function withNotice(unlocked: Unlocked, onNotice: (message: string) => void): Unlocked {
  const { key } = unlocked
  if (key.isDamaged)
    onNotice(
      `${fileName('key', key.name)} is damaged but its second copy is whole: run holdfast key passwd to write it anew`,
    )
  return unlocked
}

export function keysGone(backend: Backend): HoldfastError {
  return new HoldfastError('DAMAGED', `${backend.location} has files of a repository but no key`, {
    hint: 'put back a file of keys/ from a copy of the repository; without one nothing can be read',
  })
}

/** To go on with it would make another repository over the one that is there. */
function foreignKey(backend: Backend, key: KeyFile): HoldfastError {
  return new HoldfastError('WRONG_KEY', `this key is not the one of the repository at ${backend.location}`, {
    hint: `it was left by an init that did not end: use another password or key file; ${fileName('key', key.name)} can be deleted`,
  })
}

/** The bytes of the config file, as far as they can be read. */
export type ConfigFile = Buffer | 'missing' | 'damaged'

export async function readConfigFile(backend: Backend): Promise<ConfigFile> {
  try {
    return await backend.get(CONFIG_NAME)
  } catch (error) {
    if (!isLossOfData(error)) throw error
    return hasCode(error, 'DAMAGED') ? 'damaged' : 'missing'
  }
}

/** Undefined where it is not whole, or of another repository. */
export function openConfig(sealing: Sealing, stored: ConfigFile): RepositoryConfig | undefined {
  if (typeof stored === 'string') return undefined
  try {
    return openValue(sealing, 'config', CONFIG_NAME, stored, parseConfig)
  } catch (error) {
    if (!hasCode(error, 'DAMAGED')) throw error
    return undefined
  }
}

/** The settings with the highest counter. Damaged files are passed over: settings hold preferences only. */
async function readSettings(
  backend: Backend,
  sealing: Sealing,
  onNotice: (message: string) => void,
): Promise<Settings> {
  let best: Settings | undefined
  for await (const { id } of listFiles(backend, 'settings')) {
    const name = fileName('settings', id)
    try {
      const bytes = await backend.get(name)
      if (fileIdOf(bytes) !== id)
        throw new DamagedError(name, 'its bytes do not have the hash that is its name')
      const settings = openValue(sealing, 'settings', name, bytes, parseSettings)
      if (best === undefined || settings.counter > best.counter) best = settings
    } catch (error) {
      if (!hasCode(error, 'DAMAGED')) throw error
      onNotice(`${error.message}; going on without it`)
    }
  }
  if (best === undefined) onNotice("the repository's settings are missing; using the defaults")
  return best ?? defaultSettings
}

const SETTINGS_MARK = 'settings-counter'

/** Say so when the settings in force are older than those this client has seen: somebody put old ones back. */
function noteSettings(index: ClientIndex, settings: Settings, onNotice: (message: string) => void): void {
  const seen = Number(index.getCached(SETTINGS_MARK)?.toString('latin1') ?? 0)
  if (settings.counter < seen)
    onNotice("the repository's settings are older than when this client last saw them")
  if (settings.counter > seen)
    index.putCached([[SETTINGS_MARK, Buffer.from(String(settings.counter), 'latin1')]])
}

/** The client's index of a repository, or one in memory where its folder cannot be used. */
async function openIndex(
  { location }: Backend,
  config: RepositoryConfig,
  subkeys: Subkeys,
  cacheDirectory: string | null,
  onNotice: (message: string) => void,
): Promise<{ index: ClientIndex; indexDirectory: string | undefined }> {
  if (cacheDirectory === null) return { index: createMemoryIndex(), indexDirectory: undefined }
  const indexDirectory = join(cacheDirectory, `${toHex(config.id)}-${placeTag(location)}`)
  try {
    const index = await openLmdbIndex({ directory: indexDirectory, checkKey: subkeys.cacheCheck, onNotice })
    return { index, indexDirectory }
  } catch (error) {
    // The cache is a convenience: a folder that cannot be written must not stand between a person and their files.
    if (!hasCode(error, 'IO')) throw error
    onNotice(`${error.message}; keeping the index in memory for this run`)
    return { index: createMemoryIndex(), indexDirectory: undefined }
  }
}

/**
 * Stands for the place of a repository. A copy of one has the same id and other facts: what one command takes in from there,
 * another at work here would rely on.
 */
function placeTag(location: string): string {
  let place = location
  try {
    if (isAbsolute(location)) place = realpathSync(location)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
  return createHash('sha256').update(place).digest('hex').slice(0, 16)
}
