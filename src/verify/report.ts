import type { FileId, RawName } from '../encoding/index.ts'
import { hasCode } from '../errors/index.ts'
import { CONFIG_NAME, directories, parseName, problemOf } from '../repository/index.ts'
import {
  type FoundProblem,
  MAXIMUM_PATHS,
  type Note,
  type Problem,
  type ProblemKind,
  type VerifyOptions,
} from './options.ts'

/** Stands for index files that are not there: nothing can tell their names. */
export const INDEX = 'index'
/** What is said of it where they list all packs that there are. */
export const IN_NO_INDEX_FILE = 'chunks that snapshots need are in no index file'

/** Details kept of one file. */
const MAXIMUM_DETAILS = 20
/** Paths kept in a whole report. */
const MAXIMUM_TOTAL_PATHS = 100_000

interface Entry {
  readonly kind: ProblemKind
  readonly details: string[]
  more: number
  isNeeded: boolean
  readonly snapshots: Map<FileId, { paths: RawName[]; count: number }>
}

/** What is known when all has been looked at. */
interface FinalState {
  /** Every chunk that any snapshot needs is known. */
  readonly isWalkWhole: boolean
  /** There are packs that no index file lists. */
  readonly hasUnlisted: boolean
  readonly isCondemned: (pack: FileId) => boolean
}

/** Gathers what is found, file by file, in the order of the first mention. */
export class ReportBuilder {
  private readonly entries = new Map<string, Entry>()
  private readonly notes: Note[] = []
  private readonly onProblem: VerifyOptions['onProblem']
  private keptPaths = 0

  constructor(onProblem?: (problem: FoundProblem) => void) {
    this.onProblem = onProblem
  }

  /** The first kind given for a file is the one that stays. */
  add(file: string, kind: ProblemKind, detail: string): void {
    let entry = this.entries.get(file)
    if (entry === undefined) {
      entry = { kind, details: [], more: 0, isNeeded: false, snapshots: new Map() }
      this.entries.set(file, entry)
    }
    if (entry.details.includes(detail)) return
    if (entry.details.length < MAXIMUM_DETAILS) entry.details.push(detail)
    else entry.more++
    this.onProblem?.({ file, kind, detail })
  }

  /** Add what an error says of a file. @throws the error, when it says nothing of a stored file */
  addError(file: string, error: unknown): void {
    const detail = problemOf(error)
    const prefix = `${file}: `
    this.add(file, kindOf(error), detail.startsWith(prefix) ? detail.slice(prefix.length) : detail)
  }

  has(file: string): boolean {
    return this.entries.has(file)
  }

  /** Files of which something is wrong. */
  files(): string[] {
    return [...this.entries.keys()]
  }

  get isEmpty(): boolean {
    return this.entries.size === 0
  }

  /** Some snapshot needs what is lost with the file. */
  markNeeded(file: string): void {
    this.entries.get(file)!.isNeeded = true
  }

  /** A path in a snapshot lacks something that is lost with the file. */
  touch(file: string, snapshot: FileId, path: RawName): void {
    const entry = this.entries.get(file)!
    entry.isNeeded = true
    let touched = entry.snapshots.get(snapshot)
    if (touched === undefined) {
      touched = { paths: [], count: 0 }
      entry.snapshots.set(snapshot, touched)
    }
    touched.count++
    if (touched.paths.length >= MAXIMUM_PATHS || this.keptPaths >= MAXIMUM_TOTAL_PATHS) return
    touched.paths.push(path)
    this.keptPaths++
  }

  /** What a snapshot lacks is of no interest any more: it was forgotten meanwhile. */
  dropSnapshot(id: FileId): void {
    for (const entry of this.entries.values()) entry.snapshots.delete(id)
  }

  /** Take a file back of which nothing but missing chunks was said. */
  drop(file: string): void {
    this.entries.delete(file)
  }

  /** True when no snapshot is known to lack anything with the file. */
  touchesNothing(file: string): boolean {
    return this.entries.get(file)?.snapshots.size === 0
  }

  note(kind: Note['kind'], message: string): void {
    this.notes.push({ kind, message })
  }

  finish(state: FinalState): { problems: Problem[]; notes: Note[] } {
    const problems = [...this.entries].map(([file, entry]): Problem => {
      const details = entry.more === 0 ? entry.details : [...entry.details, `and ${entry.more} more`]
      const snapshots = [...entry.snapshots].map(([id, { paths, count }]) => ({
        id,
        paths,
        pathCount: count,
      }))
      const isNeeded = holdsChunks(file)
        ? entry.isNeeded || (state.isWalkWhole ? false : undefined)
        : undefined
      const hint = nextStep(file, { ...entry, isNeeded }, state)
      return { file, kind: entry.kind, details, isNeeded, snapshots, hint }
    })
    return { problems, notes: this.notes }
  }
}

function kindOf(error: unknown): ProblemKind {
  if (hasCode(error, 'NEWER_FORMAT')) return 'newer'
  return hasCode(error, 'IO') ? 'unreadable' : 'damaged'
}

/** True for files with which parts of snapshots are lost. */
function holdsChunks(file: string): boolean {
  if (file === INDEX) return true
  const name = parseName(file)
  return name.what === 'file' && ['data', 'tree', 'index', 'snapshot'].includes(name.kind)
}

/** What nothing brings back but a source that still has it. */
const LOST =
  'it is lost: holdfast backup stores anew what the source still has; for the rest holdfast repair snapshots --forget makes whole snapshots of what is left'

function nextStep(
  file: string,
  entry: Pick<Entry, 'kind' | 'details'> & { readonly isNeeded: boolean | undefined },
  { hasUnlisted, isCondemned }: FinalState,
): string {
  const { isNeeded } = entry
  if (entry.kind === 'newer') return 'use a newer holdfast for this repository'
  if (entry.kind === 'unreadable')
    return 'check the storage; then run holdfast verify --read-data again to see what is left'
  if (file === INDEX)
    return !hasUnlisted && entry.details.every((one) => one === IN_NO_INDEX_FILE)
      ? LOST
      : 'run holdfast repair index'
  const name = parseName(file)
  if (file === CONFIG_NAME || file === directories.settings) return 'run holdfast repair config'
  if (name.what === 'session' || name.what === 'over')
    return 'when no holdfast is at work on this repository, delete the file'
  if (name.what !== 'file') return 'look at it by hand'
  switch (name.kind) {
    case 'settings':
      return 'run holdfast repair config'
    case 'key':
      return 'make a new key with holdfast key passwd or key add, then remove this one with holdfast key remove'
    case 'index':
      return 'run holdfast repair index'
    case 'snapshot':
      return `put the file back from a copy of the repository, or remove it with holdfast forget ${name.id.slice(0, 8)}`
    case 'pending':
      return 'run holdfast prune, which takes up anew what the file named; then delete it'
    default:
      // It was dealt with, and what it had is in no other.
      if (isNeeded !== false && isCondemned(name.id)) return LOST
      return isNeeded === false
        ? 'nothing needs it; the next holdfast prune removes what is left of it'
        : `run holdfast repair packs ${name.id.slice(0, 8)}: it saves what can still be read; then holdfast backup, which stores anew what the source still has, and holdfast repair snapshots for what it has no more`
  }
}
