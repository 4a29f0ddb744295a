import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ChunkId, toHex } from '../encoding/index.ts'
import { checkAborted, HoldfastError, hasCode, isLossOfData } from '../errors/index.ts'
import type { BlockResult, Repository } from '../repository/index.ts'
import type { BlockPlan, BlockWork } from './block-plan.ts'

/** Takes the chunks of a plan. */
export interface PlanSink<Owner> {
  /** False once an owner is given up: what is only for such ones is not looked for elsewhere. */
  isWanted(owner: Owner): boolean
  /** One or more chunks that follow each other, each checked against its id. Borrowed. */
  write(owner: Owner, destination: number, bytes: Buffer): void
  /** A chunk of this owner cannot be read from anywhere. */
  fail(owner: Owner, error: unknown): void
  /** Called after each block, before the next of its pack. */
  settle(): Promise<void> | undefined
}

/**
 * Each pack in flight holds at most one coalesced read (8 MiB, or one longer block) and the plaintext of one block:
 * below 64 MiB together with chunks of up to 4 MiB, the longest that are written.
 */
const PACKS_IN_FLIGHT = 4

/**
 * Read everything a plan wants, each block once: packs side by side, blocks of a pack in order of offset. What the
 * good place does not give is looked for in every other copy.
 *
 * @throws HoldfastError INTERRUPTED; whatever the sink throws. Nothing is under way any more when it throws.
 */
export async function readPlan<Owner>(
  repository: Repository,
  plan: BlockPlan<Owner>,
  sink: PlanSink<Owner>,
  signal?: AbortSignal,
): Promise<void> {
  const packs = plan.packs().values()
  let failure: { readonly error: unknown } | undefined
  const readPacks = async (): Promise<void> => {
    try {
      // One iterator for all: each pack goes to the first that is free.
      for (const works of packs) {
        const byPlace = new Map(works.map((work) => [work.place, work]))
        for await (const result of repository.readBlocks([...byPlace.keys()], signal)) {
          checkAborted(signal)
          if (failure !== undefined) return
          await takeBlock(repository, byPlace.get(result.place)!, result, sink, signal)
          await sink.settle()
          await nextTurn()
        }
        if (failure !== undefined) return
      }
    } catch (error) {
      failure ??= { error }
    }
  }
  await Promise.all(Array.from({ length: PACKS_IN_FLIGHT }, readPacks))
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error
}

async function takeBlock<Owner>(
  repository: Repository,
  work: BlockWork<Owner>,
  result: BlockResult,
  sink: PlanSink<Owner>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const plain = 'error' in result ? undefined : result.plain
  const isSound = plain === undefined ? undefined : checkChunks(repository, work, plain)
  const count = work.ids.length
  const lost = new Map<string, unknown>()
  for (let from = 0; from < count; ) {
    if (plain === undefined || isSound![from] === 0) {
      await recover(repository, work, from++, lost, sink, signal)
      continue
    }
    const start = work.offsets[from]!
    let end = start + work.lengths[from]!
    let to = from + 1
    for (
      ;
      to < count && isSound![to] === 1 && follows(work, to, end, start - work.destinations[from]!);
      to++
    ) {
      if (work.owners[to] !== work.owners[from]) break
      end += work.lengths[to]!
    }
    if (sink.isWanted(work.owners[from]!)) {
      sink.write(work.owners[from]!, work.destinations[from]!, plain.subarray(start, end))
    }
    from = to
  }
}

/** Whether a piece goes on, in the block and in its owner, where the one before it ends. */
function follows<Owner>(work: BlockWork<Owner>, piece: number, end: number, shift: number): boolean {
  return work.offsets[piece] === end && end - work.destinations[piece]! === shift
}

/** For each piece 1 when its bytes have its id, else 0. A chunk wanted several times is hashed once. */
function checkChunks<Owner>(repository: Repository, work: BlockWork<Owner>, plain: Buffer): Uint8Array {
  const isSound = new Uint8Array(work.ids.length)
  const pieceAt = new Map<number, number>()
  for (let piece = 0; piece < isSound.length; piece++) {
    const offset = work.offsets[piece]!
    const known = pieceAt.get(offset)
    if (known !== undefined && isSameChunk(work, known, piece)) {
      isSound[piece] = isSound[known]!
      continue
    }
    pieceAt.set(offset, piece)
    const end = offset + work.lengths[piece]!
    if (end > plain.length) continue
    const id = repository.chunkIdOf('data', plain.subarray(offset, end))
    if (Buffer.compare(id, work.ids.at(piece)) === 0) isSound[piece] = 1
  }
  return isSound
}

function isSameChunk<Owner>(work: BlockWork<Owner>, left: number, right: number): boolean {
  return (
    work.lengths[left] === work.lengths[right] && Buffer.compare(work.ids.at(left), work.ids.at(right)) === 0
  )
}

/** @param lost chunks of this block that no copy gave, by id in hex, with the reason */
async function recover<Owner>(
  repository: Repository,
  work: BlockWork<Owner>,
  piece: number,
  lost: Map<string, unknown>,
  sink: PlanSink<Owner>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const owner = work.owners[piece]!
  if (!sink.isWanted(owner)) return
  const name = toHex(work.ids.at(piece))
  if (lost.has(name)) {
    sink.fail(owner, lost.get(name))
    return
  }
  let bytes: Buffer
  try {
    bytes = await readElsewhere(repository, work.ids.at(piece), work.lengths[piece]!, signal)
  } catch (error) {
    checkAborted(signal)
    if (!isLossOfData(error) && !hasCode(error, 'IO')) throw error
    lost.set(name, error)
    sink.fail(owner, error)
    return
  }
  sink.write(owner, work.destinations[piece]!, bytes)
}

/** A chunk that is not where it should be, from any other copy. @throws HoldfastError DAMAGED */
export async function readElsewhere(
  repository: Repository,
  id: ChunkId,
  lengthBytes: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const bytes = await repository.readChunk('data', id, signal)
  if (bytes.length === lengthBytes) return bytes
  throw new HoldfastError('DAMAGED', `chunk ${toHex(id)} has another length than the index says`, {
    hint: 'run holdfast repair index',
  })
}
