import type { FileId } from '../encoding/index.ts'
import type { BlockPlace, PackFacts } from '../index/index.ts'
import { fileName, type PackKind } from './layout.ts'
import type { RangeMemory } from './range-memory.ts'
import type { Repository } from './repository.ts'
import { stretchesOf } from './stretches.ts'

/** Neighbouring blocks of one pack, as plain data that can be given to another thread. */
export interface BlockRange {
  readonly kind: PackKind
  readonly pack: FileId
  /** What gives the pack's key. */
  readonly salt: Uint8Array
  /** Stored bytes; memory that threads share. */
  readonly bytes: Uint8Array
  /** Chunk tables of the blocks, one after the other; memory of its own. */
  readonly rows: Uint8Array
  readonly blocks: readonly BlockInRange[]
}

export interface BlockInRange extends Omit<BlockPlace, 'pack' | 'kind' | 'salt' | 'offsetBytes'> {
  /** In `BlockRange.bytes`. */
  readonly offsetBytes: number
  /** Of its chunk table in `BlockRange.rows`. */
  readonly rowsBytes: number
}

/** Bytes of neighbouring blocks that are read in one go: a full block that did not compress fits; rare ones are larger. */
export const RANGE_BYTES: number = 2.25 * 1024 * 1024

/** @param read the bytes from `offsetBytes` of the pack on, which hold all these blocks */
export function blockRangeOf(
  places: readonly BlockPlace[],
  read: { readonly offsetBytes: number; readonly bytes: Uint8Array },
  content: Pick<PackFacts, 'blocks'>,
): BlockRange {
  const { kind, pack, salt } = places[0]!
  return {
    kind,
    pack,
    salt,
    bytes: read.bytes,
    rows: Buffer.concat(places.map((place) => content.blocks[place.number]!.chunks)),
    blocks: places.map(({ number, offsetBytes, storedBytes, payloadBytes, plainBytes, method }) => ({
      number,
      offsetBytes: offsetBytes - read.offsetBytes,
      storedBytes,
      payloadBytes,
      plainBytes,
      method,
      rowsBytes: content.blocks[number]!.chunks.length,
    })),
  }
}

/**
 * Read some blocks of one pack, range by range; whoever takes a range gives its bytes back.
 *
 * @param places at least one, in order of offset
 * @throws HoldfastError NO_SUCH_FILE when the pack is gone; IO
 */
export async function* readBlockRanges(
  repository: Repository,
  places: readonly BlockPlace[],
  content: Pick<PackFacts, 'blocks'>,
  options: { readonly memory: RangeMemory; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<BlockRange> {
  const { kind, pack } = places[0]!
  const { memory, signal } = options
  const { backend } = repository
  const name = fileName(kind, pack)
  for (const { group, offsetBytes, lengthBytes } of stretchesOf(places, RANGE_BYTES)) {
    const bytes = memory.take(lengthBytes)
    await backend.fillRange(name, offsetBytes, bytes, signal)
    yield blockRangeOf(group, { offsetBytes, bytes }, content)
  }
}
