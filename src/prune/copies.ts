import type { SessionId } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import {
  type BlockCheckKeys,
  type BlockSlotsMemory,
  blockCheckKeys,
  type CopyRange,
  createBlockCopier,
  createBlockSlotsMemory,
  createRangeMemory,
  openBlockSlots,
  type PackKind,
  type PlainBlock,
  type RangeMemory,
  type Repository,
  RunWriter,
} from '../repository/index.ts'
import { OPENING_YOUNG_MIB, startThreads, threadCount, threadFile } from '../threads/index.ts'

/** Where chunks that have to be kept are stored anew. */
export interface Copies {
  /** For the bytes of ranges. */
  readonly memory: RangeMemory
  /** Take a range over, with its bytes, which are of `memory`. Resolves when there is room for the next one. @throws what went wrong so far */
  copy(range: CopyRange): Promise<void>
  /** Everything copied is durable, and listed in durable index files, when this resolves. */
  finish(): Promise<void>
  /** Give up what is not in a finished pack. Safe to call after `finish`. */
  discard(): Promise<void>
  /** Bytes of finished packs. */
  readonly packedBytes: number
}

export interface CopiesOptions {
  /** How many threads; undefined lets the number of bytes decide. */
  readonly threads: number | undefined
  /** Stored bytes that may have to be copied. */
  readonly bytes: number
  readonly signal: AbortSignal | undefined
}

/** What a copying thread is started with. */
export interface CopyThreadSettings {
  readonly keys: BlockCheckKeys
  readonly compressionLevel: number
  readonly slots: BlockSlotsMemory
}

/** A block on its way to the main thread. */
export interface CopiedBlock {
  readonly kind: PackKind
  readonly block: PlainBlock
}

/** Below this much, starting threads takes longer than they save. */
const LEAST_BYTES = 32 * 1024 * 1024
/** Ranges that wait beside those in work. */
const WAITING_RANGES = 1

export function startCopies(repository: Repository, own: SessionId, options: CopiesOptions): Copies {
  // Chunks are chosen one by one before: the table of chunks that this run stores is not asked.
  const writer = new RunWriter(repository, own, { tableSlots: 1 })
  const keys = blockCheckKeys(repository.subkeys)
  const { compressionLevel } = writer
  const memory = createRangeMemory()
  // The main thread chooses, reads, seals and writes: with as many others as there are cores little time is saved.
  const count = options.threads ?? (options.bytes < LEAST_BYTES ? 0 : Math.max(1, threadCount() - 1))
  const copier =
    count === 0
      ? copyHere(writer, keys, memory)
      : copyInThreads(writer, { keys, compressionLevel, memory }, count, options.signal)
  return {
    memory,
    async copy(range) {
      await copier.copy(range)
      await writer.drained()
    },
    async finish() {
      await copier.finish()
      await writer.finish()
    },
    async discard() {
      await copier.close()
      await writer.discard()
    },
    get packedBytes() {
      return writer.packedBytes.data + writer.packedBytes.tree
    },
  }
}

interface Copier {
  copy(range: CopyRange): Promise<void>
  finish(): Promise<void>
  close(): Promise<void>
}

function copyHere(writer: RunWriter, keys: BlockCheckKeys, memory: RangeMemory): Copier {
  const copier = createBlockCopier({
    keys,
    compressionLevel: writer.compressionLevel,
    allocate: (lengthBytes) => writer.allocate(lengthBytes),
    addBlock: (kind, block) => writer.addBlock(kind, block),
  })
  return {
    async copy(range) {
      copier.copy(range)
      memory.give(range.bytes)
    },
    finish: async () => copier.flush(),
    close: async () => {},
  }
}

function copyInThreads(
  writer: RunWriter,
  {
    memory,
    ...settings
  }: { readonly keys: BlockCheckKeys; readonly compressionLevel: number; readonly memory: RangeMemory },
  count: number,
  signal: AbortSignal | undefined,
): Copier {
  const slotsMemory = createBlockSlotsMemory(count)
  const slots = openBlockSlots(slotsMemory)
  const threads = startThreads<CopyRange, undefined, CopiedBlock>({
    file: threadFile(import.meta.url, 'worker'),
    count,
    settings: { ...settings, slots: slotsMemory } satisfies CopyThreadSettings,
    youngMib: OPENING_YOUNG_MIB,
    onEvent: ({ kind, block }) =>
      writer.addBlock(kind, { ...block, release: () => slots.release(block.payload) }),
    signal,
  })
  const underWay: Promise<void>[] = []
  return {
    async copy(range) {
      const done = threads.run(range).then(() => memory.give(range.bytes))
      // What goes wrong is told when its turn comes.
      done.catch(() => {})
      underWay.push(done)
      if (underWay.length > count + WAITING_RANGES) await underWay.shift()
    },
    async finish() {
      for (const done of underWay.splice(0)) await done
      await threads.finish()
      // An aborted thread ends without handing on what it has.
      checkAborted(signal)
      await threads.close()
    },
    close: () => threads.close(),
  }
}
