import { createCipheriv, createHash } from 'node:crypto'

/**
 * Numbers that a seed alone decides, the same on every machine (mulberry32).
 * @returns `below(n)`: a whole number from 0 to n - 1, n at most 2^32; `chance(p)`: true with probability p
 */
export function createRandom(seed) {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { below: (limit) => Math.floor(next() * limit), chance: (probability) => next() < probability }
}

/** Bytes that nothing compresses, from a seed. @returns gives the next `sizeBytes` of them */
export function createNoise(seed) {
  const key = createHash('sha256').update(seed).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  return (sizeBytes) => cipher.update(Buffer.alloc(sizeBytes))
}
