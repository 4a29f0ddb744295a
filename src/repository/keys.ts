import type { Backend } from '../backend/index.ts'
import type { ScryptCost, Secret } from '../crypto/index.ts'
import type { FileId } from '../encoding/index.ts'
import { HoldfastError, hasCode } from '../errors/index.ts'
import {
  createKeyFile,
  type KeyFile,
  type KeyInfo,
  MAXIMUM_LABEL_UNITS,
  openKeyInfo,
  parseKeyFile,
} from './key-file.ts'
import { fileName } from './layout.ts'
import { isListed, listFiles } from './list.ts'
import type { Repository } from './repository.ts'
import { fileIdOf } from './sealed-value.ts'
import { whoAmI } from './session.ts'

/** Key files that could be read, and those that could not. */
export interface KeyFiles {
  readonly keys: readonly KeyFile[]
  readonly damaged: readonly { readonly name: FileId; readonly error: unknown }[]
}

/** Read every key file of a repository; nothing is opened yet. */
export async function readKeyFiles(backend: Backend): Promise<KeyFiles> {
  const names: FileId[] = []
  for await (const { id } of listFiles(backend, 'key')) names.push(id)
  const keys: KeyFile[] = []
  const damaged: { name: FileId; error: unknown }[] = []
  for (const name of names.sort()) {
    try {
      keys.push(parseKeyFile(name, await backend.get(fileName('key', name))))
    } catch (error) {
      if (hasCode(error, 'NO_SUCH_FILE')) continue
      if (!hasCode(error, 'DAMAGED') && !hasCode(error, 'NEWER_FORMAT')) throw error
      damaged.push({ name, error })
    }
  }
  return { keys, damaged }
}

export interface KeySummary {
  readonly id: FileId
  /** True for the key that opened the repository. */
  readonly isCurrent: boolean
  readonly method: Secret['kind']
  /** Undefined when it cannot be read. */
  readonly info: KeyInfo | undefined
  readonly isDamaged: boolean
}

export async function listKeys(repository: Repository): Promise<KeySummary[]> {
  const { keys, damaged } = await readKeyFiles(repository.backend)
  const summaries = keys.map((key): KeySummary => {
    let info: KeyInfo | undefined
    try {
      info = openKeyInfo(key, repository.subkeys)
    } catch (error) {
      if (!hasCode(error, 'DAMAGED')) throw error
    }
    const isDamaged = key.isDamaged || info === undefined
    return { id: key.name, isCurrent: key.name === repository.keyName, method: key.method, info, isDamaged }
  })
  const broken = damaged.map(
    ({ name }): KeySummary => ({
      id: name,
      isCurrent: false,
      method: 'password',
      info: undefined,
      isDamaged: true,
    }),
  )
  return [...summaries, ...broken]
}

export interface AddKeyOptions {
  readonly nowMs: number
  readonly label?: string
  readonly cost?: ScryptCost
}

/**
 * Add a secret that opens the repository. Durable when it resolves.
 *
 * @returns the new key's name
 * @throws HoldfastError USAGE for a label that is too long
 */
export async function addKey(
  repository: Repository,
  secret: Secret,
  options: AddKeyOptions,
): Promise<FileId> {
  const { label = '' } = options
  if (label.length > MAXIMUM_LABEL_UNITS) {
    throw new HoldfastError('USAGE', `a key's label has at most ${MAXIMUM_LABEL_UNITS} characters`)
  }
  const info: KeyInfo = { createdMs: options.nowMs, ...whoAmI(), label }
  const { masterKey, subkeys, config } = repository
  const bytes = await createKeyFile(masterKey, subkeys, config, secret, info, options.cost)
  const name = fileIdOf(bytes)
  await repository.backend.put(fileName('key', name), bytes, { owner: 'key' })
  return name
}

/**
 * Remove a key. Whoever had it may know the master key; `copy` to a new repository is the rotation.
 *
 * @throws HoldfastError FAILED for the key in use, which is also the last one's protection
 */
export async function removeKey(repository: Repository, name: FileId): Promise<void> {
  if (name === repository.keyName) {
    throw new HoldfastError('FAILED', 'this is the key that opened the repository; it cannot remove itself', {
      hint: 'open the repository with another key to remove this one',
    })
  }
  await removeOther(repository, name)
}

/**
 * Remove a key, and see that the own one stays: somebody who opened the repository with the other may remove this one at the
 * same moment, and without any key all is lost for ever. Whoever of the two is last puts theirs back.
 */
async function removeOther(repository: Repository, name: FileId): Promise<void> {
  const { backend, keyName } = repository
  const own = await backend.get(fileName('key', keyName))
  await repository.removeFile('key', name)
  if (!(await isListed(repository, 'key', keyName)))
    await backend.put(fileName('key', keyName), own, { owner: 'key' })
}

/**
 * Put a new secret in the place of the one that opened the repository: the new key is durable first, and is the
 * one in use from then on.
 */
export async function replaceKey(
  repository: Repository,
  secret: Secret,
  options: AddKeyOptions,
): Promise<FileId> {
  const replaced = repository.keyName
  repository.keyName = await addKey(repository, secret, options)
  await removeOther(repository, replaced)
  return repository.keyName
}
