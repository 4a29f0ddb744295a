import type { ChunkId, RawName } from '../encoding/index.ts'
import { checkAborted, HoldfastError } from '../errors/index.ts'
import type { ChunkPlace, Repository } from '../repository/index.ts'
import { fromPlainError } from '../threads/index.ts'
import type { ContentRef, FileNode } from '../tree/index.ts'
import type { BatchAnswer } from './batch.ts'
import { type Batch, BatchCutter } from './batch-plan.ts'
import type { BatchRunner } from './batch-runner.ts'
import {
  type BatchFile,
  type PreparedBatch,
  type PrepareParts,
  pieceOf,
  placesOf,
  prepareBatch,
} from './batch-task.ts'
import { BlockPlan } from './block-plan.ts'
import { type ChunkFinder, contentRuns, inlineIds } from './chunk-finder.ts'
import type { Entry, PendingFile } from './entry.ts'
import { linkKey } from './hard-links.ts'
import type { NodeWriter } from './node-writer.ts'
import type { RestoreLimits, RestoreOptions } from './options.ts'
import { readElsewhere } from './read-plan.ts'
import type { Tally } from './tally.ts'
import type { TargetDirectory } from './target-directory.ts'

export interface WindowParts {
  readonly repository: Repository
  readonly options: RestoreOptions
  readonly limits: RestoreLimits
  readonly finder: ChunkFinder
  readonly writer: NodeWriter
  readonly runner: BatchRunner
  readonly tally: Tally
  /** A file of this folder is done, or given up. */
  readonly release: (directory: TargetDirectory) => void
  /** Report what costs one file; throws what ends the run. */
  readonly fail: (path: RawName, error: unknown) => void
}

const ID_BYTES = 32

/** Files of one stretch of the walk, and the chunks that they need. A file may reach over many windows. */
export class FileWindow {
  private readonly parts: WindowParts
  private plan = new BlockPlan<PendingFile>()
  /** Files with several names that are under way. */
  private readonly firstNames = new Map<string, PendingFile>()
  private readonly cutter: BatchCutter
  private readonly prepareParts: PrepareParts
  private dispatching: Promise<void> | undefined
  private readonly underWay = new Set<Promise<void>>()
  private failure: { readonly error: unknown } | undefined

  constructor(parts: WindowParts) {
    this.parts = parts
    this.cutter = new BatchCutter(parts.limits.batchFolders)
    const { writer, options } = parts
    this.prepareParts = {
      isSimple: (file) => options.verify !== true && file.found?.type !== 'directory',
      ownerOf: (file) => writer.ownerOf(file.node),
      begin: (file) => {
        try {
          writer.begin(file)
          return true
        } catch (error) {
          this.failFile(file, error)
          return false
        }
      },
      fail: (file, error) => this.failFile(file, error),
    }
  }

  get isEmpty(): boolean {
    return this.plan.pieceCount === 0
  }

  get isFull(): boolean {
    const { windowPieces, windowBytes } = this.parts.limits
    return this.plan.pieceCount >= windowPieces || this.plan.bytes >= windowBytes
  }

  /** Whether a name of the same file is under way. */
  hasFirstName(key: string): boolean {
    return this.firstNames.has(key)
  }

  /**
   * Plan a file. It is restored when the window is read, or at once when it is empty; it ends done or failed, and is
   * released in its folder then. Reads the window when it fills up on the way.
   */
  async add(entry: Entry<FileNode>): Promise<void> {
    const { tally, writer, options } = this.parts
    const file = writer.beginFile(entry)
    tally.begin(file.sizeBytes)
    if (options.isDryRun) {
      tally.addBytes(file.sizeBytes)
      writer.rememberName(file)
      tally.finish(file.path, actionFor(file), file.sizeBytes)
      this.parts.release(file.directory)
      return
    }
    const key = linkKey(file.node)
    if (key !== undefined) this.firstNames.set(key, file)
    try {
      const plannedBytes = await this.planContent(file, entry.node.content)
      if (plannedBytes !== file.sizeBytes) {
        throw new HoldfastError('DAMAGED', `its chunks have ${plannedBytes} bytes, not ${file.sizeBytes}`)
      }
      file.isPlanned = true
    } catch (error) {
      this.failFile(file, error)
      return
    }
    if (file.state === 'pending' && file.missingBytes === 0) await this.finishFile(file)
  }

