import { createRequire } from 'node:module'
import { KEY_BYTES } from './keys.ts'

/** A streaming BLAKE3-256 hash. `digest` ends it: 32 bytes. */
export interface Hasher {
  update(bytes: Uint8Array): void
  digest(): Buffer
}

/** Keyed BLAKE3-256 of whole messages under one key, fast for many short messages. */
export interface KeyedHasher {
  /** 32 bytes owned by the caller. */
  hash(bytes: Uint8Array): Buffer
  /** The same as 64 lower-case hex digits: cheaper where it is only compared, since no buffer is made. */
  hashHex(bytes: Uint8Array): string
  /** The same into 32 bytes of the caller's, without memory of its own: for many short messages. */
  hashInto(bytes: Uint8Array, target: Buffer, offset: number): void
}

export interface HashImplementation {
  readonly name: 'native' | 'wasm'
  createHasher(): Hasher
  createKeyedHasher(key: Uint8Array): KeyedHasher
}

const require = createRequire(import.meta.url)

/** The native hash where it loads on this machine, else undefined. */
export function loadNativeHash(): HashImplementation | undefined {
  let blake: typeof import('@napi-rs/blake-hash')
  try {
    blake = require('@napi-rs/blake-hash') as typeof import('@napi-rs/blake-hash')
  } catch {
    return undefined
  }
  const { Blake3Hasher } = blake
  return {
    name: 'native',
    createHasher() {
      const hasher = new Blake3Hasher()
      return {
        update: (bytes) => void hasher.update(bytes),
        digest: () => hasher.digestBuffer(),
      }
    },
    createKeyedHasher(key) {
      // One native object for all messages: making one costs more than hashing a small chunk. reset() keeps the key.
      const hasher = Blake3Hasher.newKeyed(copyKey(key))
      return {
        hash(bytes) {
          hasher.reset()
          return hasher.update(bytes).digestBuffer()
        },
        hashHex(bytes) {
          hasher.reset()
          return hasher.update(bytes).digest('hex')
        },
        hashInto(bytes, target, offset) {
          hasher.reset()
          // As text: a buffer that native code makes costs the collector more than the hash costs.
          target.write(hasher.update(bytes).digest(), offset, 'hex')
        },
      }
    },
  }
}

/** The WebAssembly hash, which loads everywhere and gives the same results. */
export function loadWasmHash(): HashImplementation {
  const blake = require('blake3-wasm') as typeof import('blake3-wasm')
  return {
    name: 'wasm',
    createHasher() {
      const hasher = blake.createHash()
      return {
        update: (bytes) => void hasher.update(bytes),
        digest: () => Buffer.from(hasher.digest()),
      }
    },
    createKeyedHasher(key) {
      const own = copyKey(key)
      const hash = (bytes: Uint8Array): Buffer => Buffer.from(blake.keyedHash(own, bytes))
      return {
        hash,
        hashHex: (bytes) => hash(bytes).toString('hex'),
        hashInto: (bytes, target, offset) => void hash(bytes).copy(target, offset),
      }
    },
  }
}

/** The native hash ends the whole process on a key of another length. */
function copyKey(key: Uint8Array): Buffer {
  if (key.length !== KEY_BYTES) throw new Error(`a hash key has ${KEY_BYTES} bytes, not ${key.length}`)
  return Buffer.from(key)
}

let chosen: HashImplementation | undefined

/** The implementation in use in this thread: native where it loads, chosen once. */
export function hashImplementation(): HashImplementation {
  chosen ??= loadNativeHash() ?? loadWasmHash()
  return chosen
}

export function createHasher(): Hasher {
  return hashImplementation().createHasher()
}

/** @param key 32 bytes, copied */
export function createKeyedHasher(key: Uint8Array): KeyedHasher {
  return hashImplementation().createKeyedHasher(key)
}

/** BLAKE3-256 of one message. */
export function hashBytes(bytes: Uint8Array): Buffer {
  const hasher = createHasher()
  hasher.update(bytes)
  return hasher.digest()
}
