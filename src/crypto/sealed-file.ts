import { createCipheriv, createDecipheriv, type DecipherGCM, randomBytes } from 'node:crypto'
import { HoldfastError } from '../errors/index.ts'
import { deriveKey, type FileKind, fileKinds, KEY_BYTES } from './keys.ts'

/** Every sealed file begins with: magic (8), format version (1), kind (1), six zero bytes, salt (32). */
export const HEADER_BYTES = 48
/** The format version this program writes. */
export const FORMAT_VERSION = 1
/** Bytes AES-256-GCM adds to a message. */
export const TAG_BYTES = 16
/** Message number of a pack's footer; blocks count from 0 and stay below. */
export const FOOTER_NUMBER = 0xffffffff

const MAGIC = Buffer.from('HOLDFAST', 'latin1')
const PREFIX_BYTES = 16
/** What the decipher gives in one piece: small enough to come from memory that was in use a moment ago. */
const PIECE_BYTES = 32 * 1024
const ZEROS = Buffer.alloc(4096)
/** Each call makes memory of its own: for more than this the system would give and clear it anew every time. */
const SLICE_BYTES = 64 * 1024

/**
 * Seals the messages of one file. The file's salt is drawn here and nowhere else, and numbers are given out
 * in order, so no key ever meets a nonce twice.
 */
export interface FileSealer {
  /** The first 48 bytes of the file. */
  readonly header: Buffer
  /** Seal the next message: ciphertext and tag, `plaintext.length + 16` bytes. */
  seal(plaintext: Uint8Array): Buffer
  /**
   * Seal the next message, the plaintext with zeros after it up to `paddedBytes`, into `target`, which may begin with the
   * plaintext itself.
   *
   * @returns ciphertext and tag: the first `paddedBytes + 16` bytes of the target
   */
  sealPadded(plaintext: Uint8Array, paddedBytes: number, target: Buffer): Buffer
  /**
   * Seal the last message, with the reserved number, into `target`, which may begin with the plaintext itself. Nothing can
   * be sealed after it.
   *
   * @param target `plaintext.length + 16` bytes; default: memory of its own
   * @returns the target
   */
  sealFooter(plaintext: Uint8Array, target?: Buffer): Buffer
}

/** Opens messages of one file, in any order. */
export interface FileOpener {
  /** @throws HoldfastError DAMAGED when the message is not authentic. The plaintext is owned by the caller. */
  open(number: number, sealed: Uint8Array): Buffer
  /**
   * The same into memory of the caller's, at least `sealed.length - 16` bytes, which may be that of `sealed` itself. Where
   * it throws, nothing in there may be used.
   *
   * @returns the plaintext, a view of `target`
   */
  openInto(number: number, sealed: Uint8Array, target: Buffer): Buffer
}

/**
 * Begin a sealed file.
 *
 * @param subkey of this kind of file
 * @param repositoryId bound into every message; empty for packs and index files
 */
export function createSealer(kind: FileKind, subkey: Uint8Array, repositoryId: Uint8Array): FileSealer {
  const header = Buffer.concat([filePrefix(kind), randomBytes(KEY_BYTES)])
  const key = fileKey(subkey, header.subarray(PREFIX_BYTES))
  const associated = Buffer.concat([header.subarray(0, PREFIX_BYTES), repositoryId])
  let next = 0
  const sealInto = (number: number, plaintext: Uint8Array, paddedBytes: number, target: Buffer): Buffer => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce(number))
    cipher.setAAD(associated)
    let at = 0
    while (at < plaintext.length) {
      at += cipher.update(plaintext.subarray(at, at + SLICE_BYTES)).copy(target, at)
    }
    while (at < paddedBytes) {
      at += cipher.update(ZEROS.subarray(0, paddedBytes - at)).copy(target, at)
    }
    cipher.final()
    cipher.getAuthTag().copy(target, paddedBytes)
    return target.subarray(0, paddedBytes + TAG_BYTES)
  }
  const seal = (number: number, plaintext: Uint8Array): Buffer =>
    sealInto(number, plaintext, plaintext.length, Buffer.allocUnsafe(plaintext.length + TAG_BYTES))
  const nextNumber = (): number => {
    if (next >= FOOTER_NUMBER) throw new Error('all message numbers of this file are used')
    return next++
  }
  return {
    header,
    seal: (plaintext) => seal(nextNumber(), plaintext),
    sealPadded: (plaintext, paddedBytes, target) => sealInto(nextNumber(), plaintext, paddedBytes, target),
    sealFooter(plaintext, target = Buffer.allocUnsafe(plaintext.length + TAG_BYTES)) {
      if (next > FOOTER_NUMBER) throw new Error('the footer is sealed already')
      next = FOOTER_NUMBER + 1
      return sealInto(FOOTER_NUMBER, plaintext, plaintext.length, target)
    },
  }
}

