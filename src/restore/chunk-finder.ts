import { type ChunkId, toHex } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { ChunkPlace, Repository } from '../repository/index.ts'
import { type ContentRef, readContent, splitIds } from '../tree/index.ts'

/** Where chunks are: in a good copy, else in any that is known. */
export class ChunkFinder {
  private readonly repository: Repository
  private readonly signal: AbortSignal | undefined
  private mayReload = true

  constructor(repository: Repository, signal: AbortSignal | undefined) {
    this.repository = repository
    this.signal = signal
  }

  /** Synchronous, for chunks that are known. */
  findNow(id: ChunkId): ChunkPlace | undefined {
    return this.repository.index.find(id) ?? this.repository.index.findAll(id)[0]
  }

  /** For a chunk that `findNow` does not know: the index is loaded again, once until `allowReload`. @throws DAMAGED */
  async findAgain(id: ChunkId): Promise<ChunkPlace> {
    if (this.mayReload) {
      this.mayReload = false
      await this.repository.loadIndex({ tolerateDamage: true, signal: this.signal })
    }
    const place = this.findNow(id)
    if (place !== undefined) return place
    throw new HoldfastError('DAMAGED', `chunk ${toHex(id)} is in no pack that the index knows`, {
      hint: 'run holdfast repair index, then holdfast verify',
    })
  }

  allowReload(): void {
    this.mayReload = true
  }
}

/** The ids of a list that lies within the node; undefined when it has pages. */
export function inlineIds(content: ContentRef): readonly ChunkId[] | undefined {
  return content.depth === 0 ? splitIds(content.ids) : undefined
}

/** A file's chunk ids in order, in runs. @throws HoldfastError DAMAGED */
export async function* contentRuns(
  repository: Repository,
  content: ContentRef,
): AsyncGenerator<readonly ChunkId[]> {
  const ids = inlineIds(content)
  if (ids !== undefined) yield ids
  else for await (const run of readContent(repository, content)) yield run.ids
}
