import type { ChunkId } from '../encoding/index.ts'
import { checkAborted, HoldfastError, hasCode, isLossOfData } from '../errors/index.ts'
import { BlockReader } from './block-reader.ts'
import type { PackKind } from './layout.ts'
import type { Repository } from './repository.ts'

/** Reads a chunk from the copies that the index knows as it is loaded now. */
export type CopyReader = (kind: PackKind, id: ChunkId) => Promise<Buffer>

/**
 * For those who look for damage: as `Repository.readChunk`, but an index loaded again in the middle does not
 * change what is found.
 *
 * @returns a reader that throws what was wrong with the first copy, or DAMAGED when no copy is known
 */
export function createCopyReader(repository: Repository, signal?: AbortSignal): CopyReader {
  const blocks = new BlockReader(repository.backend, repository.subkeys)
  return async (kind, id) => {
    let problem: unknown
    for (const place of repository.index.findAll(id)) {
      if (place.block.kind !== kind) continue
      try {
        return blocks.cutChunk(await blocks.readBlock(place.block, signal), id, place)
      } catch (error) {
        checkAborted(signal)
        const isOfThisCopy = isLossOfData(error) || hasCode(error, 'NEWER_FORMAT') || hasCode(error, 'IO')
        if (!isOfThisCopy) throw error
        problem ??= error
      }
    }
    throw problem ?? new HoldfastError('DAMAGED', 'a chunk is in no pack that the index knows')
  }
}
