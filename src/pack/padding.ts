import { HoldfastError } from '../errors/index.ts'

/**
 * The PADMÉ length for a length (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", PoPETS 2019): at most 12 % more, and only O(log log) bits of the length show.
 */
export function padmeBytes(lengthBytes: number): number {
  if (lengthBytes < 2) return lengthBytes
  const exponent = Math.floor(Math.log2(lengthBytes))
  const mantissaBits = Math.floor(Math.log2(exponent)) + 1
  const step = 2 ** Math.max(exponent - mantissaBits, 0)
  return Math.ceil(lengthBytes / step) * step
}

/** Make `u32 LE length, content, zeros` of memory that is all zeros. @returns it */
export function padContent(content: Uint8Array, zeros: Buffer): Buffer {
  if (zeros.length < content.length + 4) throw new Error('the padded length is too short')
  zeros.writeUInt32LE(content.length, 0)
  zeros.set(content, 4)
  return zeros
}

/** The content of what `padContent` made; a view. @throws HoldfastError DAMAGED */
export function unpadContent(padded: Buffer): Buffer {
  const length = padded.length < 4 ? Number.POSITIVE_INFINITY : padded.readUInt32LE(0)
  if (length > padded.length - 4) throw new HoldfastError('DAMAGED', 'a padded message states a wrong length')
  return padded.subarray(4, 4 + length)
}
