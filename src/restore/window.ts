import type { ChunkId, RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import type { FileNode } from '../tree/index.ts'
import { BlockPlan } from './block-plan.ts'
import { type ChunkFinder, contentRuns, inlineIds } from './chunk-finder.ts'
import type { Entry, PendingFile } from './entry.ts'
import { linkKey } from './hard-links.ts'
import type { NodeWriter } from './node-writer.ts'
import type { RestoreLimits, RestoreOptions } from './options.ts'
import { readPlan } from './read-plan.ts'
import type { Tally } from './tally.ts'
import type { TargetDirectory } from './target-directory.ts'

export interface WindowParts {
  readonly repository: Repository
  readonly options: RestoreOptions
  readonly limits: RestoreLimits
  readonly finder: ChunkFinder
  readonly writer: NodeWriter
  readonly tally: Tally
  /** A file of this folder is done, or given up. */
  readonly release: (directory: TargetDirectory) => void
  /** Report what costs one file; throws what ends the run. */
  readonly fail: (path: RawName, error: unknown) => void
}

/** Files of one stretch of the walk, and the chunks that they need. A file may reach over many windows. */
export class FileWindow {
  private readonly parts: WindowParts
  private plan = new BlockPlan<PendingFile>()
  /** Files with several names that are under way. */
  private readonly firstNames = new Map<string, PendingFile>()

  constructor(parts: WindowParts) {
    this.parts = parts
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
      const plannedBytes = await this.planContent(file)
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

  /** Plan all chunks of a file, reading windows that fill up. @returns bytes planned */
  private async planContent(file: PendingFile): Promise<number> {
    const ids = inlineIds(file.node.content)
    if (ids !== undefined) return await this.planChunks(file, ids, 0)
    let offset = 0
    for await (const run of contentRuns(this.parts.repository, file.node.content)) {
      offset = await this.planChunks(file, run, offset)
      if (file.state === 'failed' || offset > file.sizeBytes) break
      if (this.isFull) await this.read()
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

  /** Read every block that is wanted, and write what is in it. */
  async read(): Promise<void> {
    const { repository, options, writer, tally, finder } = this.parts
    const plan = this.plan
    this.plan = new BlockPlan()
    finder.allowReload()
    const whole: PendingFile[] = []
    const sink = {
      isWanted: (file: PendingFile) => file.state === 'pending',
      write: (file: PendingFile, offset: number, bytes: Buffer) => {
        if (file.state !== 'pending') return
        try {
          writer.write(file, offset, bytes)
        } catch (error) {
          this.failFile(file, error)
          return
        }
        tally.addBytes(bytes.length)
        if (file.missingBytes === 0 && file.isPlanned) {
          if (options.verify) whole.push(file)
          else this.publish(file)
        }
        tally.progress(file.path)
      },
      fail: (file: PendingFile, error: unknown) => this.failFile(file, error),
      settle: async () => {
        for (let file = whole.pop(); file !== undefined; file = whole.pop()) await this.finishFile(file)
      },
    }
    await readPlan(repository, plan, sink, options.signal)
  }

  /** All bytes of the file are there: check them again where that is asked for, and give it its name. */
  private async finishFile(file: PendingFile): Promise<void> {
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
    file.state = 'done'
    this.forgetFirstName(file)
    this.parts.tally.finish(file.path, actionFor(file), file.sizeBytes)
    this.parts.release(file.directory)
  }

  private failFile(file: PendingFile, error: unknown): void {
    if (file.state !== 'pending') return
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
