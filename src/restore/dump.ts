import type { ChunkId, RawName } from '../encoding/index.ts'
import { displayName } from '../encoding/index.ts'
import { checkAborted, HoldfastError } from '../errors/index.ts'
import type { ChunkPlace, Repository } from '../repository/index.ts'
import type { Snapshot } from '../snapshot/index.ts'
import type { FileNode } from '../tree/index.ts'
import { BlockPlan } from './block-plan.ts'
import { ChunkFinder, contentRuns } from './chunk-finder.ts'
import { readPlan } from './read-plan.ts'
import { findSource } from './source.ts'

export interface DumpOptions {
  readonly signal?: AbortSignal | undefined
}

/** One piece is read while another is given out. */
const PIECE_BYTES = 8 * 1024 * 1024

interface PlannedChunk {
  readonly id: ChunkId
  readonly place: ChunkPlace
}

/**
 * The bytes of one file, in order, each checked before it is given out. Memory: two pieces of 8 MiB, and what
 * reading one takes.
 *
 * @throws HoldfastError NO_SUCH_PATH; UNSUPPORTED for anything but a file; DAMAGED when a chunk cannot be read from
 *   any copy: what came before is right
 */
export async function* dumpFile(
  repository: Repository,
  snapshot: Snapshot,
  path: RawName,
  options: DumpOptions = {},
): AsyncGenerator<Buffer> {
  const { signal } = options
  await repository.loadIndex({ tolerateDamage: true, signal })
  const node = await findFile(repository, snapshot, path)
  let next: Promise<Buffer> | undefined
  let dumped = 0n
  for await (const chunks of pieces(repository, node, signal)) {
    const piece = next
    next = readPiece(repository, chunks, signal)
    // It is awaited later, or never when nobody wants more.
    next.catch(() => {})
    if (piece === undefined) continue
    const bytes = await piece
    dumped += BigInt(bytes.length)
    yield bytes
  }
  if (next !== undefined) {
    const bytes = await next
    dumped += BigInt(bytes.length)
    yield bytes
  }
  if (dumped !== node.sizeBytes) {
    throw new HoldfastError('DAMAGED', `${displayName(path)} has ${dumped} bytes, not ${node.sizeBytes}`)
  }
}

async function findFile(repository: Repository, snapshot: Snapshot, path: RawName): Promise<FileNode> {
  const { node, path: absolute } = await findSource(repository, snapshot, path)
  if (node?.type === 'file') return node
  if (node === undefined || node.type === 'directory') {
    throw new HoldfastError('UNSUPPORTED', `${displayName(absolute)} is a folder`, {
      hint: 'name a file in it, or get all of it with holdfast restore',
    })
  }
  throw new HoldfastError('UNSUPPORTED', `${displayName(absolute)} is a ${node.type} and has no content`, {
    hint: 'holdfast ls -l shows what it is',
  })
}

async function* pieces(
  repository: Repository,
  node: FileNode,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly PlannedChunk[]> {
  const finder = new ChunkFinder(repository, signal)
  let chunks: PlannedChunk[] = []
  let bytes = 0
  for await (const ids of contentRuns(repository, node.content)) {
    for (const id of ids) {
      const place = finder.findNow(id) ?? (await finder.findAgain(id))
      if (bytes > 0 && bytes + place.lengthBytes > PIECE_BYTES) {
        yield chunks
        checkAborted(signal)
        finder.allowReload()
        chunks = []
        bytes = 0
      }
      chunks.push({ id, place })
      bytes += place.lengthBytes
    }
  }
  if (chunks.length > 0) yield chunks
}

async function readPiece(
  repository: Repository,
  chunks: readonly PlannedChunk[],
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const plan = new BlockPlan<undefined>()
  let length = 0
  for (const { id, place } of chunks) {
    plan.add(id, place, undefined, length)
    length += place.lengthBytes
  }
  const piece = Buffer.allocUnsafeSlow(length)
  const sink = {
    isWanted: () => true,
    write: (_: undefined, destination: number, bytes: Buffer) => void bytes.copy(piece, destination),
    fail: (_: undefined, error: unknown): void => {
      throw error
    },
    settle: () => undefined,
  }
  await readPlan(repository, plan, sink, signal)
  return piece
}