  /**
   * `add` at once, for a file whose chunk list is in its node and known.
   *
   * @returns false when it takes more than that: nothing was done then
   */
  addNow(entry: Entry<FileNode>): boolean {
    const { finder, options, tally, writer } = this.parts
    const ids = inlineIds(entry.node.content)
    if (options.isDryRun || ids === undefined || ids.length === 0) return false
    if (linkKey(entry.node) !== undefined) return false
    const places: ChunkPlace[] = []
    let bytes = 0
    for (const id of ids) {
      const place = finder.findNow(id)
      if (place === undefined) return false
      places.push(place)
      bytes += place.lengthBytes
    }
    if (BigInt(bytes) !== entry.node.sizeBytes) return false
    const file = writer.beginFile(entry)
    tally.begin(file.sizeBytes)
    let offset = 0
    places.forEach((place, at) => {
      this.plan.add(ids[at]!, place, file, offset)
      offset += place.lengthBytes
    })
    file.isPlanned = true
    return true
  }

  /** Plan all chunks of a file, beginning to read windows that fill up. @returns bytes planned */
  private async planContent(file: PendingFile, content: ContentRef): Promise<number> {
    const ids = inlineIds(content)
    if (ids !== undefined) return await this.planChunks(file, ids, 0)
    let offset = 0
    for await (const run of contentRuns(this.parts.repository, content)) {
      offset = await this.planChunks(file, run, offset)
      if (file.state === 'failed' || offset > file.sizeBytes) break
      if (this.isFull) await this.start()
    }
    // A file given up meanwhile has been reported.
    return file.state === 'failed' ? file.sizeBytes : offset
  }

  private async planChunks(file: PendingFile, ids: readonly ChunkId[], from: number): Promise<number> {
    const { finder } = this.parts
    let offset = from
    for (const id of ids) {
      const place = finder.findNow(id) ?? (await finder.findAgain(id))
      this.plan.add(id, place, file, offset)
      offset += place.lengthBytes
    }
    return offset
  }

  /**
   * Begin to read and write what is planned by now, once all that was planned before is with the threads. With
   * nothing planned, wait for all that is under way. Throws what ends the run.
   */
  async start(): Promise<void> {
    const plan = this.plan
    if (plan.pieceCount === 0) return await this.settled()
    await this.dispatching
    this.throwFailure()
    this.plan = new BlockPlan()
    this.parts.finder.allowReload()
    this.parts.runner.expect(plan.bytes, plan.pieceCount)
    this.dispatching = this.dispatch(this.cutter.cut(plan))
  }

  /** Nothing is under way when it resolves. Throws what ends the run. */
  async settled(): Promise<void> {
    await this.dispatching
    await Promise.all(this.underWay)
    this.dispatching = undefined
    this.throwFailure()
  }

  /** Whether anything may still be under way. */
  get isRunning(): boolean {
    return this.dispatching !== undefined
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.error
  }

  /**
   * Resolves when every batch is prepared: its files have been looked at. Never rejects. The list is emptied on the
   * way, so that one window is let go while the next is planned.
   */
  private async dispatch(batches: Batch[]): Promise<void> {
    const unprepared = new Set<Promise<void>>()
    while (batches.length > 0) {
      while (this.underWay.size >= this.parts.runner.atOnce) await Promise.race(this.underWay)
      if (this.failure !== undefined) break
      const batch = batches.shift()!
      const prepared: Promise<void> = new Promise((resolve) => {
        const done: Promise<void> = this.readBatch(batch, resolve)
          .catch((error: unknown) => {
            this.failure ??= { error }
          })
          .finally(() => {
            resolve()
            unprepared.delete(prepared)
            this.underWay.delete(done)
          })
        this.underWay.add(done)
      })
      unprepared.add(prepared)
    }
    await Promise.all(unprepared)
  }

  private async readBatch(batch: Batch, onPrepared: () => void): Promise<void> {
    const { repository, options, runner } = this.parts
    const places = placesOf(batch)
    const isLocal = repository.localFolder !== undefined
    const blocks = isLocal ? { places } : await repository.fetchBlocks(places, options.signal)
    checkAborted(options.signal)
    const prepared = prepareBatch(batch, this.prepareParts)
    onPrepared()
    let answer: BatchAnswer
    try {
      if (prepared.files.length === 0) return
      answer = await runner.run({ ...prepared.task, blocks })
    } finally {
      for (const directory of prepared.directories) directory.held!.unpin()
    }
    await this.takeAnswer(prepared, answer)
  }

