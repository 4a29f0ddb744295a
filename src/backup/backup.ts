import { realpathSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import {
  type ChunkId,
  chunkId,
  compareNames,
  type FileId,
  ID_BYTES,
  nameFromBytes,
  type RawName,
  type SessionId,
} from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { readStatus } from '../filesystem/index.ts'
import {
  PROGRAM_VERSION,
  type Repository,
  RunWriter,
  type RunWriterOptions,
  whoAmI,
} from '../repository/index.ts'
import {
  checkSnapshot,
  commitSnapshot,
  type ListedSnapshot,
  listSnapshots,
  machineOffsetMinutes,
  type SnapshotDraft,
} from '../snapshot/index.ts'
import { threadCount } from '../threads/index.ts'
import { costsOneFile } from './failure.ts'
import { readGitState } from './git-state.ts'
import { isLookedUp, noteLookedUp } from './looked-up.ts'
import type { BackupOptions, BackupResult } from './options.ts'
import { createScanPool } from './scan-pool.ts'
import type { OwnPlace, ScanRules } from './scan-task.ts'
import { Scanner } from './scanner.ts'
import { SourceRun } from './source-run.ts'
import { absolutePath, arrangeSources } from './sources.ts'
import { Tally } from './tally.ts'

const NOBODY = '0'.repeat(32) as SessionId
/** What a snapshot keeps that is known only at its end; for a look at the rest. */
const nothingYet = {
  parent: null,
  session: NOBODY,
  tree: chunkId(new Uint8Array(ID_BYTES)),
  incomplete: false,
  git: null,
}

/** What a run compares with. */
interface ParentTree {
  readonly tree: ChunkId
  /** Every chunk of it has a good copy. */
  readonly isStored: boolean
}

/** What a run builds, between the session's begin and its commit. */
interface BuiltTree {
  readonly tree: ChunkId
  /** Nothing has changed since the parent. */
  readonly isUnchanged: boolean
}

/**
 * Back up files and folders as one snapshot.
 *
 * A file that cannot be read costs that file, and shows in the summary's errors; the run goes on. Durable when
 * the promise resolves: the snapshot is there whole, or not at all.
 *
 * @param paths relative ones start at the working directory
 * @throws HoldfastError FAILED when none of the paths is there; INTERRUPTED; what the repository throws
 */
export async function backup(
  repository: Repository,
  paths: readonly RawName[],
  options: BackupOptions = {},
): Promise<BackupResult> {
  const workingDirectory = options.workingDirectory ?? process.cwd()
  const absolute = paths.map((path) => absolutePath(path, workingDirectory))
  checkSources(absolute)
  const ownPlaces = placesOf([...placesOfRepository(repository), ...(options.ownPlaces ?? [])])
  return await runBackup(repository, absolute, options, async (writer, tally, parent) => {
    const { signal, onItem } = options
    const rules = scanRules(absolute, options, ownPlaces, parent)
    const pool = createScanPool({ repository, writer, rules, signal, onItem }, threadCountOf(options))
    try {
      const scanner = new Scanner({ rules, store: writer, files: undefined, segmentBytes: 0, onItem })
      const run = new SourceRun({ repository, writer, pool, scanner, tally, signal })
      const root = await run.run(arrangeSources(absolute), parent?.tree)
      await pool.finish()
      return root
    } finally {
      await pool.close()
    }
  })
}

function scanRules(
  sources: readonly RawName[],
  options: BackupOptions,
  ownPlaces: readonly OwnPlace[],
  parent: ParentTree | undefined,
): ScanRules {
  return {
    excludes: options.excludes ?? {},
    sources,
    ownPlaces,
    oneFileSystem: options.oneFileSystem ?? false,
    withAtime: options.withAtime ?? false,
    ignoreInode: options.ignoreInode ?? false,
    ignoreCtime: options.ignoreCtime ?? false,
    isParentStored: parent?.isStored ?? false,
    wantsItems: options.onItem !== undefined,
  }
}

/**
 * What every kind of backup shares: the parent, the session, the summary, the snapshot.
 *
 * @param build stores the tree
 */
export async function runBackup(
  repository: Repository,
  paths: readonly RawName[],
  options: BackupOptions,
  build: (writer: RunWriter, tally: Tally, parent: ParentTree | undefined) => Promise<BuiltTree>,
): Promise<BackupResult> {
  const startedMs = Date.now()
  // The clock of the machine may be set meanwhile, also back.
  const began = performance.now()
  const elapsedMs = (): number => Math.round(performance.now() - began)
  const timeMs = options.timeMs ?? startedMs
  let parent: ListedSnapshot | undefined
  let tally = new Tally(options, undefined)
  let isSkipped = false
  let built: { readonly tree: ChunkId; readonly losses: number } | undefined

  const { host, user } = whoAmI()
  const about = {
    timeMs,
    offsetMinutes: machineOffsetMinutes(timeMs),
    host: options.host ?? host,
    user,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    paths,
    tags: (options.tags ?? []).map(wellFormed),
    description: wellFormed(options.description ?? ''),
    excludes: [...(options.excludes?.patterns ?? []), ...(options.excludes?.insensitivePatterns ?? [])],
    programVersion: PROGRAM_VERSION,
    original: null,
  }
  // Before hours of reading, not after them.
  checkSnapshot({ ...about, ...nothingYet, summary: tally.summary(0) })

  const draft = async (writer: RunWriter): Promise<SnapshotDraft> => {
    parent = await findParent(repository, paths, options)
    tally = new Tally(options, parent?.summary)
    tally.writer = writer
    const { losses } = repository.index
    const parentTree = parent && { tree: parent.tree, isStored: isLookedUp(repository.index, parent.tree) }
    const { tree, isUnchanged } = await build(writer, tally, parentTree)
    built = { tree, losses }
    if (options.skipIfUnchanged && parent !== undefined && isUnchanged) {
      isSkipped = true
      return undefined
    }
    await writer.finish()
    const path = paths.length === 1 ? paths[0]! : undefined
    return {
      ...about,
      parent: parent?.id ?? null,
      tree,
      summary: tally.summary(elapsedMs()),
      incomplete: tally.isIncomplete,
      git: typeof path === 'string' ? readGitState(path) : null,
    }
  }

  const writerOptions: RunWriterOptions =
    options.compressionLevel === undefined ? {} : { compressionLevel: options.compressionLevel }
  let snapshotId: FileId | undefined
  if (options.isDryRun) await rehearse(repository, writerOptions, options, draft)
  else {
    const session = { ...writerOptions, operation: 'backup', nowMs: startedMs, signal: options.signal }
    snapshotId = await commitSnapshot(repository, session, draft)
    if (built !== undefined) noteLookedUp(repository.index, built.tree, built.losses)
  }
  const durationMs = elapsedMs()
  return {
    snapshotId: isSkipped ? undefined : snapshotId,
    parent: parent?.id,
    summary: tally.summary(durationMs),
    isIncomplete: tally.isIncomplete || tally.errorCount > 0,
    ownPlacesLeftOut: tally.ownPlacesLeftOut,
    startedMs,
    endedMs: startedMs + durationMs,
  }
}

/** Text as UTF-8 can have it: half a surrogate pair becomes the replacement character. */
function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}

