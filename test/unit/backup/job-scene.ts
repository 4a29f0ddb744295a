import { existsSync } from 'node:fs'
import { ContentCutter } from '../../../src/backup/content-reader.ts'
import {
  type FileReaderParts,
  isUnreadable,
  type ReadResult,
  readFile,
} from '../../../src/backup/file-reader.ts'
import { createChunker, parametersForAverage } from '../../../src/chunker/index.ts'
import { createKeyedHasher } from '../../../src/crypto/index.ts'
import { type FileStatus, readStatus } from '../../../src/filesystem/index.ts'
import { splitIds } from '../../../src/tree/index.ts'

export interface JobScene {
  /** Read a file that was found as it is, or as it is said; `between` is called after each piece. */
  read(path: string, between?: () => void, found?: FileStatus): ReadResult
  /** The bytes of a file that was read. */
  contents(result: ReadResult): Buffer
  status(path: string): FileStatus
}

/** The reading of files, step by step. */
export function createJobScene(parts: Partial<FileReaderParts> = {}): JobScene {
  const chunks = new Map<string, Buffer>()
  const cutter = new ContentCutter(
    createChunker(parametersForAverage(4096), Buffer.alloc(32, 1)),
    createKeyedHasher(Buffer.alloc(32, 2)),
    (id, bytes) => chunks.set(Buffer.from(id).toString('hex'), Buffer.from(bytes)),
  )
  const all: FileReaderParts = { cutter, now: Date.now, isAborted: () => false, ...parts }
  return {
    read(path, between = () => {}, found = readStatus(existsSync(path) ? path : '/')) {
      let asked = 0
      const isAborted = (): boolean => {
        if (asked++ > 0) between()
        return all.isAborted()
      }
      const steps = readFile({ ...all, isAborted }, path, found)
      for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
    },
    contents(result) {
      if (isUnreadable(result)) throw new Error(result.message)
      const ids = splitIds(result.ids).map((id) => Buffer.from(id).toString('hex'))
      return Buffer.concat(ids.map((id) => chunks.get(id)!))
    },
    status: readStatus,
  }
}
