import { type FileId, fromHex, type SessionId, toHex } from '../encoding/index.ts'
import type { RowCheck } from './check.ts'
import { type BlockFacts, CHUNK_ROW_BYTES, type PackFacts, type PackKind } from './facts.ts'

/**
 * The tables and their rows. Every value ends with a 32-bit check over table, key and value (`RowCheck`).
 *
 * | table  | key                    | value                                                               |
 * |--------|------------------------|---------------------------------------------------------------------|
 * | head   | 'head'                 | schema, generation, version, numbers in use, losses, birth          |
 * | chunks | 32-byte chunk id       | chunk number, then 14 bytes a home                                  |
 * | packs  | pack number, 4 bytes   | state, id, size, session, salt, chunks, then 13 bytes a block       |
 * | names  | 32-byte pack id        | pack number                                                         |
 * | files  | 32-byte index file id  | flags: its facts are in, it is named by a `replaces`                |
 * | cached | name, UTF-8            | a small file as it is stored in the repository                      |
 *
 * Keys are big-endian, so that rows come in order; values are little-endian.
 */
export const tableNames = ['head', 'chunks', 'packs', 'names', 'files', 'cached'] as const
export type TableName = (typeof tableNames)[number]
const tableNumbers: Record<TableName, number> = {
  head: 0,
  chunks: 1,
  packs: 2,
  names: 3,
  files: 4,
  cached: 5,
}

/** Raised with every change to the tables above or to the file below them. */
export const SCHEMA = 4

export const CHECK_BYTES = 4
export const HOME_BYTES = 14
/** Bytes of a chunk row before its homes. */
export const CHUNK_NUMBER_BYTES = 4
export const HEAD_KEY: Buffer = Buffer.from('head')
const BIRTH_BYTES = 16
const HEAD_BYTES = 4 + 5 * 6 + BIRTH_BYTES
const PACK_FIXED_BYTES = 1 + 32 + 6 + 16 + 32 + 4
export const BLOCK_BYTES = 13
const fileFlags = { applied: 1, replaced: 2 } as const
const packFlags = { listed: 1, condemned: 2, lost: 4, tree: 8 } as const

/** The one row that says how far the numbers are and whether anything changed. */
export interface Head {
  readonly schema: number
  /** Raised by every reset. */
  readonly generation: number
  /** Raised by every change to packs, files or the generation. */
  readonly version: number
  /** Exclusive upper bounds of the numbers given out, ever. */
  readonly packNumbers: number
  readonly chunkNumbers: number
  /** See `ClientIndex.losses`. */
  readonly losses: number
  /** See `IndexAddress.birth`. */
  readonly birth: string
}

/** A pack as its row has it. A pack that is only condemned or lost is not listed: the rest is empty then. */
export interface StoredPack {
  readonly id: FileId
  readonly listed: boolean
  readonly condemned: boolean
  readonly lost: boolean
  readonly kind: PackKind
  readonly sizeBytes: number
  readonly session: SessionId
  /** 32 bytes. */
  readonly salt: Uint8Array
  readonly chunkCount: number
  /** BLOCK_BYTES a block. */
  readonly blocks: Uint8Array
}

export interface FileFlags {
  readonly applied: boolean
  readonly replaced: boolean
}

/** True when the last four bytes of the value are its check. */
export function isSound(check: RowCheck, table: TableName, key: Uint8Array, value: Uint8Array): boolean {
  const end = value.length - CHECK_BYTES
  if (end < 0) return false
  const stored = value[end]! | (value[end + 1]! << 8) | (value[end + 2]! << 16) | (value[end + 3]! << 24)
  return stored >>> 0 === check(tableNumbers[table], key, value, end)
}

/** Write the check into the last four bytes of a value whose other bytes are complete. */
export function seal(check: RowCheck, table: TableName, key: Uint8Array, value: Buffer): Buffer {
  const end = value.length - CHECK_BYTES
  value.writeUInt32LE(check(tableNumbers[table], key, value, end), end)
  return value
}

/** True for a value of a length and with fields that this schema writes. */
export function isWellFormed(table: TableName, key: Uint8Array, value: Uint8Array): boolean {
  const bytes = value.length - CHECK_BYTES
  switch (table) {
    case 'head':
      return bytes === HEAD_BYTES
    case 'chunks':
      return key.length === 32 && bytes >= 4 + HOME_BYTES && (bytes - 4) % HOME_BYTES === 0
    case 'packs':
      return key.length === 4 && bytes >= PACK_FIXED_BYTES && (bytes - PACK_FIXED_BYTES) % BLOCK_BYTES === 0
    case 'names':
      return key.length === 32 && bytes === 4
    case 'files':
      return key.length === 32 && bytes === 1
    case 'cached':
      return bytes >= 0
  }
}

export function encodeHead(head: Head): Buffer {
  const value = Buffer.alloc(HEAD_BYTES + CHECK_BYTES)
  value.writeUInt32LE(head.schema, 0)
  value.writeUIntLE(head.generation, 4, 6)
  value.writeUIntLE(head.version, 10, 6)
  value.writeUIntLE(head.packNumbers, 16, 6)
  value.writeUIntLE(head.chunkNumbers, 22, 6)
  value.writeUIntLE(head.losses, 28, 6)
  value.write(head.birth, 34, 'hex')
  return value
}

