import {
  createOpener,
  createSealer,
  type FileKind,
  HEADER_BYTES,
  hashBytes,
  TAG_BYTES,
} from '../crypto/index.ts'
import { decodeValue, encodeValue, type FileId, toHex, type Value } from '../encoding/index.ts'
import { DamagedError, HoldfastError } from '../errors/index.ts'
import { padContent, unpadContent } from '../pack/index.ts'

/** Sealed values are padded so that files of a kind differ in steps of this many bytes. */
const STEP_BYTES = 512

/** Kinds of files that hold one sealed value. */
export type ValueKind = Exclude<FileKind, 'data' | 'tree' | 'key'>

/** What seals and opens a repository's values. */
export interface Sealing {
  readonly id: Uint8Array
  readonly subkeys: { readonly files: Readonly<Record<FileKind, Buffer>> }
}

/** A whole file: header, then one sealed message. Index files are not bound to the repository. */
export function sealValue(sealing: Sealing, kind: ValueKind, value: Value): Buffer {
  const content = encodeValue(value)
  const sealer = createSealer(kind, sealing.subkeys.files[kind], boundId(sealing, kind))
  const paddedBytes = Math.ceil((content.length + 4) / STEP_BYTES) * STEP_BYTES
  // Sealed where it lies: an index file takes megabytes.
  const file = Buffer.alloc(HEADER_BYTES + paddedBytes + TAG_BYTES)
  const padded = padContent(content, file.subarray(HEADER_BYTES, HEADER_BYTES + paddedBytes))
  file.set(sealer.header)
  sealer.sealPadded(padded, paddedBytes, file.subarray(HEADER_BYTES))
  return file
}

/**
 * Open a file that `sealValue` made.
 *
 * @param name of the file, for messages
 * @param parse turns the value into what it means; its DAMAGED errors are reported for this file
 * @param isInPlace the plaintext takes the place of what is sealed, which is lost; else it has memory of its own
 * @throws DamagedError, or HoldfastError NEWER_FORMAT
 */
export function openValue<Result>(
  sealing: Sealing,
  kind: ValueKind,
  name: string,
  bytes: Buffer,
  parse: (value: Value) => Result,
  isInPlace = false,
): Result {
  return reportDamage(name, () => {
    const opener = createOpener(kind, bytes, sealing.subkeys.files[kind], boundId(sealing, kind))
    const sealed = bytes.subarray(HEADER_BYTES)
    const plain = isInPlace ? opener.openInto(0, sealed, sealed) : opener.open(0, sealed)
    return parse(decodeValue(unpadContent(plain)))
  })
}

/** Run a check of a stored file; DAMAGED errors of lower rooms are given the file's name. */
function reportDamage<Result>(name: string, check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    throw withFileName(name, error)
  }
}

export function withFileName(name: string, error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error instanceof DamagedError) return error
  if (error.code === 'DAMAGED') return new DamagedError(name, error.message, { cause: error })
  if (error.code === 'NEWER_FORMAT') {
    return new HoldfastError('NEWER_FORMAT', `${name}: ${error.message}`, {
      hint: error.hint ?? '',
      cause: error,
    })
  }
  return error
}

/** The name a stored file must have. */
export function fileIdOf(bytes: Uint8Array): FileId {
  return toHex(hashBytes(bytes)) as FileId
}

function boundId(sealing: Sealing, kind: ValueKind): Uint8Array {
  return kind === 'index' ? new Uint8Array(0) : sealing.id
}
