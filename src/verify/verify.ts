import type { FileId } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { listFiles, listSessions, type Repository } from '../repository/index.ts'
import { type ListedSnapshot, listSnapshots } from '../snapshot/index.ts'
import { startBlockCheckers } from './block-checkers.ts'
import type { Damage } from './damage.ts'
import { type Listing, listRepository } from './listing.ts'
import type { VerifyOptions, VerifyProgress, VerifyReport } from './options.ts'
import { checkIndexAndPacks, comparePacks, type Verification } from './packs.ts'
import { findTouchedPaths } from './paths.ts'
import { INDEX, ReportBuilder } from './report.ts'
import { checkSmallFiles, type PendingFile } from './small-files.ts'
import { checkSubset, chooseSubset } from './subset.ts'
import { type TreeFindings, walkTrees } from './trees.ts'

/** Walks over the trees, at the most, while the index brings news and something is still lost. */
const MAXIMUM_WALKS = 4

/**
 * Check a repository: every small file opens and is what its name says, packs are there as the index has them,
 * trees can be read, every chunk that snapshots need has a copy. Packs that give reason to doubt are read whole,
 * all or a part of them when `readData` is set. Changes nothing in the repository; in the client index, packs
 * found damaged are marked as lost, and marks of packs that are sound go.
 *
 * Safe beside any writers. Memory: bits for chunks, a row for each pack, and what is reported.
 *
 * @throws HoldfastError INTERRUPTED, NO_SNAPSHOT for a chosen one that is not there, USAGE for a bad subset
 */
export async function verify(repository: Repository, options: VerifyOptions = {}): Promise<VerifyReport> {
  if (options.subset !== undefined) checkSubset(options.subset)
  const { signal } = options
  const report = new ReportBuilder(options.onProblem)
  const listing = await listRepository(repository, report, signal)
  const onFile = progressOf(options, 'files', listing.small.length)
  const small = await checkSmallFiles(repository, withoutIndex(listing), report, onFile, signal)
  const all = await listSnapshots(repository, signal)
  const snapshots = chooseSnapshots(all.snapshots, small.damagedSnapshots, options.snapshots)
  // Loaded after everything above was listed: it knows each chunk those snapshots need.
  await repository.loadIndex({ tolerateDamage: true, signal })

  const damage: Damage = { stored: listing.packs, packs: new Map(), read: new Set() }
  const wanted = options.readData ? choosePacks(listing, options) : new Set<FileId>()
  let bytesRead = 0
  const wantedBytes = [...wanted].reduce((sum, id) => sum + listing.packs.get(id)!.sizeBytes, 0)
  const onBytes = (bytes: number) => {
    bytesRead += bytes
    options.onProgress?.({ phase: 'packs', done: bytesRead, total: Math.max(wantedBytes, bytesRead) })
  }
  const checkers = startBlockCheckers(repository, options.threads, wantedBytes, signal)
  const verification: Verification = {
    repository,
    report,
    damage,
    onBytes,
    checkBlocks: checkers?.run,
    signal,
  }
  const packs = listing.packs.size
  const packBytes = [...listing.packs.values()].reduce((sum, pack) => sum + pack.sizeBytes, 0)

  const findings = await findLosses(verification, snapshots, wanted, onFile, options).finally(() =>
    checkers?.close(),
  )
  if (findings.spareChunks > 0) {
    const message = `${findings.spareChunks} chunks have no good copy, only one that can still be read`
    report.note('no-good-copy', `${message}; the next holdfast backup or prune makes one`)
  }
  for (const file of findings.lostFiles) if (report.has(file)) report.markNeeded(file)
  if (!isLossless(findings)) await reportPaths(verification, snapshots, options)
  checkPending(verification, small.pending)
  const hasUnlisted = (await noteUnlisted(verification)) > 0

  const isWalkWhole =
    options.snapshots === undefined && small.damagedSnapshots.length === 0 && findings.lostTrees === 0
  return {
    ...report.finish({
      isWalkWhole,
      hasUnlisted,
      isCondemned: (pack) => repository.index.isCondemned(pack),
    }),
    counts: {
      smallFiles: listing.small.length,
      packs,
      packBytes,
      packsRead: damage.read.size,
      bytesRead,
      snapshots: snapshots.length,
      treeChunks: findings.treeChunks,
      dataChunks: findings.dataChunks,
    },
  }
}

/** Check packs and walk trees until nothing is lost, or what is lost is lost by an index that has no news. */
async function findLosses(
  verification: Verification,
  snapshots: readonly ListedSnapshot[],
  chosen: ReadonlySet<FileId>,
  onIndexFile: () => void,
  options: VerifyOptions,
): Promise<TreeFindings> {
  const { repository } = verification
  let wanted = new Set(chosen)
  let mayRebuild = repository.indexDirectory !== undefined
  for (let walk = 1; ; walk++) {
    for (const pack of await comparePacks(verification)) wanted.add(pack)
    const onSnapshot = progressOf(options, 'snapshots', snapshots.length)
    const isBeside = walk === 1 && verification.checkBlocks !== undefined
    let findings: TreeFindings | undefined
    if (isBeside) findings = await checkBesideWalk(verification, snapshots, wanted, onIndexFile)
    else if (walk === 1 || wanted.size > 0) await checkIndexAndPacks(verification, wanted, onIndexFile)
    if (findings === undefined) findings = await walkTrees(verification, snapshots, onSnapshot)
    else for (const _ of snapshots) onSnapshot()
    wanted = new Set(findings.doubted)
    if (wanted.size > 0) await checkIndexAndPacks(verification, wanted, () => {})
    wanted.clear()
    if (findings.isValid && isLossless(findings)) return findings
    if (findings.unknownChunks > 0 && mayRebuild) {
      // A rotten page of the local index looks the same as a chunk that no index file lists.
      mayRebuild = false
      await repository.index.reset()
      await repository.loadIndex({ tolerateDamage: true, signal: options.signal })
    } else {
      const hasNews = await repository.loadIndex({ tolerateDamage: true, signal: options.signal })
      if (findings.isValid && (!hasNews || walk >= MAXIMUM_WALKS)) return findings
    }
    if (walk > MAXIMUM_WALKS) {
      throw new HoldfastError('FAILED', 'the local index was rebuilt while this verify ran', {
        hint: 'run holdfast verify again',
      })
    }
  }
}

