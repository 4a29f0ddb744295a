import type { ChunkId, RawName } from '../encoding/index.ts'
import { checkAborted, isLossOfData } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import { createDirectoryCursor, type Node } from '../tree/index.ts'

/** A directory as the parent snapshot has it, beside the walk. */
export interface ParentDirectory {
  readonly tree: ChunkId
  /** The node of this name; undefined when there is none. Names must ascend. */
  node(name: RawName): Promise<Node | undefined>
  /** Read to the end. @returns how many nodes it has, and all its pages; undefined when not all can be read */
  finish(): Promise<{ readonly count: number; readonly pageIds: readonly ChunkId[] } | undefined>
}

/** One that cannot be read any more has no nodes from there on: what is below counts as new, which heals it. */
export function openParentDirectory(
  repository: Repository,
  tree: ChunkId,
  signal: AbortSignal | undefined,
): ParentDirectory {
  const cursor = createDirectoryCursor(repository, tree)
  let isLost = false
  const unlessLost = async <Result>(read: () => Promise<Result>): Promise<Result | undefined> => {
    if (isLost) return undefined
    try {
      return await read()
    } catch (error) {
      checkAborted(signal)
      if (!isLossOfData(error)) throw error
      isLost = true
      return undefined
    }
  }
  return {
    tree,
    node: (name) => unlessLost(() => cursor.seek(name)),
    finish: () => unlessLost(() => cursor.finish()),
  }
}
