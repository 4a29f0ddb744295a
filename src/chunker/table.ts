import { hkdfSync } from 'node:crypto'

/**
 * The 256 numbers of the Gear hash: HKDF-SHA256 with the key as input key material, an empty salt, the ASCII
 * info `gear-nc-1 table` and 1,024 bytes of output, read as 256 little-endian unsigned 32-bit integers.
 *
 * @param key 32 bytes, a subkey of the master key for this use alone. Borrowed.
 */
export function deriveTable(key: Uint8Array): Uint32Array {
  if (key.length !== 32) throw new Error(`a chunker key has 32 bytes, not ${key.length}`)
  const bytes = new DataView(hkdfSync('sha256', key, new Uint8Array(0), 'gear-nc-1 table', 1024))
  return Uint32Array.from({ length: 256 }, (_, at) => bytes.getUint32(at * 4, true))
}