/**
 * Walk the trees in this thread while others check the packs.
 *
 * @returns undefined when either found anything at all: what a walk says is exact only after the packs were read,
 *   so it has to be done again
 */
async function checkBesideWalk(
  verification: Verification,
  snapshots: readonly ListedSnapshot[],
  wanted: ReadonlySet<FileId>,
  onIndexFile: () => void,
): Promise<TreeFindings | undefined> {
  const { report, damage } = verification
  const countProblems = (): number => report.files().length + damage.packs.size
  const problemsBefore = countProblems()
  const walkReport = new ReportBuilder()
  const [checked, walked] = await Promise.allSettled([
    checkIndexAndPacks(verification, wanted, onIndexFile),
    walkTrees({ ...verification, report: walkReport }, snapshots, () => {}),
  ])
  if (checked.status === 'rejected') throw checked.reason
  if (walked.status === 'rejected') throw walked.reason
  const findings = walked.value
  const hasFoundNothing = countProblems() === problemsBefore && walkReport.isEmpty
  const isClean = findings.isValid && isLossless(findings) && findings.spareChunks === 0
  return hasFoundNothing && isClean ? findings : undefined
}

function isLossless({ lostFiles, lostTrees, unknownChunks }: TreeFindings): boolean {
  return lostFiles.size + lostTrees + unknownChunks === 0
}

function withoutIndex(listing: Listing): Listing['small'] {
  return listing.small.filter(({ stored }) => stored.what !== 'file' || stored.kind !== 'index')
}

function chooseSnapshots(
  snapshots: readonly ListedSnapshot[],
  damaged: readonly FileId[],
  chosen: readonly FileId[] | undefined,
): readonly ListedSnapshot[] {
  if (chosen === undefined) return snapshots
  const missing = chosen.find((id) => !damaged.includes(id) && !snapshots.some((one) => one.id === id))
  if (missing === undefined) return snapshots.filter((one) => chosen.includes(one.id))
  throw new HoldfastError('NO_SNAPSHOT', `there is no snapshot ${missing}`, {
    hint: 'holdfast snapshots lists what is there',
  })
}

function choosePacks(listing: Listing, options: VerifyOptions): Set<FileId> {
  if (options.subset === undefined) return new Set(listing.packs.keys())
  return chooseSubset(listing.packs.values(), options.subset, options.random)
}

/** A pack that is to go is condemned for ever; where the index does not say so, an index file was lost. */
function checkPending({ repository, report }: Verification, pending: readonly PendingFile[]): void {
  if (isIndexDamaged(report)) return
  for (const { file, packs } of pending) {
    const count = packs.filter((pack) => !repository.index.isCondemned(pack)).length
    if (count === 0) continue
    report.add(INDEX, 'missing', `${file} names ${count} packs that are to go, and no index file says so`)
  }
}

function isIndexDamaged(report: ReportBuilder): boolean {
  return report.files().some((file) => file === INDEX || file.startsWith(`${INDEX}/`))
}

/** @returns how many packs no index file lists */
async function noteUnlisted({ repository, report, damage }: Verification): Promise<number> {
  const { index } = repository
  const unlisted = [...damage.stored.keys()].filter(
    (id) => index.pack(id) === undefined && !index.isCondemned(id),
  )
  if (unlisted.length === 0) return 0
  const { alive } = await listSessions(repository.backend)
  const next = isIndexDamaged(report)
    ? 'holdfast repair index lists them'
    : alive.size > 0
      ? 'a command at work may list them soon'
      : 'holdfast prune removes what nothing needs'
  report.note('unlisted-pack', `${unlisted.length} packs are in no index file; ${next}`)
  return unlisted.length
}

async function reportPaths(
  verification: Verification,
  snapshots: readonly ListedSnapshot[],
  options: VerifyOptions,
): Promise<void> {
  const { repository, report } = verification
  const onSnapshot = progressOf(options, 'paths', snapshots.length)
  const { blamed, incomplete } = await findTouchedPaths(verification, snapshots, onSnapshot)
  const present = new Set<FileId>()
  for await (const { id } of listFiles(repository.backend, 'snapshot', options.signal)) present.add(id)
  // A snapshot that was forgotten meanwhile may lack whatever a prune has removed since.
  for (const { id } of snapshots) if (!present.has(id)) report.dropSnapshot(id)
  for (const file of blamed) if (report.touchesNothing(file)) report.drop(file)
  for (const { id } of incomplete) {
    if (!present.has(id)) continue
    report.note(
      'incomplete-snapshot',
      `snapshot ${id.slice(0, 8)} is incomplete: its session was given up on`,
    )
  }
}

function progressOf(options: VerifyOptions, phase: VerifyProgress['phase'], total: number): () => void {
  let done = 0
  return () => options.onProgress?.({ phase, done: ++done, total })
}
