/**
 * Crypto: content hashes, subkeys, the sealed-file envelope and key wrapping (docs/format.md, "Sealed files",
 * "Subkeys", "Key files"). Knows nothing of what the files hold.
 */
export type { Hasher, HashImplementation, KeyedHasher } from './hash.ts'
export {
  createHasher,
  createKeyedHasher,
  hashBytes,
  hashImplementation,
  loadNativeHash,
  loadWasmHash,
} from './hash.ts'
export type { ScryptCost, Secret, WrappingKey } from './key-wrap.ts'
export { checkCost, createSalt, defaultCost, deriveWrappingKey, sameCommitment } from './key-wrap.ts'
export type { FileKind, Subkeys } from './keys.ts'
export { createMasterKey, deriveKey, deriveSubkeys, fileKinds, KEY_BYTES } from './keys.ts'
export type { FileOpener, FileSealer } from './sealed-file.ts'
export {
  checkHeader,
  createOpener,
  createSaltOpener,
  createSealer,
  FOOTER_NUMBER,
  FORMAT_VERSION,
  HEADER_BYTES,
  saltOf,
  TAG_BYTES,
} from './sealed-file.ts'
