import { type ChunkId, chunkId, ID_BYTES } from '../encoding/index.ts'
import { checkAborted, DamagedError, hasCode } from '../errors/index.ts'
import {
  type BlockPlace,
  type BlockResult,
  CHUNK_ROW_BYTES,
  DATA_BLOCK_BYTES,
  fileName,
  type PackFooter,
  packPlaces,
  type Repository,
  type RunWriter,
  type StoredPack,
  TREE_BLOCK_BYTES,
} from '../repository/index.ts'
import type { ChunkSet } from '../snapshot/index.ts'

interface WantedChunk {
  readonly id: ChunkId
  readonly offsetBytes: number
  readonly lengthBytes: number
}

/**
 * Copy out of a condemned pack every chunk that is needed and has no good copy by the index as it is loaded
 * (rules R3, R11): other condemned packs are no copies either. Blocks that are wanted whole keep their payload,
 * so that nothing is compressed again; what is left of others goes into new blocks in the old order.
 *
 * @param startWriter asked only when there is something to copy
 * @returns how many chunks were copied; undefined when the pack is gone: whoever deleted it has copied them
 * @throws DamagedError when a wanted chunk cannot be read
 */
export async function copyOut(
  repository: Repository,
  startWriter: () => RunWriter,
  pack: StoredPack,
  needed: ChunkSet,
  signal?: AbortSignal,
): Promise<number | undefined> {
  let footer: PackFooter
  try {
    footer = await repository.readFooter(pack.kind, pack.id, pack.sizeBytes, signal)
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_FILE')) return undefined
    if (hasCode(error, 'DAMAGED') && !isNeeded(repository, pack, needed)) return 0
    throw error
  }
  const wanted = new Map<number, readonly WantedChunk[]>()
  const places: BlockPlace[] = []
  for (const place of packPlaces(pack.kind, pack.id, footer)) {
    const chunks = wantedChunks(repository, footer.blocks[place.number]!.chunks, needed)
    if (chunks.length === 0) continue
    wanted.set(place.number, chunks)
    places.push(place)
  }
  if (places.length === 0) return 0
  const writer = startWriter()
  let copied = 0
  for await (const result of repository.readBlocks(places, signal)) {
    checkAborted(signal)
    if ('error' in result) {
      if (hasCode(result.error, 'NO_SUCH_FILE')) return undefined
      throw result.error
    }
    const chunks = wanted.get(result.place.number)!
    copied += copyChunks(repository, writer, result, footer.blocks[result.place.number]!.chunks, chunks)
    await writer.drained()
  }
  return copied
}

/** True when the pack, whose own list cannot be read, has a chunk to be copied by what the index says. */
function isNeeded(repository: Repository, pack: StoredPack, needed: ChunkSet): boolean {
  const { index } = repository
  const number = index.pack(pack.id)?.number
  for (const chunk of index.chunks()) {
    const isHere = chunk.homes.some((home) => home.pack === number)
    if (isHere && needed.has(chunk.id) && !index.has(chunk.id)) return true
  }
  return false
}

function wantedChunks(repository: Repository, rows: Uint8Array, needed: ChunkSet): WantedChunk[] {
  const view = new DataView(rows.buffer, rows.byteOffset, rows.length)
  const wanted: WantedChunk[] = []
  let offsetBytes = 0
  for (let at = 0; at < rows.length; at += CHUNK_ROW_BYTES) {
    const id = chunkId(rows.subarray(at, at + ID_BYTES))
    const lengthBytes = view.getUint32(at + ID_BYTES, true)
    const standing = repository.index.look(id)
    if (needed.has(id, standing?.number) && !standing?.isGood) wanted.push({ id, offsetBytes, lengthBytes })
    offsetBytes += lengthBytes
  }
  return wanted
}

function copyChunks(
  repository: Repository,
  writer: RunWriter,
  block: Exclude<BlockResult, { error: unknown }>,
  rows: Uint8Array,
  wanted: readonly WantedChunk[],
): number {
  const { kind, pack } = block.place
  for (const chunk of wanted) {
    const bytes = block.plain.subarray(chunk.offsetBytes, chunk.offsetBytes + chunk.lengthBytes)
    if (Buffer.compare(repository.chunkIdOf(kind, bytes), chunk.id) !== 0) {
      throw new DamagedError(fileName(kind, pack), 'a chunk is not what its id says')
    }
  }
  const target = kind === 'data' ? DATA_BLOCK_BYTES : TREE_BLOCK_BYTES
  const isWhole = wanted.length * CHUNK_ROW_BYTES === rows.length
  if (isWhole && block.plain.length * 2 >= target && writer.reserveAll(wanted.map((chunk) => chunk.id))) {
    writer.addBlock(kind, {
      method: block.place.method as 0 | 1,
      payload: block.payload,
      plainBytes: block.plain.length,
      chunks: rows,
    })
    return wanted.length
  }
  let copied = 0
  for (const chunk of wanted) {
    const bytes = block.plain.subarray(chunk.offsetBytes, chunk.offsetBytes + chunk.lengthBytes)
    if (writer.saveChunk(kind, chunk.id, bytes)) copied++
  }
  return copied
}
