import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Backend } from '../backend/index.ts'
import { createMasterKey, deriveSubkeys, type ScryptCost } from '../crypto/index.ts'
import type { FileId } from '../encoding/index.ts'
import { HoldfastError, hasCode } from '../errors/index.ts'
import { type ChunkerConfig, configValue, REPOSITORY_ID_BYTES, type RepositoryConfig } from './config.ts'
import { createKeyFile, openKeyFile } from './key-file.ts'
import { readKeyFiles } from './keys.ts'
import { CONFIG_NAME, fileName } from './layout.ts'
import { holdsData, listFiles } from './list.ts'
import { assemble, keysGone, type OpenOptions, openConfig, readConfigFile } from './open.ts'
import type { Repository } from './repository.ts'
import { fileIdOf, type Sealing, sealValue } from './sealed-value.ts'
import { whoAmI } from './session.ts'
import { checkSettings, defaultSettings, type Settings, settingsValue } from './settings.ts'

export interface CreateOptions extends OpenOptions {
  readonly chunker: ChunkerConfig
  readonly settings?: Partial<Pick<Settings, 'compressionLevel' | 'packTargetBytes'>>
  readonly nowMs: number
  readonly cost?: ScryptCost
}

/** A key that is stored, and what it says. */
interface StoredKey {
  readonly name: FileId
  readonly masterKey: Buffer
  readonly config: RepositoryConfig
  /** Put by this call, so that it may remove it again. */
  readonly isNew: boolean
}

/**
 * Make a repository. The key is put first; the config last and create-only: of two that are made at once in one place
 * one fails. What a call that did not end has left is finished by the next with the same secret.
 *
 * @throws HoldfastError ALREADY_EXISTS, or USAGE for settings out of range
 */
export async function createRepository(backend: Backend, options: CreateOptions): Promise<Repository> {
  const settings: Settings = { ...defaultSettings, ...options.settings }
  checkSettings(settings)
  if ((await readConfigFile(backend)) !== 'missing') throw alreadyThere(backend)
  const key = (await findBegun(backend, options)) ?? (await putKey(backend, options))
  const { config, masterKey } = key
  const subkeys = deriveSubkeys(masterKey)
  const sealing: Sealing = { id: config.id, subkeys }
  const settingsId = await putSettings(backend, sealing, settings, !key.isNew)
  try {
    await backend.putNew(CONFIG_NAME, sealValue(sealing, 'config', configValue(config)), { owner: 'init' })
  } catch (error) {
    // Only where the place is somebody else's. Who has finished what this call began needs its key, and who gives it again.
    const stored = hasCode(error, 'ALREADY_EXISTS') ? await readConfigFile(backend) : 'missing'
    if (key.isNew && typeof stored !== 'string' && openConfig(sealing, stored) === undefined) {
      await backend.remove(fileName('key', key.name))
      await backend.remove(fileName('settings', settingsId))
    }
    throw hasCode(error, 'ALREADY_EXISTS') ? alreadyThere(backend) : error
  }
  return await assemble(backend, { config, masterKey, subkeys, settings, keyName: key.name }, options)
}

async function putKey(backend: Backend, options: CreateOptions): Promise<StoredKey> {
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
  const info = { createdMs: options.nowMs, ...whoAmI(), label: '' }
  const subkeys = deriveSubkeys(masterKey)
  const bytes = await createKeyFile(masterKey, subkeys, config, options.secret, info, options.cost)
  const name = fileIdOf(bytes)
  await backend.put(fileName('key', name), bytes, { owner: 'init' })
  return { name, masterKey, config, isNew: true }
}

/**
 * The key of a call that did not end. Undefined where there is none.
 *
 * @throws HoldfastError ALREADY_EXISTS where the key is of a repository whose config is lost, or of somebody else
 */
async function findBegun(backend: Backend, options: CreateOptions): Promise<StoredKey | undefined> {
  const { keys, damaged } = await readKeyFiles(backend)
  if (keys.length === 0 && damaged.length === 0) {
    if (await holdsData(backend)) throw keysGone(backend)
    return undefined
  }
  if (keys.length !== 1 || damaged.length > 0 || (await holdsData(backend))) throw alreadyThere(backend)
  const [key] = keys
  const opened = await openKeyFile(key!, options.secret)
  if (opened === undefined || !isDeepStrictEqual(opened.config.chunker, options.chunker)) {
    const message = `an init that did not end has left a key at ${backend.location}`
    throw new HoldfastError('ALREADY_EXISTS', message, {
      hint: 'give the same password or key file and options again, or empty the place and run init anew',
    })
  }
  return { name: key!.name, masterKey: opened.masterKey, config: opened.config, isNew: false }
}

/** @param takesPlace remove those that the call which put the key has left */
async function putSettings(
  backend: Backend,
  sealing: Sealing,
  settings: Settings,
  takesPlace: boolean,
): Promise<FileId> {
  const earlier: FileId[] = []
  if (takesPlace) for await (const { id } of listFiles(backend, 'settings')) earlier.push(id)
  const bytes = sealValue(sealing, 'settings', settingsValue(settings))
  const id = fileIdOf(bytes)
  await backend.put(fileName('settings', id), bytes, { owner: 'init' })
  for (const one of earlier) await backend.remove(fileName('settings', one))
  return id
}

function alreadyThere(backend: Backend): HoldfastError {
  return new HoldfastError('ALREADY_EXISTS', `there is a repository at ${backend.location} already`, {
    hint: 'back up into it, or choose another place',
  })
}