/** A dry run: everything but storing. No session, since nothing is written. */
async function rehearse(
  repository: Repository,
  writerOptions: RunWriterOptions,
  options: BackupOptions,
  draft: (writer: RunWriter) => Promise<SnapshotDraft>,
): Promise<void> {
  await repository.loadIndex({ tolerateDamage: true, signal: options.signal })
  await draft(new RunWriter(repository, NOBODY, { ...writerOptions, isDryRun: true }))
}

/** The snapshot to compare with: the one asked for, or the latest confirmed one of the same host and paths. */
async function findParent(
  repository: Repository,
  paths: readonly RawName[],
  options: BackupOptions,
): Promise<ListedSnapshot | undefined> {
  if (options.parent === null) return undefined
  const { snapshots } = await listSnapshots(repository, options.signal)
  if (options.parent !== undefined) {
    const found = snapshots.find((one) => one.id === options.parent)
    if (found === undefined) throw new HoldfastError('NO_SNAPSHOT', `there is no snapshot ${options.parent}`)
    return found
  }
  const host = options.host ?? whoAmI().host
  return snapshots.findLast((one) => one.isConfirmed && one.host === host && samePaths(one.paths, paths))
}

function samePaths(left: readonly RawName[], right: readonly RawName[]): boolean {
  if (left.length !== right.length) return false
  const sorted = [...right].sort(compareNames)
  return [...left].sort(compareNames).every((path, index) => compareNames(path, sorted[index]!) === 0)
}

function checkSources(paths: readonly RawName[]): void {
  const isThere = (path: RawName): boolean => {
    try {
      readStatus(path)
      return true
    } catch (error) {
      if (!costsOneFile(error)) throw error
      return false
    }
  }
  if (paths.length === 0) throw new HoldfastError('USAGE', 'there is nothing to back up: no path was given')
  if (!paths.some(isThere)) {
    throw new HoldfastError('FAILED', 'none of the paths to back up is there', {
      hint: 'check the paths; nothing was stored',
    })
  }
}

/** The repository's own directory and this client's cache: a backup into them would feed on itself. */
function placesOfRepository(repository: Repository): string[] {
  const { backend, indexDirectory } = repository
  const cache = indexDirectory === undefined ? [] : [dirname(indexDirectory)]
  return isAbsolute(backend.location) ? [backend.location, ...cache] : cache
}

/** Those that exist. */
function placesOf(places: readonly string[]): OwnPlace[] {
  const found: OwnPlace[] = []
  for (const place of places) {
    try {
      // The repository may be named by a symbolic link: what it leads to is meant.
      const { device, inode } = readStatus(nameFromBytes(realpathSync(place, { encoding: 'buffer' })))
      found.push({ device, inode })
    } catch (error) {
      if (!costsOneFile(error)) throw error
    }
  }
  return found
}

function threadCountOf(options: BackupOptions): number {
  return options.threads ?? threadCount()
}
