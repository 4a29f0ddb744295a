import { type ChunkId, chunkId, nameBytes } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import { readStatus } from '../filesystem/index.ts'
import type { Repository, RunWriter } from '../repository/index.ts'
import { Assembly, type FinishedTree, Folder, folderEntry, type Place, type Wanted } from './assembly.ts'
import { LargeFile } from './large-file.ts'
import { ParentFolder } from './parent-folder.ts'
import { readTree, type ScanPool } from './scan-pool.ts'
import {
  joinKeys,
  type LargeFileTask,
  type NamesTask,
  ownName,
  type ScanTask,
  type TaskAnswer,
} from './scan-task.ts'
import type { Scanner } from './scanner.ts'
import type { SourcePlace } from './sources.ts'
import type { Steps } from './steps.ts'
import type { Tally } from './tally.ts'

/** Nodes that wait for earlier ones may take so much; then only the earliest task goes on. */
const HELD_BYTES = 32 * 1024 * 1024
/** Names asked for in one task. */
const ASKED_NAMES = 256

export interface SourceRunParts {
  readonly repository: Repository
  readonly writer: RunWriter
  readonly pool: ScanPool
  /** For the folders that lead to what is asked for. */
  readonly scanner: Scanner
  readonly tally: Tally
  readonly signal: AbortSignal | undefined
}

export interface FinishedRoot {
  readonly tree: ChunkId
  /** It holds what the parent's holds, and nothing about any of it has changed. */
  readonly isUnchanged: boolean
}

/** Work for one place, in the order of the walk. */
interface Unit {
  readonly place: Place
  readonly names: NamesTask | undefined
  readonly large: LargeFile | undefined
  isTaken: boolean
  before: Unit | undefined
  after: Unit | undefined
}

/** Shares the scan of the sources out to the pool, earliest names first, and puts the folders together. */
export class SourceRun {
  private readonly parts: SourceRunParts
  private readonly assembly: Assembly
  /** Before the first unit. */
  private readonly head: Unit = {
    place: undefined as never,
    names: undefined,
    large: undefined,
    isTaken: true,
    before: undefined,
    after: undefined,
  }
  private running = 0
  private isEnded = false
  private resolve: (root: FinishedRoot) => void = () => {}
  private reject: (error: unknown) => void = () => {}
  private readonly finished: FinishedTree[] = []

  constructor(parts: SourceRunParts) {
    this.parts = parts
    this.assembly = new Assembly(parts.writer, (finished) => this.finished.push(finished))
  }

  /** Scan everything. @returns the root directory @throws what ends the run; tasks may be under way then */
  async run(root: SourcePlace, parentTree: ChunkId | undefined): Promise<FinishedRoot> {
    const done = new Promise<FinishedRoot>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    done.catch(() => {})
    const folder = new Folder(undefined, undefined, parentTree, true)
    let last = this.head
    const want = (place: Place, names: NamesTask): void => {
      last = this.insertAfter(last, place, names)
    }
    if (root.isWanted) {
      const { device } = readStatus('/')
      want(folder.addPlace(), {
        kind: 'names',
        path: '/',
        keys: undefined,
        parentTree,
        device,
        areAsked: false,
      })
    } else await this.placeSources(root, folder, want)
    this.parts.tally.add(this.parts.scanner.takeNotes())
    this.assembly.advance(folder)
    this.settle()
    this.dispatch()
    return await done
  }

  /** Folders that only lead to what is wanted: their own metadata is kept, nothing else of them. */
  private async placeSources(
    source: SourcePlace,
    folder: Folder,
    want: (place: Place, names: NamesTask) => void,
  ): Promise<void> {
    const parent = folder.parentTree && new ParentFolder(chunkId(folder.parentTree))
    let asked: string[] = []
    const wantAsked = (): void => {
      if (asked.length === 0) return
      const { parentTree } = folder
      const keys = joinKeys(asked)
      asked = []
      const names = { path: source.path, keys, parentTree, device: 0n, areAsked: true }
      want(folder.addPlace(), { kind: 'names', ...names })
    }
    for (const below of source.below) {
      checkAborted(this.parts.signal)
      const key = nameBytes(below.name!).toString('latin1')
      if (below.isWanted) {
        asked.push(key)
        if (asked.length >= ASKED_NAMES) wantAsked()
        continue
      }
      wantAsked()
      const isFound = parent !== undefined && (await this.walkSteps(parent.seek(key)))
      const own = this.parts.scanner.leadingFolder(below.path, key, isFound ? parent?.nodes : undefined)
      const place = folder.addPlace()
      if (own === undefined) {
        place.isFilled = true
        folder.isUnchanged = false
        continue
      }
      const inner = new Folder(own, place, own.parentTree, true)
      await this.placeSources(below, inner, want)
      this.assembly.advance(inner)
    }
    wantAsked()
  }

