import type { ChunkId } from '../encoding/index.ts'
import { checkAborted, HoldfastError, hasCode, isLossOfData } from '../errors/index.ts'
import { BlockReader } from './block-reader.ts'
import type { Repository } from './repository.ts'

/** Reads tree chunks from the copies that the index knows as it is loaded now. */
export interface CopySource {
  /** @throws what was wrong with the first copy, or DAMAGED when no copy is known */
  readTree(id: ChunkId): Promise<Buffer>
  /** The same from a good copy that is at hand or on a disk of this machine; undefined sends the caller to `readTree`. */
  readTreeNow(id: ChunkId): Buffer | undefined
}

/**
 * For those who look for damage: as `Repository.readTree`, but an index loaded again in the middle does not
 * change what is found.
 */
export function createCopySource(repository: Repository, signal?: AbortSignal): CopySource {
  const blocks = new BlockReader(repository.backend, repository.subkeys)
  blocks.beginWalk()
  return {
    readTreeNow: (id) => blocks.readTreeNow(id, repository.index.find(id)),
    async readTree(id) {
      await blocks.turn()
      let problem: unknown
      for (const place of repository.index.findAll(id)) {
        if (place.block.kind !== 'tree') continue
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
    },
  }
}
