declare const brand: unique symbol

/** 32 bytes: keyed BLAKE3-256 of a chunk's plaintext. A view; never written to. */
export type ChunkId = Uint8Array & { readonly [brand]: 'chunk' }

/** 64 lower-case hex digits: BLAKE3-256 of a stored file's bytes, which is its name. */
export type FileId = string & { readonly [brand]: 'file' }

/** 32 lower-case hex digits, random: the name of a session. */
export type SessionId = string & { readonly [brand]: 'session' }

/** Bytes in a chunk id and in the hash a file is named by. */
export const ID_BYTES = 32

/** Take 32 bytes as a chunk id. Borrowed, not copied. Throws on another length: a programmer's error. */
export function chunkId(bytes: Uint8Array): ChunkId {
  if (bytes.length !== ID_BYTES) throw new Error(`a chunk id has ${ID_BYTES} bytes, not ${bytes.length}`)
  return bytes as ChunkId
}

/** Take 64 hex digits as a file id; undefined when they are not. */
export function parseFileId(text: string): FileId | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as FileId) : undefined
}

/** Take 32 hex digits as a session id; undefined when they are not. */
export function parseSessionId(text: string): SessionId | undefined {
  return /^[0-9a-f]{32}$/.test(text) ? (text as SessionId) : undefined
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

export function fromHex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}
