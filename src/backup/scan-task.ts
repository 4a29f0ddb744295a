import type { RawName } from '../encoding/index.ts'
import type { FileStatus } from '../filesystem/index.ts'
import type { ReadSegment, SegmentRequest, UnreadableFile } from './file-reader.ts'
import type { BackupExcludes, BackupItem, BackupProblem } from './options.ts'

/** A node of the repository or of this client's: a backup into them would feed on itself. */
export interface OwnPlace {
  readonly device: bigint
  readonly inode: bigint
}

/** What scanning goes by; plain data, the same for a whole run. */
export interface ScanRules {
  readonly excludes: BackupExcludes
  /** What is backed up, absolute. */
  readonly sources: readonly RawName[]
  /** The repository, the cache and what else must never be in a backup. */
  readonly ownPlaces: readonly OwnPlace[]
  readonly oneFileSystem: boolean
  readonly withAtime: boolean
  readonly ignoreInode: boolean
  readonly ignoreCtime: boolean
  /** Every chunk of the parent has a good copy: see `isLookedUp`. */
  readonly isParentStored: boolean
  /** Somebody listens for each file and folder. */
  readonly wantsItems: boolean
}

/** Scan names of one folder, and what is below them. */
export interface NamesTask {
  readonly kind: 'names'
  readonly path: RawName
  /** Keys of names, with `/` between them; undefined for all in the folder. */
  readonly keys: string | undefined
  /** The folder's tree in the parent snapshot. */
  readonly parentTree: Uint8Array | undefined
  /** Of the path that was asked for. */
  readonly device: bigint
  /** The names themselves were asked for: no rule leaves them out, and the lack of one is an error. */
  readonly areAsked: boolean
}

/** Read one segment of a large file. */
export interface SegmentTask extends SegmentRequest {
  readonly kind: 'segment'
}

/** Make the node of a large file whose segments were read. */
export interface LargeFileTask {
  readonly kind: 'large'
  readonly file: LargeFilePart
  readonly before: FileStatus
  /** Milliseconds since 1970. */
  readonly openedMs: number
  readonly hasChanged: boolean
  readonly sizeBytes: bigint
  readonly ids: Uint8Array
  /** Why it could not be read. */
  readonly failure: UnreadableFile | undefined
}

export type ScanTask = NamesTask | SegmentTask | LargeFileTask

/** Nodes in their stored form, in order. */
export interface EntriesPart {
  readonly kind: 'entries'
  readonly bytes: Uint8Array
  /** For each: where it ends in `bytes`, and twice its weight, plus one where a page may end after it. */
  readonly table: Uint32Array
  /** Nothing about any of it has changed, and nothing is missing that was found. */
  readonly isUnchanged: boolean
}

/** A file to be read in segments. */
export interface LargeFilePart {
  readonly kind: 'large'
  readonly path: RawName
  readonly key: string
  readonly status: FileStatus
  /** The parent's node in its stored form. */
  readonly parent: Uint8Array | undefined
}

/** A folder that is not complete; its parts follow, up to its `end`. */
export interface FolderPart {
  readonly kind: 'folder'
  readonly path: RawName
  /** Its node in its stored form, but for the id of its tree at the end. */
  readonly template: Uint8Array
  readonly tableWord: number
  /** In the parent snapshot. */
  readonly parentTree: Uint8Array | undefined
  /** The folder's own metadata is the parent's. */
  readonly isSame: boolean
}

/** What has become of a task, in order; nothing of the last folders' ends is left out. */
export type Part = EntriesPart | LargeFilePart | NamesTask | FolderPart | { readonly kind: 'end' }

/** Nodes counted by what became of them. */
interface Counts {
  new: number
  modified: number
  unchanged: number
}

/** What is to be told of a task. */
export interface Notes {
  readonly files: Counts
  readonly directories: Counts
  bytes: number
  readonly errors: BackupProblem[]
  readonly warnings: BackupProblem[]
  readonly items: BackupItem[]
  readonly ownPlacesLeftOut: RawName[]
  /** Something asked for is not there at all. */
  isIncomplete: boolean
  lastPath: RawName | undefined
}

export interface ScanAnswer {
  readonly kind: 'parts'
  readonly parts: readonly Part[]
  readonly notes: Notes
}

export interface SegmentAnswer {
  readonly kind: 'segment'
  readonly segment: ReadSegment | UnreadableFile
}

export type TaskAnswer = ScanAnswer | SegmentAnswer

export function createNotes(): Notes {
  return {
    files: { new: 0, modified: 0, unchanged: 0 },
    directories: { new: 0, modified: 0, unchanged: 0 },
    bytes: 0,
    errors: [],
    warnings: [],
    items: [],
    ownPlacesLeftOut: [],
    isIncomplete: false,
    lastPath: undefined,
  }
}

/** Put names together for a task, and take them apart. No name holds a slash. */
export function joinKeys(keys: readonly string[]): string {
  return keys.join('/')
}

export function splitKeys(keys: string): string[] {
  return keys.split('/')
}

/** A name that came from another thread, where buffers lose their class. */
export function ownName(name: RawName): RawName {
  return typeof name === 'string' ? name : Buffer.from(name)
}