  /** What comes back for a batch: failures first, then what has to be read from elsewhere, then what is whole. */
  private async takeAnswer(prepared: PreparedBatch, answer: BatchAnswer): Promise<void> {
    const { tally, options } = this.parts
    const { files } = prepared
    for (const { file, error } of answer.failures) this.failFile(files[file]!.file, fromPlainError(error))
    for (const { file, message } of answer.warnings) tally.warn(files[file]!.file.path, message)
    const missing = answer.unsound.length === 0 ? undefined : this.missingPieces(prepared, answer.unsound)
    for (const one of files) {
      const { file, isWhole, bytes } = one
      if (file.state !== 'pending') continue
      const pieces = missing?.get(one) ?? []
      const lost = pieces.reduce((sum, piece) => sum + pieceOf(prepared, piece).length, 0)
      file.missingBytes -= bytes - lost
      tally.addBytes(bytes - lost)
      if (!isWhole) tally.progress(file.path)
      for (const piece of pieces) await this.recover(prepared, piece)
      if (file.state !== 'pending' || file.missingBytes > 0 || !file.isPlanned) continue
      if (isWhole && pieces.length === 0) this.tellDone(file)
      else await this.finishFile(file)
      checkAborted(options.signal)
    }
  }

  /** Of each file that lacks any: pieces that were not written. A whole file that lacks one was not begun. */
  private missingPieces(prepared: PreparedBatch, unsound: readonly number[]): Map<BatchFile, number[]> {
    const missing = new Map<BatchFile, number[]>()
    const isMissing = new Set(unsound)
    for (const piece of unsound) missing.set(pieceOf(prepared, piece).file, [])
    for (let piece = 0; piece < prepared.task.ids.length / ID_BYTES; piece++) {
      const { file } = pieceOf(prepared, piece)
      if (isMissing.has(piece) || file.isWhole) missing.get(file)?.push(piece)
    }
    return missing
  }

  private async recover(prepared: PreparedBatch, piece: number): Promise<void> {
    const { repository, options, writer, tally } = this.parts
    const { file: owner, id, length, destination } = pieceOf(prepared, piece)
    const { file } = owner
    if (file.state !== 'pending') return
    try {
      const bytes = await readElsewhere(repository, id, length, options.signal)
      writer.write(file, destination, bytes)
    } catch (error) {
      checkAborted(options.signal)
      this.failFile(file, error)
      return
    }
    file.missingBytes -= length
    tally.addBytes(length)
  }

  /** All bytes of the file are there: check them again where that is asked for, and give it its name. */
  private async finishFile(file: PendingFile): Promise<void> {
    file.state = 'finishing'
    try {
      if (this.parts.options.verify) await this.parts.writer.verify(file)
    } catch (error) {
      this.failFile(file, error)
      return
    }
    this.publish(file)
  }

  private publish(file: PendingFile): void {
    try {
      this.parts.writer.publish(file)
    } catch (error) {
      this.failFile(file, error)
      return
    }
    this.tellDone(file)
  }

  /** It is whole and has its name. */
  private tellDone(file: PendingFile): void {
    file.state = 'done'
    this.parts.writer.rememberName(file)
    this.forgetFirstName(file)
    this.parts.tally.finish(file.path, actionFor(file), file.sizeBytes)
    this.parts.release(file.directory)
  }

  private failFile(file: PendingFile, error: unknown): void {
    if (file.state === 'done' || file.state === 'failed') return
    file.state = 'failed'
    this.forgetFirstName(file)
    this.parts.tally.addBytes(file.missingBytes - file.sizeBytes)
    this.parts.writer.discard(file)
    this.parts.fail(file.path, error)
    this.parts.release(file.directory)
  }

  private forgetFirstName(file: PendingFile): void {
    const key = linkKey(file.node)
    if (key !== undefined && this.firstNames.get(key) === file) this.firstNames.delete(key)
  }
}

function actionFor({ found }: Entry): 'restored' | 'updated' {
  return found === undefined ? 'restored' : 'updated'
}