/**
 * Prepare to open a file's messages.
 *
 * @param header at least the first 48 bytes of the file; checked with `checkHeader`
 */
export function createOpener(
  kind: FileKind,
  header: Uint8Array,
  subkey: Uint8Array,
  repositoryId: Uint8Array,
): FileOpener {
  return createSaltOpener(kind, saltOf(kind, header), subkey, repositoryId)
}

/** The salt of a file, in memory of its own. @param header at least the first 48 bytes of it; checked with `checkHeader` */
export function saltOf(kind: FileKind, header: Uint8Array): Uint8Array {
  checkHeader(kind, header)
  return new Uint8Array(header.subarray(PREFIX_BYTES, HEADER_BYTES))
}

/** The same without the file's header, where its salt is known. */
export function createSaltOpener(
  kind: FileKind,
  salt: Uint8Array,
  subkey: Uint8Array,
  repositoryId: Uint8Array,
): FileOpener {
  const key = fileKey(subkey, salt)
  const associated = Buffer.concat([filePrefix(kind), repositoryId])
  const begin = (number: number, sealed: Uint8Array): DecipherGCM => {
    if (sealed.length < TAG_BYTES) throw new HoldfastError('DAMAGED', 'a sealed message is too short')
    const decipher = createDecipheriv('aes-256-gcm', key, nonce(number), { authTagLength: TAG_BYTES })
    decipher.setAAD(associated)
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    return decipher
  }
  const authenticate = (decipher: DecipherGCM): void => {
    try {
      decipher.final()
    } catch (cause) {
      throw new HoldfastError('DAMAGED', 'a sealed message is not authentic', { cause })
    }
  }
  return {
    open(number, sealed) {
      const decipher = begin(number, sealed)
      const plaintext = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES))
      authenticate(decipher)
      return plaintext
    },
    openInto(number, sealed, target) {
      const decipher = begin(number, sealed)
      const end = sealed.length - TAG_BYTES
      if (target.length < end) throw new Error('the message does not fit into the target')
      for (let at = 0; at < end; at += PIECE_BYTES) {
        target.set(decipher.update(sealed.subarray(at, Math.min(at + PIECE_BYTES, end))), at)
      }
      authenticate(decipher)
      return target.subarray(0, end)
    },
  }
}

/**
 * Check magic, version and kind of a stored file.
 *
 * @throws HoldfastError NEWER_FORMAT for a version above this program's, DAMAGED for anything else
 */
export function checkHeader(kind: FileKind, header: Uint8Array): void {
  if (header.length < HEADER_BYTES) throw new HoldfastError('DAMAGED', 'the file is shorter than its header')
  if (Buffer.compare(header.subarray(0, MAGIC.length), MAGIC) !== 0) {
    throw new HoldfastError('DAMAGED', 'the file does not begin with HOLDFAST')
  }
  const version = header[8]!
  if (version > FORMAT_VERSION) {
    throw new HoldfastError('NEWER_FORMAT', `format version ${version} is newer than this program reads`, {
      hint: 'use a newer holdfast for this repository',
    })
  }
  if (version === 0) throw new HoldfastError('DAMAGED', 'format version 0 is not valid')
  if (header[9] !== fileKinds[kind]) throw new HoldfastError('DAMAGED', `the file is not of the kind ${kind}`)
  if (header.subarray(10, PREFIX_BYTES).some((byte) => byte !== 0)) {
    throw new HoldfastError('DAMAGED', 'reserved bytes of the header are not zero')
  }
}

function filePrefix(kind: FileKind): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  MAGIC.copy(prefix)
  prefix[8] = FORMAT_VERSION
  prefix[9] = fileKinds[kind]
  return prefix
}

function fileKey(subkey: Uint8Array, salt: Uint8Array): Buffer {
  return deriveKey(subkey, salt, 'holdfast file key')
}

function nonce(number: number): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(number, 8)
  return bytes
}
