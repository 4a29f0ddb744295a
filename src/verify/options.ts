import type { FileId, RawName } from '../encoding/index.ts'

/**
 * Which packs are read.
 * - part: the `number`th of `total` parts, counted from 1; all parts together are all packs, each in one.
 * - percent: a random share of the packs, above 0 to 100.
 * - bytes: random packs until they have so many bytes together.
 */
export type Subset =
  | { readonly kind: 'part'; readonly number: number; readonly total: number }
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'bytes'; readonly bytes: number }

export interface VerifyOptions {
  /** Snapshots whose trees are walked. Default: all. */
  readonly snapshots?: readonly FileId[] | undefined
  /** Read packs whole, not only those there is a reason to doubt. Default false. */
  readonly readData?: boolean | undefined
  /** Of the packs that `readData` reads. Default: all. */
  readonly subset?: Subset | undefined
  /** Threads that check what packs hold; 0 does it in this one. Default: one for each core where there is much to read. */
  readonly threads?: number | undefined
  /** From 0 up to 1, for random subsets. Default: Math.random. */
  readonly random?: (() => number) | undefined
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined
  /** Told of each thing that is wrong as it is found; the report has it too, with what it touches. */
  readonly onProblem?: ((problem: FoundProblem) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface VerifyProgress {
  /** Bytes of packs in the phase `packs`, else numbers of files or snapshots. */
  readonly phase: 'files' | 'packs' | 'snapshots' | 'paths'
  readonly done: number
  /** 0 while it is not known. */
  readonly total: number
}

/**
 * - damaged: not what was stored.
 * - missing: not there, and something says it should be.
 * - unreadable: the storage does not give it.
 * - newer: of a format this program does not read.
 */
export type ProblemKind = 'damaged' | 'missing' | 'unreadable' | 'newer'

export interface FoundProblem {
  /** Name in the repository. */
  readonly file: string
  readonly kind: ProblemKind
  /** What is wrong: a sentence without the file's name. */
  readonly detail: string
}

/** A snapshot that has lost something with a file. */
export interface TouchedSnapshot {
  readonly id: FileId
  /** The first paths, at most MAXIMUM_PATHS, in order of the walk; `/` is the whole snapshot. */
  readonly paths: readonly RawName[]
  /** Files and folders that lack data, or cannot be listed. */
  readonly pathCount: number
}

/** Everything that is wrong with one file. */
export interface Problem {
  readonly file: string
  readonly kind: ProblemKind
  /** At least one. */
  readonly details: readonly string[]
  /**
   * Whether a snapshot needs what is lost with the file. Undefined for files that hold no part of a snapshot, and
   * where not every snapshot could be walked.
   */
  readonly isNeeded: boolean | undefined
  readonly snapshots: readonly TouchedSnapshot[]
  /** The next thing to do, with the command. */
  readonly hint: string
}

/**
 * Something worth saying that is no damage.
 * - unlisted-pack: in no index file; a backup at work lists it soon, or one was interrupted.
 * - foreign-file: not one of this program's.
 * - incomplete-snapshot: its session was given up on, and it lacks chunks.
 * - no-good-copy: chunks with a copy that can be read, but none that a backup may rely on.
 */
export interface Note {
  readonly kind: 'unlisted-pack' | 'foreign-file' | 'incomplete-snapshot' | 'no-good-copy'
  readonly message: string
}

export interface VerifyReport {
  /** Empty when everything that was looked at is sound. */
  readonly problems: readonly Problem[]
  readonly notes: readonly Note[]
  readonly counts: VerifyCounts
}

/** What was looked at. */
export interface VerifyCounts {
  /** Files that are neither packs nor foreign. */
  readonly smallFiles: number
  readonly packs: number
  readonly packBytes: number
  /** Packs that were read whole. */
  readonly packsRead: number
  readonly bytesRead: number
  readonly snapshots: number
  /** Different chunks of the snapshots that were walked. */
  readonly treeChunks: number
  readonly dataChunks: number
}

/** Paths a report keeps of one snapshot for one file. */
export const MAXIMUM_PATHS = 100
