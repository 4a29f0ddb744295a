import { hkdfSync, randomBytes } from 'node:crypto'

/** What a sealed file holds; each kind is sealed under a subkey of its own. The number stands in its header. */
export const fileKinds = {
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

export type FileKind = keyof typeof fileKinds

/** Bytes in the master key, in every subkey, in a salt and in a key file. */
export const KEY_BYTES = 32

/**
 * Everything derived from the master key. Held in memory only. The subkey of kind `key` seals what describes
 * a key file, not the master key itself.
 */
export interface Subkeys {
  readonly files: Readonly<Record<FileKind, Buffer>>
  readonly dataIds: Buffer
  readonly treeIds: Buffer
  readonly chunker: Buffer
  readonly cacheCheck: Buffer
}

/** HKDF-SHA256 (RFC 5869) to 32 bytes. */
export function deriveKey(secret: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, KEY_BYTES))
}

/** Derive all subkeys; docs/format.md, "Subkeys", lists the labels. */
export function deriveSubkeys(masterKey: Uint8Array): Subkeys {
  const derive = (label: string): Buffer => deriveKey(masterKey, Buffer.alloc(0), `holdfast ${label}`)
  const files = {} as Record<FileKind, Buffer>
  for (const kind of Object.keys(fileKinds) as FileKind[]) files[kind] = derive(`file ${kind}`)
  return {
    files,
    dataIds: derive('data chunk ids'),
    treeIds: derive('tree chunk ids'),
    chunker: derive('chunker'),
    cacheCheck: derive('cache check'),
  }
}

export function createMasterKey(): Buffer {
  return randomBytes(KEY_BYTES)
}
