import type { FileId } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import {
  checkPack,
  createIndexFileReader,
  createRangeMemory,
  fileName,
  listFiles,
  listPacks,
  type PackFacts,
  type PackFinding,
  type Repository,
  type StoredPack,
} from '../repository/index.ts'
import type { BlockCheckers } from './block-checkers.ts'
import { type Damage, markDamage } from './damage.ts'
import type { ReportBuilder } from './report.ts'
import { checkFile } from './small-files.ts'

/** What a run of verify shares between its steps. */
export interface Verification {
  readonly repository: Repository
  readonly report: ReportBuilder
  readonly damage: Damage
  readonly onBytes: (bytes: number) => void
  /** Checks blocks in other threads; undefined where this thread does. */
  readonly checkBlocks: BlockCheckers['run'] | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Compare the packs in storage with the loaded index: packs that are missing though nobody condemned them, and
 * packs of another size.
 *
 * @returns packs there is a reason to doubt, and that were not read yet: those, and the ones that this client
 *   found lost some time before
 */
export async function comparePacks(verification: Verification): Promise<Set<FileId>> {
  const { repository, report, damage, signal } = verification
  const { index } = repository
  const missingPacks = () =>
    [...index.packs()].filter((row) => row.state !== 'condemned' && !damage.stored.has(row.id))
  if (missingPacks().some((row) => !damage.packs.has(row.id))) {
    // A pack may be younger than the listing, or older than its condemnation: only this order tells.
    for await (const pack of listPacks(repository, signal)) damage.stored.set(pack.id, pack)
    await repository.loadIndex({ tolerateDamage: true, signal })
  }
  for (const row of missingPacks()) {
    damage.packs.set(row.id, 'all')
    report.add(fileName(row.kind, row.id), 'missing', 'it is not there')
  }
  const doubted = new Set<FileId>()
  for (const row of index.packs()) {
    const stored = damage.stored.get(row.id)
    if (stored === undefined || damage.read.has(row.id)) continue
    const isOtherSize = stored.sizeBytes !== row.sizeBytes
    if (isOtherSize) {
      const detail = `it has ${stored.sizeBytes} bytes, not ${row.sizeBytes} as the index says`
      report.add(fileName(row.kind, row.id), 'damaged', detail)
    }
    if (isOtherSize || row.state === 'lost') doubted.add(row.id)
  }
  markDamage(repository, damage)
  return doubted
}

/** Packs that are read at once: while one ends, the next one is under way. */
const PACKS_AT_ONCE = 2

/**
 * Check every index file, and read the wanted packs whole, each against what an index file lists for it. Packs
 * in no index file are read last, against their own footers. What is found is told in this order, whichever pack
 * is done first. Memory: an index file and the ranges of two packs.
 */
export async function checkIndexAndPacks(
  verification: Verification,
  wanted: ReadonlySet<FileId>,
  onIndexFile: () => void,
): Promise<void> {
  const { repository, report, damage, signal } = verification
  const started = new Set<FileId>()
  const memory = createRangeMemory()
  const underWay: PackReading[] = []
  const settleDownTo = async (count: number): Promise<void> => {
    while (underWay.length > count)
      settlePack(verification, underWay[0]!.pack, await underWay.shift()!.finding)
  }
  const start = async (id: FileId, listed: PackFacts | undefined): Promise<void> => {
    const pack = damage.stored.get(id)
    if (pack === undefined || started.has(id) || damage.read.has(id)) return
    checkAborted(signal)
    await settleDownTo(PACKS_AT_ONCE - 1)
    started.add(id)
    const { onBytes, checkBlocks } = verification
    const finding = checkPack(repository, pack, listed, { onBytes, checkBlocks, memory, signal })
    // What goes wrong is told when its turn comes.
    finding.catch(() => {})
    underWay.push({ pack, finding })
  }
  try {
    const reader = createIndexFileReader(repository)
    for await (const file of listFiles(repository.backend, 'index', signal)) {
      let packs: readonly PackFacts[] = []
      // What the file before says is no longer there after the next one is read.
      await settleDownTo(0)
      await checkFile(repository, fileName('index', file.id), 'index', report, async () => {
        packs = (await reader.read(file, signal)).packs
      })
      onIndexFile()
      for (const facts of packs) if (wanted.has(facts.id)) await start(facts.id, facts)
    }
    for (const pack of wanted) await start(pack, undefined)
    await settleDownTo(0)
  } finally {
    await Promise.allSettled(underWay.map((one) => one.finding))
  }
}

interface PackReading {
  readonly pack: StoredPack
  readonly finding: Promise<PackFinding | undefined>
}

function settlePack(
  { repository, report, damage }: Verification,
  pack: StoredPack,
  finding: PackFinding | undefined,
): void {
  const { id } = pack
  if (finding === undefined) {
    damage.stored.delete(id)
    return
  }
  damage.read.add(id)
  const file = fileName(pack.kind, id)
  for (const problem of finding.problems)
    report.add(file, finding.isReadWhole ? 'damaged' : 'unreadable', problem)
  if (report.has(file)) {
    damage.packs.set(id, finding.badBlocks)
    markDamage(repository, damage)
  } else if (repository.index.pack(id)?.state === 'lost') repository.index.markFound([id])
}