  private async walkSteps<Result>(steps: Steps<Result>): Promise<Result> {
    const { repository, signal } = this.parts
    for (let step = steps.next(); ; ) {
      if (step.done) return step.value
      step = steps.next(step.value && (await readTree(repository, step.value, signal)))
    }
  }

  private insertAfter(before: Unit, place: Place, wanted: Wanted): Unit {
    const names = wanted.kind === 'names' ? wanted : undefined
    const large = wanted.kind === 'large' ? new LargeFile(wanted) : undefined
    const unit: Unit = { place, names, large, isTaken: false, before, after: before.after }
    if (before.after !== undefined) before.after.before = unit
    before.after = unit
    return unit
  }

  private remove(unit: Unit): void {
    unit.before!.after = unit.after
    if (unit.after !== undefined) unit.after.before = unit.before
  }

  private dispatch(): void {
    const { pool } = this.parts
    let unit = this.head.after
    while (unit !== undefined && this.running < pool.depth && !this.isEnded) {
      if (this.assembly.heldBytes > HELD_BYTES && unit !== this.head.after) return
      const task = unit.isTaken ? undefined : nextTask(unit)
      if (task !== undefined) this.start(unit, task)
      else unit = unit.after
    }
  }

  private start(unit: Unit, task: ScanTask): void {
    this.running++
    this.doTask(unit, task).catch((error: unknown) => {
      this.isEnded = true
      this.reject(error)
    })
  }

  private async doTask(unit: Unit, task: ScanTask): Promise<void> {
    checkAborted(this.parts.signal)
    await this.parts.writer.drained()
    const answer = await this.parts.pool.run(task)
    this.running--
    if (this.isEnded) return
    this.take(unit, task, answer)
    this.settle()
    this.dispatch()
  }

  private take(unit: Unit, task: ScanTask, answer: TaskAnswer): void {
    if (answer.kind === 'segment') {
      if (task.kind !== 'segment') throw new Error('an answer to another question')
      unit.large!.take(task, answer)
      return
    }
    this.parts.tally.add(answer.notes)
    let last = unit
    for (const [place, wanted] of this.assembly.fill(unit.place, answer.parts)) {
      last = this.insertAfter(last, place, wanted)
    }
    this.remove(unit)
  }

  /** Folders that are whole go into those above them. A loop: folders can be nested deeper than the stack is. */
  private settle(): void {
    for (let next = this.finished.pop(); next !== undefined; next = this.finished.pop()) {
      const { tree, folder } = next
      const isReused = folder.parentTree !== undefined && Buffer.compare(tree, folder.parentTree) === 0
      if (isReused || !folder.isUnchanged || folder.parentTree === undefined) {
        this.finishFolder(folder, tree, isReused)
      } else {
        // Its pages are others: because of a racy file alone, or because something is gone.
        this.compareCount(folder, tree).catch((error: unknown) => {
          this.isEnded = true
          this.reject(error)
        })
      }
    }
  }

  private async compareCount(folder: Folder, tree: ChunkId): Promise<void> {
    const whole = await this.walkSteps(new ParentFolder(chunkId(folder.parentTree!)).finish())
    if (this.isEnded) return
    this.finishFolder(folder, tree, whole?.count === folder.count)
    this.settle()
    this.dispatch()
  }

  private finishFolder(folder: Folder, tree: ChunkId, isUnchanged: boolean): void {
    const { own, place } = folder
    if (own === undefined || place === undefined) {
      this.isEnded = true
      this.resolve({ tree, isUnchanged })
      return
    }
    const isSame = isUnchanged && own.isSame
    const action = folder.parentTree === undefined ? 'new' : isSame ? 'unchanged' : 'modified'
    this.parts.tally.countDirectory(ownName(own.path), action)
    this.assembly.fillFolder(place, folderEntry(own, tree, folder.isLeading ? isUnchanged : isSame))
  }
}

function nextTask(unit: Unit): ScanTask | undefined {
  if (unit.names !== undefined) {
    unit.isTaken = true
    return unit.names
  }
  const { large } = unit
  const segment = large?.nextTask()
  if (segment !== undefined) return segment
  const last: LargeFileTask | undefined = large?.lastTask()
  if (last !== undefined) unit.isTaken = true
  return last
}
