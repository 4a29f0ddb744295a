import type { FileId } from '../encoding/index.ts'
import { checkAborted, HoldfastError, isLossOfData } from '../errors/index.ts'
import { isListed, type Repository, type RunWriter } from '../repository/index.ts'
import { commitSnapshot, type ListedSnapshot, listSnapshots, type SnapshotDraft } from '../snapshot/index.ts'
import type { CopiedSnapshot, CopyOptions, CopyProgress } from './options.ts'
import { Copies, LatestPairs } from './pairs.ts'
import { TreeCopier } from './tree-copier.ts'

/**
 * Copy snapshots into another repository, oldest first, each under a session of its own. One that is there already is not
 * copied again, so that a copy that was interrupted goes on when it is given anew; of the snapshot that it was at, what is
 * stored is not stored again. Times, hosts, paths, tags and descriptions stay; `original` of a copy is the id of the snapshot
 * it was made of. One snapshot that cannot be read keeps none of the others.
 *
 * @param source loaded here; damage to its index is tolerated
 * @throws HoldfastError USAGE for one repository under two names; INTERRUPTED; what the target throws
 */
export async function copySnapshots(
  source: Repository,
  target: Repository,
  options: CopyOptions = {},
): Promise<CopiedSnapshot[]> {
  target.checkWritable()
  if (Buffer.compare(source.id, target.id) === 0) {
    throw new HoldfastError('USAGE', 'both places are the same repository', {
      hint: 'name another place to copy to',
    })
  }
  const { signal } = options
  await source.loadIndex({ tolerateDamage: true, signal })
  const { snapshots } = await listSnapshots(source, signal)
  const wanted = new Set(options.snapshots ?? snapshots.map(({ id }) => id))
  const run = new CopyRun(source, target, options, snapshots.filter(({ id }) => wanted.has(id)).length)
  for (const snapshot of (await listSnapshots(target, signal)).snapshots)
    if (snapshot.isConfirmed) run.there.add(snapshot)
  const results: CopiedSnapshot[] = []
  for (const snapshot of snapshots) {
    checkAborted(signal)
    if (!wanted.has(snapshot.id)) run.pass(snapshot)
    else {
      const result = await run.copy(snapshot)
      results.push(result)
      options.onSnapshot?.(result)
    }
  }
  return results
}

/** Goes through the snapshots of the source, oldest first. */
class CopyRun {
  /** Whole snapshots of the target. */
  readonly there = new Copies()
  private readonly source: Repository
  private readonly target: Repository
  private readonly options: CopyOptions
  private readonly progress: { -readonly [Field in keyof CopyProgress]: CopyProgress[Field] }
  private readonly pairs = new LatestPairs()
  /** Losses of the target's index before the chunks of a copy of this run were looked up, by the copy. */
  private readonly losses = new Map<FileId, number>()

  constructor(source: Repository, target: Repository, options: CopyOptions, totalSnapshots: number) {
    this.source = source
    this.target = target
    this.options = options
    this.progress = { snapshotsDone: 0, totalSnapshots, nodes: 0, bytes: 0 }
  }

  /** Go by a snapshot that is not wanted: its copy, if there is one, may share trees with those to come. */
  pass(original: ListedSnapshot): void {
    const copy = this.there.find(original)
    if (copy !== undefined) this.pairs.add({ original, copy })
  }

  async copy(snapshot: ListedSnapshot): Promise<CopiedSnapshot> {
    const result = await this.copyUnlessThere(snapshot)
    this.pass(snapshot)
    this.progress.snapshotsDone++
    this.options.onProgress?.(this.progress)
    return result
  }

  private async copyUnlessThere(snapshot: ListedSnapshot): Promise<CopiedSnapshot> {
    const { id } = snapshot
    const result = { id, copy: undefined, problem: undefined }
    const present = this.there.find(snapshot)
    if (present !== undefined) return { ...result, outcome: 'present', copy: present.id }
    if (!snapshot.isConfirmed) return { ...result, outcome: 'unconfirmed' }
    if (this.options.isDryRun) return { ...result, outcome: 'copied' }
    const { nowMs = Date.now(), compressionLevel, signal } = this.options
    const level = compressionLevel === undefined ? {} : { compressionLevel }
    let draft: SnapshotDraft
    let problem: string | undefined
    let losses = 0
    const copy = await commitSnapshot(
      this.target,
      { operation: 'copy', nowMs, signal, ...level },
      async (writer) => {
        losses = this.target.index.losses
        try {
          draft = await this.draft(writer, snapshot)
          return draft
        } catch (error) {
          checkAborted(signal)
          if (!isLossOfData(error)) throw error
          // What reads the target takes its damage for what is not there, so that this is the source's.
          problem = error instanceof Error ? error.message : String(error)
          return undefined
        }
      },
    )
    if (copy === undefined) {
      const isGone = !(await isListed(this.source, 'snapshot', id))
      return isGone ? { ...result, outcome: 'gone' } : { ...result, outcome: 'damaged', problem }
    }
    this.there.add({ id: copy, ...draft! })
    this.losses.set(copy, losses)
    return { ...result, outcome: 'copied', copy }
  }

  private async draft(writer: RunWriter, snapshot: ListedSnapshot): Promise<SnapshotDraft> {
    const { source, target, options } = this
    const earlier = this.pairs.nearest(snapshot)
    const copier = new TreeCopier({
      source,
      target,
      writer,
      isEarlierWhole: earlier !== undefined && this.losses.get(earlier.copy.id) === target.index.losses,
      onNode: (bytesRead) => {
        if (bytesRead > 0) this.progress.bytes += bytesRead
        else this.progress.nodes++
        options.onProgress?.(this.progress)
      },
      signal: options.signal,
    })
    const pair = earlier && { source: earlier.original.tree, target: earlier.copy.tree }
    const tree = await copier.copy(snapshot.tree, pair)
    copier.flush()
    const { session: _, id, isConfirmed: __, ...record } = snapshot
    return { ...record, tree, parent: earlier?.copy.id ?? null, original: id }
  }
}
