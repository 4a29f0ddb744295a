import type { FolderAddress, Xattr } from '../filesystem/index.ts'
import type { BlockKeys, BlockPlace, SealedBlocks } from '../repository/worker.ts'
import type { PlainError } from '../threads/index.ts'

/** What a thread needs to know of the run. Plain data. */
export interface BatchSettings {
  readonly keys: BlockKeys
  /** Of a repository that is on this machine: blocks are read there. */
  readonly localFolder: string | undefined
  /** Names of files that are not whole begin with it. */
  readonly temporaryPrefix: string
  /** Leave out every run of zeros. */
  readonly isSparse: boolean
  readonly ownership: boolean
}

/** Some blocks of one pack, and the files that get chunks of them. Plain data. */
export interface BatchTask {
  /** As they were read, or where to read them when the repository is on this machine. */
  readonly blocks: SealedBlocks | UnreadBlocks
  readonly folders: readonly BatchFolder[]
  /** By file: the name it gets when it is whole, or the one it has where only a part of it is here. */
  readonly names: readonly (string | Uint8Array)[]
  /** FILE_FIELDS each; see `fileFields`. */
  readonly files: Float64Array
  /** By file; only of those that have any. */
  readonly extras: ReadonlyMap<number, FileExtras>
  /** PIECE_FIELDS each, in the order of blocks; see `pieceFields`. One piece is one chunk for one file. */
  readonly pieces: Float64Array
  /** 32 bytes a piece. */
  readonly ids: Uint8Array
}

interface UnreadBlocks {
  /** Of one pack, in order of offset. */
  readonly places: readonly BlockPlace[]
}

export interface BatchFolder {
  readonly address: FolderAddress
  /** New files in it begin without attributes that have to be removed. */
  readonly isBare: boolean
}

export interface FileExtras {
  readonly xattrs: readonly (readonly [name: Uint8Array, value: Uint8Array])[]
  readonly holes: readonly (readonly [offset: bigint, length: bigint])[]
}

/** A time is whole seconds and nanoseconds; seconds are NaN for one that is left as it is. */
export const fileFields = {
  folder: 0,
  /** 1 when all pieces of the file are in the batch: it is made, written, and gets metadata and name. */
  isWhole: 1,
  sizeBytes: 2,
  mode: 3,
  uid: 4,
  gid: 5,
  mtimeSeconds: 6,
  mtimeNanoseconds: 7,
  atimeSeconds: 8,
  atimeNanoseconds: 9,
} as const
export const FILE_FIELDS = 10

export const pieceFields = {
  file: 0,
  /** In the blocks of the batch. */
  block: 1,
  /** In the block's plaintext. */
  offset: 2,
  length: 3,
  /** In the file. */
  destination: 4,
} as const
export const PIECE_FIELDS = 5

/** What became of a batch: all that is in no list is done. */
export interface BatchAnswer {
  /** Pieces that the blocks do not have; a whole file with such a piece was not begun. */
  readonly unsound: readonly number[]
  readonly failures: readonly { readonly file: number; readonly error: PlainError }[]
  /** Metadata that could not be set. */
  readonly warnings: readonly { readonly file: number; readonly message: string }[]
}

/** Attributes as the file system takes them, after their way through a message. */
export function asXattrs(xattrs: FileExtras['xattrs']): Xattr[] {
  return xattrs.map(([name, value]) => [asBuffer(name), asBuffer(value)])
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