/** The value must be sound and well formed. */
export function decodeHead(value: Buffer): Head {
  return {
    schema: value.readUInt32LE(0),
    generation: value.readUIntLE(4, 6),
    version: value.readUIntLE(10, 6),
    packNumbers: value.readUIntLE(16, 6),
    chunkNumbers: value.readUIntLE(22, 6),
    losses: value.readUIntLE(28, 6),
    birth: toHex(value.subarray(34, 34 + BIRTH_BYTES)),
  }
}

export function packKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(4)
  key.writeUInt32BE(number, 0)
  return key
}

export function encodePack(pack: StoredPack): Buffer {
  const value = Buffer.alloc(PACK_FIXED_BYTES + pack.blocks.length + CHECK_BYTES)
  value[0] =
    (pack.listed ? packFlags.listed : 0) |
    (pack.condemned ? packFlags.condemned : 0) |
    (pack.lost ? packFlags.lost : 0) |
    (pack.kind === 'tree' ? packFlags.tree : 0)
  value.write(pack.id, 1, 'hex')
  value.writeUIntLE(pack.sizeBytes, 33, 6)
  value.write(pack.session, 39, 'hex')
  value.set(pack.salt, 55)
  value.writeUInt32LE(pack.chunkCount, 87)
  value.set(pack.blocks, PACK_FIXED_BYTES)
  return value
}

/** The value must be sound and well formed; `blocks` and `salt` of the result are views of it. */
export function decodePack(value: Buffer): StoredPack {
  const flags = value[0]!
  return {
    id: toHex(value.subarray(1, 33)) as FileId,
    listed: (flags & packFlags.listed) !== 0,
    condemned: (flags & packFlags.condemned) !== 0,
    lost: (flags & packFlags.lost) !== 0,
    kind: flags & packFlags.tree ? 'tree' : 'data',
    sizeBytes: value.readUIntLE(33, 6),
    session: toHex(value.subarray(39, 55)) as SessionId,
    salt: value.subarray(55, 87),
    chunkCount: value.readUInt32LE(87),
    blocks: value.subarray(PACK_FIXED_BYTES, value.length - CHECK_BYTES),
  }
}

const NO_SALT = new Uint8Array(32)

/** A pack no index file lists so far. */
export function unlistedPack(id: FileId): StoredPack {
  return {
    id,
    listed: false,
    condemned: false,
    lost: false,
    kind: 'data',
    sizeBytes: 0,
    session: '0'.repeat(32) as SessionId,
    salt: NO_SALT,
    chunkCount: 0,
    blocks: new Uint8Array(0),
  }
}

/** False for a pack whose chunks have no good copy in it, listed or not. */
export function mayBeGood({ condemned, lost }: StoredPack): boolean {
  return !condemned && !lost
}

export function listedPack(facts: PackFacts): StoredPack {
  return {
    ...unlistedPack(facts.id),
    listed: true,
    kind: facts.kind,
    sizeBytes: facts.sizeBytes,
    session: facts.session,
    salt: facts.salt,
    chunkCount: countChunks(facts),
    blocks: encodeBlocks(facts.blocks),
  }
}

export function countChunks({ blocks }: PackFacts): number {
  return blocks.reduce((sum, block) => sum + block.chunks.length / CHUNK_ROW_BYTES, 0)
}

/** What two rows of one pack say together: a listing is kept once there is one, states add up. */
export function mergePacks(left: StoredPack, right: StoredPack): StoredPack {
  const listing = left.listed ? left : right
  return { ...listing, condemned: left.condemned || right.condemned, lost: left.lost || right.lost }
}

function encodeBlocks(blocks: readonly BlockFacts[]): Buffer {
  const bytes = Buffer.allocUnsafe(blocks.length * BLOCK_BYTES)
  blocks.forEach((block, number) => {
    const at = number * BLOCK_BYTES
    bytes.writeUInt32LE(block.storedBytes, at)
    bytes.writeUInt32LE(block.payloadBytes, at + 4)
    bytes.writeUInt32LE(block.plainBytes, at + 8)
    bytes.writeUInt8(block.method, at + 12)
  })
  return bytes
}

export function encodeName(number: number): Buffer {
  const value = Buffer.alloc(4 + CHECK_BYTES)
  value.writeUInt32LE(number, 0)
  return value
}

export function encodeFile(flags: FileFlags): Buffer {
  const value = Buffer.alloc(1 + CHECK_BYTES)
  value[0] = (flags.applied ? fileFlags.applied : 0) | (flags.replaced ? fileFlags.replaced : 0)
  return value
}

export function decodeFile(value: Uint8Array): FileFlags {
  const flags = value[0]!
  return { applied: (flags & fileFlags.applied) !== 0, replaced: (flags & fileFlags.replaced) !== 0 }
}

export function idKey(id: FileId): Buffer {
  return fromHex(id)
}
