import { MAX_WHOLE_BYTES } from '../backend/index.ts'
import { DamagedError } from '../errors/index.ts'
import type { IndexFacts } from '../index/index.ts'
import { parseIndexFile } from './index-file.ts'
import { fileName } from './layout.ts'
import type { NamedFile } from './list.ts'
import type { Repository } from './repository.ts'
import { fileIdOf, openValue } from './sealed-value.ts'

/** Memory grows in steps of so much, so that files of about one length share one piece. */
const STEP_BYTES = 1024 * 1024

/**
 * Reads index files one after the other into memory that is used again: each has megabytes, and with memory of its own for
 * every one a repository of many would hold what the collector has not got to.
 */
export interface IndexFileReader {
  /** @returns the file's facts, which are good until the next read @throws HoldfastError NO_SUCH_FILE, DamagedError */
  read(file: Pick<NamedFile, 'id' | 'sizeBytes'>, signal?: AbortSignal): Promise<IndexFacts>
}

export function createIndexFileReader(repository: Repository): IndexFileReader {
  let memory = Buffer.alloc(0)
  return {
    async read({ id, sizeBytes }, signal) {
      const name = fileName('index', id)
      if (sizeBytes > MAX_WHOLE_BYTES) throw new DamagedError(name, 'it is longer than an index file can be')
      if (sizeBytes > memory.length)
        memory = Buffer.allocUnsafeSlow(Math.ceil(sizeBytes / STEP_BYTES) * STEP_BYTES)
      const bytes = memory.subarray(0, sizeBytes)
      await repository.backend.fillRange(name, 0, bytes, signal)
      if (fileIdOf(bytes) !== id)
        throw new DamagedError(name, 'its bytes do not have the hash that is its name')
      return openValue(repository, 'index', name, bytes, parseIndexFile, true)
    },
  }
}
