import { checkAborted } from '../errors/index.ts'
import type { Repository, RunWriter } from '../repository/index.ts'
import type { ReadContent } from './content-reader.ts'
import { createLocalReader } from './scan-job.ts'

/** Stores content that comes as a stream, cut and named as the repository does it with files. */
export interface ContentStore {
  /** Store one stream to its end; one at a time. The pieces are borrowed. @throws what the stream and the storage throw */
  store(pieces: AsyncIterable<Uint8Array>): Promise<ReadContent>
  /** Hand on the open block: to be called once, before the writer finishes. */
  flush(): void
}

export function createContentStore(
  repository: Repository,
  writer: RunWriter,
  signal: AbortSignal | undefined,
): ContentStore {
  const { cutter, flush } = createLocalReader(repository, writer)
  return {
    async store(pieces) {
      for await (const piece of pieces) {
        checkAborted(signal)
        for (let from = 0; from < piece.length; ) {
          const { window, roomStart, roomEnd } = cutter
          const part = piece.subarray(from, from + roomEnd - roomStart)
          window.set(part, roomStart)
          cutter.advance(part.length)
          from += part.length
        }
        await writer.drained()
      }
      return cutter.finish()
    },
    flush,
  }
}
