import type { BlockPlace } from '../repository/index.ts'
import type { BlockPlan, BlockWork } from './block-plan.ts'
import { type PendingFile, SEVERAL_BATCHES } from './entry.ts'
import type { TargetDirectory } from './target-directory.ts'

/** Some pieces of one block: from one up to, not including, another. */
interface BlockPart {
  readonly work: BlockWork<PendingFile>
  readonly from: number
  readonly to: number
}

/** What is read from one pack and written together. */
export interface Batch {
  readonly number: number
  readonly parts: readonly BlockPart[]
}

/** A batch ends after so much of any. Its blocks are in memory together, its folders are held open. */
const BATCH_PLAIN_BYTES = 4 * 1024 * 1024
const BATCH_STORED_BYTES = 4 * 1024 * 1024
const BATCH_PIECES = 8192

/** Numbers of batches, and marks of what is in the one at hand, over all windows of a run. */
export class BatchCutter {
  private readonly mostFolders: number
  private number = 0
  private readonly folders = new Set<TargetDirectory>()
  private pieces = 0
  private plainBytes = 0
  private storedBytes = 0

  /** @param mostFolders a batch may have */
  constructor(mostFolders: number) {
    this.mostFolders = mostFolders
  }

  /** Cut what is planned into batches. Says with each file in which of them its pieces are. */
  cut(plan: BlockPlan<PendingFile>): Batch[] {
    const batches: Batch[] = []
    let parts: BlockPart[] = []
    const close = (): void => {
      if (parts.length > 0) batches.push({ number: this.number, parts })
      parts = []
      this.begin()
    }
    this.begin()
    for (const works of plan.packs()) {
      for (const work of works) {
        if (!this.hasRoomFor(work.place)) close()
        this.plainBytes += work.place.plainBytes
        this.storedBytes += work.place.storedBytes
        let from = 0
        for (let piece = 0; piece < work.owners.length; piece++) {
          if (!this.take(work.owners[piece]!, work.lengths[piece]!)) {
            if (piece > from) parts.push({ work, from, to: piece })
            close()
            this.plainBytes = work.place.plainBytes
            this.storedBytes = work.place.storedBytes
            this.take(work.owners[piece]!, work.lengths[piece]!)
            from = piece
          }
        }
        parts.push({ work, from, to: work.owners.length })
      }
      close()
    }
    return batches
  }

  private begin(): void {
    this.number++
    this.folders.clear()
    this.pieces = 0
    this.plainBytes = 0
    this.storedBytes = 0
  }

  private hasRoomFor({ plainBytes, storedBytes }: BlockPlace): boolean {
    return (
      this.plainBytes + plainBytes <= BATCH_PLAIN_BYTES &&
      this.storedBytes + storedBytes <= BATCH_STORED_BYTES
    )
  }

  /** @returns false when the batch is full */
  private take(file: PendingFile, lengthBytes: number): boolean {
    if (this.pieces >= BATCH_PIECES) return false
    if (!this.folders.has(file.directory)) {
      if (this.folders.size >= this.mostFolders) return false
      this.folders.add(file.directory)
    }
    this.pieces++
    file.cutBytes += lengthBytes
    if (file.batch < 0) {
      if (file.batch !== SEVERAL_BATCHES) file.batch = this.number
    } else if (file.batch !== this.number) file.batch = SEVERAL_BATCHES
    return true
  }
}
