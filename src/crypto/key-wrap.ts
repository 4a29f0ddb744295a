import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { HoldfastError } from '../errors/index.ts'
import { deriveKey, KEY_BYTES } from './keys.ts'

/** What opens a key of the repository: a password, or the 32 bytes of a key file. */
export type Secret =
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'keyFile'; readonly bytes: Uint8Array }

/** scrypt's cost (RFC 7914): N = 2^logN. Stored with each password-wrapped key. */
export interface ScryptCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

export const defaultCost: ScryptCost = { logN: 17, r: 8, p: 1 }

/** Costs that are read from a repository are used only inside these bounds: 2^20 with r = 16 needs 2 GiB. */
const COST_BOUNDS = { logN: [10, 20], r: [1, 16], p: [1, 4] } as const

/** A key to wrap with, and a commitment to it: AES-GCM alone does not commit to its key. */
export interface WrappingKey {
  readonly key: Buffer
  readonly commitment: Buffer
}

export function createSalt(): Buffer {
  return randomBytes(KEY_BYTES)
}

/**
 * Derive the wrapping key of a secret. A password costs scrypt (about 0.4 s at the default), a key file
 * nothing.
 *
 * @throws HoldfastError DAMAGED when the cost is out of bounds
 */
export async function deriveWrappingKey(
  secret: Secret,
  salt: Uint8Array,
  cost: ScryptCost,
): Promise<WrappingKey> {
  const stretched = secret.kind === 'password' ? await stretch(secret.password, salt, cost) : secret.bytes
  return {
    key: deriveKey(stretched, salt, 'holdfast wrapping key'),
    commitment: deriveKey(stretched, salt, 'holdfast key commitment'),
  }
}

/** Compare two commitments in constant time. */
export function sameCommitment(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}

/** @throws HoldfastError DAMAGED unless the cost is inside the bounds */
export function checkCost(cost: ScryptCost): void {
  for (const name of ['logN', 'r', 'p'] as const) {
    const [least, most] = COST_BOUNDS[name]
    const value = cost[name]
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new HoldfastError('DAMAGED', `scrypt's ${name} is ${value}, not from ${least} to ${most}`)
    }
  }
  // RFC 7914: N < 2^(16 r).
  if (cost.logN >= 16 * cost.r) {
    throw new HoldfastError('DAMAGED', `scrypt's logN is ${cost.logN}, which r = ${cost.r} does not allow`)
  }
}

async function stretch(password: string, salt: Uint8Array, cost: ScryptCost): Promise<Buffer> {
  checkCost(cost)
  const N = 2 ** cost.logN
  const options = { N, r: cost.r, p: cost.p, maxmem: 128 * N * cost.r + 128 * cost.r * cost.p + (1 << 20) }
  return await new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}
