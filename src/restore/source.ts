import { displayName, joinName, type RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import type { Snapshot } from '../snapshot/index.ts'
import { findNode, type Node, splitPath } from '../tree/index.ts'

/** What a path in a snapshot names. */
export interface Source {
  /** Absolute and without empty parts. */
  readonly path: RawName
  /** Undefined for the root. */
  readonly node: Node | undefined
  /** The folder it is in; the root is in itself. */
  readonly parentPath: RawName
}

/** @throws HoldfastError NO_SUCH_PATH, DAMAGED */
export async function findSource(repository: Repository, snapshot: Snapshot, path: RawName): Promise<Source> {
  const parts = splitPath(path)
  const absolute = absolutePath(parts)
  const parentPath = absolutePath(parts.slice(0, -1))
  if (parts.length === 0) return { path: absolute, node: undefined, parentPath }
  const node = await findNode(repository, snapshot.tree, absolute)
  if (node !== undefined) return { path: absolute, node, parentPath }
  const id = snapshot.id.slice(0, 8)
  throw new HoldfastError('NO_SUCH_PATH', `${displayName(absolute)} is not in snapshot ${id}`, {
    hint: `holdfast ls ${id} lists what is`,
  })
}

function absolutePath(parts: readonly RawName[]): RawName {
  return parts.reduce((base: RawName, part) => joinName(base, part), '/')
}
