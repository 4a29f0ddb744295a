import { createChunker, segmentBytes } from '../chunker/index.ts'
import { createKeyedHasher } from '../crypto/index.ts'
import type { ChunkerConfig, Repository, RunWriter } from '../repository/index.ts'
import { type ChunkStore, createBlockBuilder, DATA_BLOCK_BYTES, loadZstd } from '../repository/worker.ts'
import { parametersOf } from './chunker-config.ts'
import { ContentCutter } from './content-reader.ts'
import { describeSegmented, type FileReaderParts, readSegment } from './file-reader.ts'
import type { BackupItem } from './options.ts'
import { type LargeFileTask, ownName, type ScanRules, type ScanTask, type TaskAnswer } from './scan-task.ts'
import { Scanner } from './scanner.ts'
import type { Steps } from './steps.ts'

/** What reading needs; plain data. */
export interface ReaderSettings {
  readonly chunker: ChunkerConfig
  readonly chunkerKey: Uint8Array
  readonly dataIdsKey: Uint8Array
  readonly compressionLevel: number
}

/** What scanning and reading need; plain data. */
export interface JobSettings extends ReaderSettings {
  readonly rules: ScanRules
}

export function readerSettings(repository: Repository, writer: RunWriter): ReaderSettings {
  return {
    chunker: repository.config.chunker,
    chunkerKey: repository.subkeys.chunker,
    dataIdsKey: repository.subkeys.dataIds,
    compressionLevel: writer.compressionLevel,
  }
}

/** Cuts content into chunks; new ones go into blocks, full blocks to the store. */
export interface ContentReader {
  readonly cutter: ContentCutter
  /** Hand on the open block. */
  flush(): void
}

function createContentReader(settings: ReaderSettings, store: ChunkStore): ContentReader {
  const builder = createBlockBuilder(loadZstd(), DATA_BLOCK_BYTES, settings.compressionLevel)
  const chunker = createChunker(parametersOf(settings.chunker), settings.chunkerKey)
  const flush = (): void => {
    const block = builder.take((lengthBytes) => store.allocate(lengthBytes))
    if (block !== undefined) store.addBlock('data', block)
  }
  const cutter = new ContentCutter(chunker, createKeyedHasher(settings.dataIdsKey), (id, bytes) => {
    if (!store.reserveData(id)) return
    if (builder.isFullFor(bytes.length)) flush()
    builder.add(id, bytes)
  })
  return { cutter, flush }
}

/** The reader of the run's own thread. */
export function createLocalReader(repository: Repository, writer: RunWriter): ContentReader {
  return createContentReader(readerSettings(repository, writer), writer)
}

/** Does the tasks of one thread; the open block goes on from task to task. */
export interface ScanJob {
  /** What is cut and stored belongs to the task when it ends. */
  run(task: ScanTask): Steps<TaskAnswer>
  /** Hand on the open block. */
  flush(): void
}

export interface ScanJobParts {
  readonly settings: JobSettings
  readonly store: ChunkStore
  readonly isAborted: () => boolean
  /** Told of each file and folder at once; else the answers tell of them. */
  readonly onItem?: ((item: BackupItem) => void) | undefined
}

export function createScanJob({ settings, store, isAborted, onItem }: ScanJobParts): ScanJob {
  const { cutter, flush } = createContentReader(settings, store)
  const files: FileReaderParts = { cutter, now: () => Date.now(), isAborted }
  const scanner = new Scanner({ rules: settings.rules, store, files, segmentBytes, onItem })
  return {
    *run(task) {
      if (task.kind === 'names') return yield* scanner.scan(task)
      if (task.kind === 'large') return scanner.finishLarge(task, largeResult(task))
      const segment = yield* readSegment(files, { ...task, path: ownName(task.path) })
      return { kind: 'segment', segment }
    },
    flush,
  }
}

function largeResult(task: LargeFileTask) {
  return task.failure ?? describeSegmented(ownName(task.file.path), task)
}
