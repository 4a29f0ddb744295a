import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Backend } from '../backend/index.ts'
import {
  createMasterKey,
  deriveSubkeys,
  type ScryptCost,
  type Secret,
  type Subkeys,
} from '../crypto/index.ts'
import { toHex } from '../encoding/index.ts'
import { DamagedError, HoldfastError, hasCode, isLossOfData } from '../errors/index.ts'
import { type ClientIndex, createMemoryIndex, openLmdbIndex } from '../index/index.ts'
import {
  type ChunkerConfig,
  checkSupported,
  configValue,
  parseConfig,
  REPOSITORY_ID_BYTES,
  type RepositoryConfig,
} from './config.ts'
import { createKeyFile, type KeyFile, type OpenedKey, openKeyFile } from './key-file.ts'
import { readKeyFiles } from './keys.ts'
import { CONFIG_NAME, directories, fileName } from './layout.ts'
import { listFiles } from './list.ts'
import { Repository } from './repository.ts'
import { fileIdOf, openValue, type Sealing, sealValue } from './sealed-value.ts'
import { whoAmI } from './session.ts'
import { checkSettings, defaultSettings, parseSettings, type Settings, settingsValue } from './settings.ts'

export interface OpenOptions {
  readonly secret: Secret
  /** Folder of all caches; a folder named by the repository's id is made in it. Null keeps the index in memory. */
  readonly cacheDirectory: string | null
  readonly onNotice?: (message: string) => void
}

export interface CreateOptions extends OpenOptions {
  readonly chunker: ChunkerConfig
  readonly settings?: Partial<Pick<Settings, 'compressionLevel' | 'packTargetBytes'>>
  readonly nowMs: number
  readonly cost?: ScryptCost
}

/**
 * Make a repository. The config is put last and create-only: until then there is no repository, and of two
 * that are made at once in one place one fails.
 *
 * @throws HoldfastError ALREADY_EXISTS, or USAGE for settings out of range
 */
export async function createRepository(backend: Backend, options: CreateOptions): Promise<Repository> {
  const settings: Settings = { ...defaultSettings, ...options.settings }
  checkSettings(settings)
  if (await exists(backend, CONFIG_NAME)) throw alreadyThere(backend)
  for await (const _ of backend.list(directories.key)) throw alreadyThere(backend)
  const config: RepositoryConfig = {
    id: randomBytes(REPOSITORY_ID_BYTES),
    readVersion: 1,
    writeVersion: 1,
    requiredFeatures: [],
    optionalFeatures: [],
    chunker: options.chunker,
    createdMs: options.nowMs,
  }
  const masterKey = createMasterKey()
  const subkeys = deriveSubkeys(masterKey)
  const sealing: Sealing = { id: config.id, subkeys }
  const info = { createdMs: options.nowMs, ...whoAmI(), label: '' }
  const keyBytes = await createKeyFile(masterKey, subkeys, config, options.secret, info, options.cost)
  const keyName = fileIdOf(keyBytes)
  const settingsBytes = sealValue(sealing, 'settings', settingsValue(settings))
  await backend.put(fileName('key', keyName), keyBytes, { owner: 'init' })
  await backend.put(fileName('settings', fileIdOf(settingsBytes)), settingsBytes, { owner: 'init' })
  try {
    await backend.putNew(CONFIG_NAME, sealValue(sealing, 'config', configValue(config)), { owner: 'init' })
  } catch (error) {
    await backend.remove(fileName('key', keyName))
    await backend.remove(fileName('settings', fileIdOf(settingsBytes)))
    throw hasCode(error, 'ALREADY_EXISTS') ? alreadyThere(backend) : error
  }
  const onNotice = options.onNotice ?? (() => {})
  const { index, indexDirectory } = await openIndex(config, subkeys, options.cacheDirectory, onNotice)
  return new Repository({
    backend,
    config,
    masterKey,
    subkeys,
    settings,
    index,
    indexDirectory,
    keyName,
    onNotice,
  })
}

