import { type ChunkId, chunkId, ID_BYTES } from '../encoding/index.ts'
import { checkAborted, hasCode } from '../errors/index.ts'
import {
  type BlockPlace,
  type BlockRange,
  CHUNK_ROW_BYTES,
  type PackContent,
  packPlaces,
  type Repository,
  readBlockRanges,
  type StoredPack,
} from '../repository/index.ts'
import type { ChunkSet } from '../snapshot/index.ts'
import type { Copies } from './copies.ts'

export interface CopyOutParts {
  readonly repository: Repository
  readonly needed: ChunkSet
  /** Chunks that this run has copied; those copied out of this pack come in. */
  readonly copied: ChunkSet
  /** Asked only when there is something to copy. */
  readonly startCopies: () => Copies
  readonly signal: AbortSignal | undefined
}

/**
 * Copy out of a condemned pack every chunk that is needed and has no good copy by the index as it is loaded
 * (rules R3, R11): other condemned packs are no copies either.
 *
 * @returns how many chunks are copied; undefined when the pack is gone: whoever deleted it has copied them
 * @throws DamagedError when a wanted chunk cannot be read, from here or from a later step of the copies
 */
export async function copyOut(parts: CopyOutParts, pack: StoredPack): Promise<number | undefined> {
  const { repository, copied, startCopies, signal } = parts
  let footer: PackContent
  try {
    footer = await repository.readPack(pack, signal)
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_FILE')) return undefined
    if (hasCode(error, 'DAMAGED') && !isNeeded(parts, pack)) return 0
    throw error
  }
  /** By block number. */
  const wanted = new Map<number, Float64Array>()
  const places: BlockPlace[] = []
  for (const place of packPlaces(pack.kind, pack.id, footer)) {
    const numbers = wantedChunks(parts, footer.blocks[place.number]!.chunks)
    if (numbers === undefined) continue
    wanted.set(place.number, numbers)
    places.push(place)
  }
  if (places.length === 0) return 0
  const copies = startCopies()
  let count = 0
  try {
    for await (const range of readBlockRanges(repository, places, footer, {
      memory: copies.memory,
      signal,
    })) {
      checkAborted(signal)
      const flags = takeWanted(range, wanted, copied)
      for (const flag of flags) count += flag
      await copies.copy({ ...range, wanted: flags })
    }
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_FILE')) return undefined
    throw error
  }
  return count
}

/** True when the pack, whose own list cannot be read, has a chunk to be copied by what the index says. */
function isNeeded({ repository, needed, copied }: CopyOutParts, pack: StoredPack): boolean {
  const { index } = repository
  const number = index.pack(pack.id)?.number
  for (const chunk of index.chunks()) {
    const isHere = chunk.homes.some((home) => home.pack === number)
    const { id, number: chunkNumber } = chunk
    if (!isHere || index.has(id) || copied.has(id, chunkNumber)) continue
    if (needed.has(id, chunkNumber)) return true
  }
  return false
}

/** In place of a chunk number: it is not wanted; it is, and the index has no number for it. */
const UNWANTED = -1
const UNNUMBERED = -2

/** @returns for each row its chunk's number, or one of the two above; undefined when none is wanted */
function wantedChunks(
  { repository, needed, copied }: CopyOutParts,
  rows: Uint8Array,
): Float64Array | undefined {
  const numbers = new Float64Array(rows.length / CHUNK_ROW_BYTES).fill(UNWANTED)
  let isAnyWanted = false
  for (let row = 0; row < numbers.length; row++) {
    const id = idOf(rows, row)
    const standing = repository.index.look(id)
    if (needed.has(id, standing?.number) && !standing?.isGood && !copied.has(id, standing?.number)) {
      numbers[row] = standing?.number ?? UNNUMBERED
      isAnyWanted = true
    }
  }
  return isAnyWanted ? numbers : undefined
}

/** Choose the chunks of a range that was read; from now on they count as copied. @returns 1 or 0 for each row */
function takeWanted(
  { rows, blocks }: BlockRange,
  wanted: ReadonlyMap<number, Float64Array>,
  copied: ChunkSet,
): Uint8Array {
  const flags = new Uint8Array(rows.length / CHUNK_ROW_BYTES)
  let row = 0
  for (const block of blocks) {
    for (const number of wanted.get(block.number)!) {
      const isTaken =
        number !== UNWANTED && copied.add(idOf(rows, row), number === UNNUMBERED ? undefined : number)
      flags[row++] = Number(isTaken)
    }
  }
  return flags
}

function idOf(rows: Uint8Array, row: number): ChunkId {
  const at = row * CHUNK_ROW_BYTES
  return chunkId(rows.subarray(at, at + ID_BYTES))
}
