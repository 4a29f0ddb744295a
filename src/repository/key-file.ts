import {
  checkCost,
  checkHeader,
  createOpener,
  createSalt,
  createSealer,
  defaultCost,
  deriveWrappingKey,
  HEADER_BYTES,
  hashBytes,
  KEY_BYTES,
  type ScryptCost,
  type Secret,
  type Subkeys,
  sameCommitment,
} from '../crypto/index.ts'
import { decodeValue, encodeValue, Fields, type FileId } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { configValue, parseConfig, REPOSITORY_ID_BYTES, type RepositoryConfig } from './config.ts'
import { fileIdOf } from './sealed-value.ts'

/** Who made a key, when and where; sealed under the master key. */
export interface KeyInfo {
  readonly createdMs: number
  readonly user: string
  readonly host: string
  readonly label: string
}

/** A key file as stored, before anything is opened. */
export interface KeyFile {
  readonly name: FileId
  readonly repositoryId: Uint8Array
  readonly method: Secret['kind']
  readonly cost: ScryptCost
  readonly salt: Uint8Array
  readonly commitment: Uint8Array
  /** Header and message: the master key and the config, under the wrapping key. */
  readonly sealedMaster: Uint8Array
  /** Header and message: KeyInfo, under a subkey of the master key. */
  readonly sealedInfo: Uint8Array
  /** True when the stored bytes do not match the name, or one of the two copies is bad. */
  readonly isDamaged: boolean
}

export interface OpenedKey {
  readonly masterKey: Buffer
  readonly config: RepositoryConfig
}

/** Most UTF-16 units of a key's label. */
export const MAXIMUM_LABEL_UNITS = 4096

const CHECK_BYTES = 32
/** A copy is about 1 KiB; no longer one is looked for in a damaged file. */
const MAXIMUM_COPY_BYTES = 8192
const methodNumbers = { keyFile: 0, password: 1 } as const

/**
 * Wrap the master key with a secret.
 *
 * @returns the file's bytes; its name is their hash
 */
export async function createKeyFile(
  masterKey: Uint8Array,
  subkeys: Subkeys,
  config: RepositoryConfig,
  secret: Secret,
  info: KeyInfo,
  cost: ScryptCost = defaultCost,
): Promise<Buffer> {
  const salt = createSalt()
  const wrapping = await deriveWrappingKey(secret, salt, cost)
  const master = encodeValue([masterKey, configValue(config)])
  const about = encodeValue([BigInt(info.createdMs), info.user, info.host, info.label])
  const payload = encodeValue([
    config.id,
    methodNumbers[secret.kind],
    secret.kind === 'password' ? cost.logN : 0,
    secret.kind === 'password' ? cost.r : 0,
    secret.kind === 'password' ? cost.p : 0,
    salt,
    wrapping.commitment,
    sealMessage(wrapping.key, config.id, master),
    sealMessage(subkeys.files.key, config.id, about),
  ])
  // Twice, each with a check of its own: a flipped bit anywhere leaves one copy whole.
  const copy = Buffer.concat([payload, hashBytes(payload)])
  const { header } = createSealer('key', subkeys.files.key, config.id)
  return Buffer.concat([header, copy, copy])
}

/**
 * Read a key file's payload from whichever of its copies is whole.
 *
 * @throws HoldfastError DAMAGED when neither is
 */
export function parseKeyFile(name: FileId, bytes: Buffer): KeyFile {
  const matchesName = fileIdOf(bytes) === name
  if (matchesName) checkHeader('key', bytes)
  const payload = findPayload(bytes.subarray(HEADER_BYTES))
  if (payload === undefined) throw new HoldfastError('DAMAGED', 'both copies of the key are damaged')
  const fields = new Fields(decodeValue(payload), 'key', 9)
  const method = fields.uint(1, 1) === methodNumbers.password ? 'password' : 'keyFile'
  const cost = { logN: fields.uint(2, 255), r: fields.uint(3, 255), p: fields.uint(4, 255) }
  if (method === 'password') checkCost(cost)
  return {
    name,
    repositoryId: fields.exactBytes(0, REPOSITORY_ID_BYTES),
    method,
    cost,
    salt: fields.exactBytes(5, KEY_BYTES),
    commitment: fields.exactBytes(6, KEY_BYTES),
    sealedMaster: fields.bytes(7, 65_536),
    sealedInfo: fields.bytes(8, 65_536),
    isDamaged: !matchesName,
  }
}

/**
 * Try a secret on a key.
 *
 * @returns undefined when it is the wrong secret
 * @throws HoldfastError DAMAGED when it is the right one and the key still does not open
 */
export async function openKeyFile(key: KeyFile, secret: Secret): Promise<OpenedKey | undefined> {
  if (secret.kind !== key.method) return undefined
  const wrapping = await deriveWrappingKey(secret, key.salt, key.cost)
  if (!sameCommitment(wrapping.commitment, key.commitment)) return undefined
  const fields = new Fields(
    decodeValue(openMessage(wrapping.key, key.repositoryId, key.sealedMaster)),
    'key',
    2,
  )
  return {
    masterKey: Buffer.from(fields.exactBytes(0, KEY_BYTES)),
    config: parseConfig(fields.array(1, 64)),
  }
}

/** @throws HoldfastError DAMAGED */
export function openKeyInfo(key: KeyFile, subkeys: Subkeys): KeyInfo {
  const fields = new Fields(
    decodeValue(openMessage(subkeys.files.key, key.repositoryId, key.sealedInfo)),
    'key info',
    4,
  )
  return {
    createdMs: fields.size(0),
    user: fields.text(1),
    host: fields.text(2),
    label: fields.text(3, MAXIMUM_LABEL_UNITS),
  }
}

/**
 * The payload of a copy that is whole: the two halves, or, in a file that was cut or has grown, whatever its check
 * fits at the beginning or at the end.
 */
function findPayload(copies: Buffer): Buffer | undefined {
  const { length } = copies
  const half = length >> 1
  const found = checkedCopy(copies.subarray(0, half)) ?? checkedCopy(copies.subarray(half))
  if (found !== undefined) return found
  for (let size = CHECK_BYTES + 1; size <= Math.min(length, MAXIMUM_COPY_BYTES); size++) {
    const whole = checkedCopy(copies.subarray(0, size)) ?? checkedCopy(copies.subarray(length - size))
    if (whole !== undefined) return whole
  }
  return undefined
}

function checkedCopy(copy: Buffer): Buffer | undefined {
  if (copy.length <= CHECK_BYTES) return undefined
  const payload = copy.subarray(0, copy.length - CHECK_BYTES)
  return hashBytes(payload).equals(copy.subarray(copy.length - CHECK_BYTES)) ? payload : undefined
}

function sealMessage(key: Uint8Array, repositoryId: Uint8Array, plaintext: Uint8Array): Buffer {
  const sealer = createSealer('key', key, repositoryId)
  return Buffer.concat([sealer.header, sealer.seal(plaintext)])
}

function openMessage(key: Uint8Array, repositoryId: Uint8Array, message: Uint8Array): Buffer {
  return createOpener('key', message, key, repositoryId).open(0, message.subarray(HEADER_BYTES))
}