/**
 * Open a repository. The index is opened but not loaded.
 *
 * @throws HoldfastError NO_REPOSITORY, WRONG_KEY, DAMAGED, NEWER_FORMAT
 */
export async function openRepository(backend: Backend, options: OpenOptions): Promise<Repository> {
  const onNotice = options.onNotice ?? (() => {})
  const { key, opened } = await openAnyKey(backend, options.secret, onNotice)
  const subkeys = deriveSubkeys(opened.masterKey)
  const config = await readConfig(backend, { id: opened.config.id, subkeys }, opened.config, onNotice)
  checkSupported(config)
  const sealing: Sealing = { id: config.id, subkeys }
  const settings = await readSettings(backend, sealing, onNotice)
  const { index, indexDirectory } = await openIndex(config, subkeys, options.cacheDirectory, onNotice)
  noteSettings(index, settings, onNotice)
  const { masterKey } = opened
  const keyName = key.name
  return new Repository({
    backend,
    config,
    masterKey,
    subkeys,
    settings,
    index,
    indexDirectory,
    keyName,
    onNotice,
  })
}

async function openAnyKey(
  backend: Backend,
  secret: Secret,
  onNotice: (message: string) => void,
): Promise<{ key: KeyFile; opened: OpenedKey }> {
  const { keys, damaged } = await readKeyFiles(backend)
  if (keys.length === 0 && damaged.length === 0) {
    if (await exists(backend, CONFIG_NAME)) {
      throw new HoldfastError('DAMAGED', `${backend.location} has a config but no key`, {
        hint: 'put back a file of keys/ from a copy of the repository; without one nothing can be read',
      })
    }
    throw new HoldfastError('NO_REPOSITORY', `there is no repository at ${backend.location}`, {
      hint: `make one with: holdfast init --repo ${backend.location}`,
    })
  }
  let problem: unknown = keys.length === 0 ? damaged[0]?.error : undefined
  for (const key of keys) {
    try {
      const opened = await openKeyFile(key, secret)
      if (opened === undefined) continue
      if (key.isDamaged)
        onNotice(
          `${fileName('key', key.name)} is damaged but its second copy is whole: run holdfast key passwd to write it anew`,
        )
      return { key, opened }
    } catch (error) {
      if (!hasCode(error, 'DAMAGED')) throw error
      problem ??= error
    }
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

/** The config file, or the copy in the key when the file is lost or damaged. */
async function readConfig(
  backend: Backend,
  sealing: Sealing,
  copy: RepositoryConfig,
  onNotice: (message: string) => void,
): Promise<RepositoryConfig> {
  try {
    return openValue(sealing, 'config', CONFIG_NAME, await backend.get(CONFIG_NAME), parseConfig)
  } catch (error) {
    if (!isLossOfData(error)) throw error
    const what = hasCode(error, 'DAMAGED') ? 'damaged' : 'missing'
    onNotice(`the repository's config is ${what}; using the copy in the key. Run holdfast repair config`)
    return copy
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

async function openIndex(
  config: RepositoryConfig,
  subkeys: Subkeys,
  cacheDirectory: string | null,
  onNotice: (message: string) => void,
): Promise<{ index: ClientIndex; indexDirectory: string | undefined }> {
  if (cacheDirectory === null) return { index: createMemoryIndex(), indexDirectory: undefined }
  const indexDirectory = join(cacheDirectory, toHex(config.id))
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

async function exists(backend: Backend, name: string): Promise<boolean> {
  try {
    await backend.get(name)
    return true
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_FILE')) return false
    if (hasCode(error, 'DAMAGED')) return true
    throw error
  }
}

function alreadyThere(backend: Backend): HoldfastError {
  return new HoldfastError('ALREADY_EXISTS', `there is a repository at ${backend.location} already`, {
    hint: 'back up into it, or choose another place',
  })
}
