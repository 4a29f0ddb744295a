import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkAborted } from '../errors/index.ts'
import { fillFrom } from '../filesystem/index.ts'
import type { ChunkPlace, Repository } from '../repository/index.ts'
import type { FileNode } from '../tree/index.ts'
import { type ChunkFinder, contentRuns } from './chunk-finder.ts'

const READ_BYTES = 1024 * 1024

/** Compares files on disk with what the snapshot says, chunk by chunk, without reading from the repository. */
export class ContentComparer {
  private readonly repository: Repository
  private readonly finder: ChunkFinder
  private readonly signal: AbortSignal | undefined

  constructor(repository: Repository, finder: ChunkFinder, signal: AbortSignal | undefined) {
    this.repository = repository
    this.finder = finder
    this.signal = signal
  }

  /**
   * Whether an open file has exactly the node's content. Throws the system's errors; DAMAGED when the content's
   * length or list is not known.
   */
  async isSame(fd: number, node: Pick<FileNode, 'sizeBytes' | 'content'>): Promise<boolean> {
    let buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(Number(node.sizeBytes), 1)))
    let start = 0
    let end = 0
    let offset = 0
    for await (const ids of contentRuns(this.repository, node.content)) {
      for (const id of ids) {
        const place: ChunkPlace = this.finder.findNow(id) ?? (await this.finder.findAgain(id))
        const { lengthBytes } = place
        if (offset + lengthBytes > end) {
          await nextTurn()
          checkAborted(this.signal)
          if (lengthBytes > buffer.length) buffer = Buffer.allocUnsafe(lengthBytes)
          start = offset
          end = offset + fillFrom(fd, buffer, offset)
          if (offset + lengthBytes > end) return false
        }
        const bytes = buffer.subarray(offset - start, offset - start + lengthBytes)
        if (Buffer.compare(this.repository.chunkIdOf('data', bytes), id) !== 0) return false
        offset += lengthBytes
      }
    }
    return BigInt(offset) === node.sizeBytes
  }
}
