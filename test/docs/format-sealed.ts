/**
 * Sealed files and keys, written from docs/format.md alone: imports nothing of the program, and takes its numbers from the
 * page.
 */
import { createDecipheriv, hkdfSync, scryptSync } from 'node:crypto'
import blake3 from 'blake3-wasm'
import { limitOf } from './format-page.ts'
import { damaged, decode, FormatError, type Value } from './format-values.ts'

export const kinds = {
  config: 1,
  settings: 2,
  key: 3,
  data: 4,
  tree: 5,
  index: 6,
  snapshot: 7,
  session: 8,
  pending: 9,
} as const
export type Kind = keyof typeof kinds
export type Pack = 'data' | 'tree'

export const HEADER_BYTES = limitOf('header, bytes')

export function hkdf(key: Uint8Array, salt: Uint8Array, info: string, length = 32): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, length))
}

export function subkey(masterKey: Uint8Array, label: string): Buffer {
  return hkdf(masterKey, Buffer.alloc(0), label)
}

export function hash(bytes: Uint8Array): Buffer {
  return Buffer.from(blake3.hash(Buffer.from(bytes)))
}

export function chunkIdOf(masterKey: Uint8Array, pack: Pack, bytes: Uint8Array): Buffer {
  return Buffer.from(blake3.keyedHash(subkey(masterKey, `holdfast ${pack} chunk ids`), Buffer.from(bytes)))
}

/** Opens the messages of one sealed file. */
export type Open = (number: number, message: Buffer) => Buffer

export function opener(kind: Kind, header: Buffer, key: Uint8Array, repositoryId: Buffer): Open {
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, 8) !== 'HOLDFAST') {
    throw damaged('no header')
  }
  if (header[8]! > 1) throw new FormatError('NEWER_FORMAT', `format version ${header[8]}`)
  if (header[8] !== 1 || header[9] !== kinds[kind] || !header.subarray(10, 16).equals(Buffer.alloc(6))) {
    throw damaged(`not the header of a file of kind ${kind}`)
  }
  const fileKey = hkdf(key, header.subarray(16, HEADER_BYTES), 'holdfast file key')
  const bound = kind !== 'data' && kind !== 'tree' && kind !== 'index'
  const associated = Buffer.concat([header.subarray(0, 16), bound ? repositoryId : Buffer.alloc(0)])
  return (number, message) => {
    if (message.length < 16) throw damaged('a message is shorter than its tag')
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(number, 8)
    const decipher = createDecipheriv('aes-256-gcm', fileKey, nonce, { authTagLength: 16 })
    decipher.setAAD(associated)
    decipher.setAuthTag(message.subarray(-16))
    const plaintext = decipher.update(message.subarray(0, -16))
    try {
      decipher.final()
    } catch {
      throw damaged('a message is not authentic')
    }
    return plaintext
  }
}

export function unpad(plaintext: Buffer): Buffer {
  if (plaintext.length < 4 || plaintext.readUInt32LE(0) > plaintext.length - 4) {
    throw damaged('a padded value has a wrong length')
  }
  return plaintext.subarray(4, 4 + plaintext.readUInt32LE(0))
}

export function record(value: Value | undefined, fields: number): Value[] {
  if (!Array.isArray(value) || value.length !== fields) throw damaged(`not a record of ${fields} fields`)
  return value
}

/** Byte strings of one length that lie end to end. */
export function split(value: Value | undefined, length: number): Buffer[] {
  const bytes = value as Buffer
  if (!(bytes instanceof Uint8Array) || bytes.length % length !== 0) throw damaged('a list is cut')
  return Array.from({ length: bytes.length / length }, (_, index) =>
    bytes.subarray(index * length, (index + 1) * length),
  )
}

export interface Secret {
  readonly password?: string
  readonly keyFile?: Uint8Array
}

export interface OpenedKey {
  readonly masterKey: Buffer
  readonly config: Value[]
  /** When, who, where, label. */
  readonly info: Value[]
}

/** Try a secret on a key file; undefined when it is the wrong one. */
export function openKey(file: Buffer, secret: Secret): OpenedKey | undefined {
  const half = HEADER_BYTES + ((file.length - HEADER_BYTES) >> 1)
  const copy = [file.subarray(HEADER_BYTES, half), file.subarray(half)].find((one) =>
    hash(one.subarray(0, -32)).equals(one.subarray(-32)),
  )
  if (copy === undefined) throw damaged('both copies of a key are damaged')
  const fields = record(decode(copy.subarray(0, -32)), 9)
  const [repositoryId, method, logN, r, p, salt, commitment, sealedMaster, sealedInfo] = fields as [
    Buffer,
    number,
    number,
    number,
    number,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ]
  const stretched = method === 1 ? stretch(secret.password, salt, logN, r, p) : secret.keyFile
  if (stretched === undefined) return undefined
  if (!hkdf(stretched, salt, 'holdfast key commitment').equals(commitment)) return undefined
  const openSmall = (key: Buffer, sealed: Buffer): Value =>
    decode(opener('key', sealed, key, repositoryId)(0, sealed.subarray(HEADER_BYTES)))
  const master = record(openSmall(hkdf(stretched, salt, 'holdfast wrapping key'), sealedMaster), 2)
  const masterKey = master[0] as Buffer
  const info = record(openSmall(subkey(masterKey, 'holdfast file key'), sealedInfo), 4)
  return { masterKey, config: record(master[1], 8), info }
}

function stretch(
  password: string | undefined,
  salt: Buffer,
  logN: number,
  r: number,
  p: number,
): Buffer | undefined {
  if (password === undefined) return undefined
  if (logN < 10 || logN > 20 || r < 1 || r > 16 || p < 1 || p > 4 || logN >= 16 * r) {
    throw damaged("scrypt's cost is out of bounds")
  }
  return scryptSync(password.normalize('NFC'), salt, 32, { N: 2 ** logN, r, p, maxmem: 2 ** 32 })
}
