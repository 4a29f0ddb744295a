import { type BlockFindings, type BlockRange, blockCheckKeys, type Repository } from '../repository/index.ts'
import { OPENING_YOUNG_MIB, startThreads, threadCount, threadFile } from '../threads/index.ts'

/** Threads that check the blocks of packs. */
export interface BlockCheckers {
  /** Check a range, whose bytes the threads share. */
  run(range: BlockRange): Promise<BlockFindings>
  /** End at once. */
  close(): Promise<void>
}

/** Below this much to read, starting threads takes longer than they save. */
const LEAST_BYTES = 32 * 1024 * 1024

/**
 * @param threads how many; undefined lets the number of bytes decide
 * @returns undefined where the calling thread is to check by itself
 */
export function startBlockCheckers(
  repository: Repository,
  threads: number | undefined,
  wantedBytes: number,
  signal: AbortSignal | undefined,
): BlockCheckers | undefined {
  const count = threads ?? (wantedBytes < LEAST_BYTES ? 0 : threadCount())
  if (count === 0) return undefined
  const { run, close } = startThreads<BlockRange, BlockFindings>({
    file: threadFile(import.meta.url, 'worker'),
    count,
    settings: blockCheckKeys(repository.subkeys),
    youngMib: OPENING_YOUNG_MIB,
    signal,
  })
  return { run, close }
}
