import { createChunker } from '../chunker/index.ts'
import { createKeyedHasher } from '../crypto/index.ts'
import type { ChunkId } from '../encoding/index.ts'
import type { ChunkerConfig } from '../repository/index.ts'
import { createBlockBuilder, DATA_BLOCK_BYTES, loadZstd, type PlainBlock } from '../repository/worker.ts'
import { parametersOf } from './chunker-config.ts'
import { ContentCutter } from './content-reader.ts'
import {
  createChunkTaker,
  type FileReaderParts,
  type ReadRequest,
  type ReadResult,
  readFile,
} from './file-reader.ts'

/** What every thread that reads files needs; plain data. */
export interface JobSettings {
  readonly chunker: ChunkerConfig
  readonly chunkerKey: Uint8Array
  readonly dataIdsKey: Uint8Array
  readonly compressionLevel: number
}

export interface RangeJobParts extends JobSettings {
  /** True when the caller must store this chunk: it has no good copy and nobody has reserved it. */
  readonly isNew: (id: ChunkId) => boolean
  /** Takes a full block; it is the taker's. */
  readonly emit: (block: PlainBlock) => void
  readonly isAborted: () => boolean
}

/** Reads ranges of files in one thread; the open block goes on from range to range. */
export interface RangeJob {
  readonly cutter: ContentCutter
  /** With pauses in which the caller may wait. */
  run(requests: readonly ReadRequest[]): Generator<void, ReadResult[]>
  /** Hand on the open block. */
  flush(): void
}

export function createRangeJob(parts: RangeJobParts): RangeJob {
  const builder = createBlockBuilder(loadZstd(), DATA_BLOCK_BYTES, parts.compressionLevel)
  const chunker = createChunker(parametersOf(parts.chunker), parts.chunkerKey)
  const take = createChunkTaker(builder, parts.isNew, parts.emit)
  const cutter = new ContentCutter(chunker, createKeyedHasher(parts.dataIdsKey), take)
  const reader: FileReaderParts = { cutter, now: Date.now, isAborted: parts.isAborted }
  return {
    cutter,
    *run(requests) {
      const results: ReadResult[] = []
      for (const request of requests) results.push(yield* readFile(reader, request))
      return results
    },
    flush() {
      const block = builder.take()
      if (block !== undefined) parts.emit(block)
    },
  }
}
