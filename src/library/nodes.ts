import { type ChunkId, displayName, joinName, type RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import type { Snapshot } from '../snapshot/index.ts'
import {
  findNode,
  type Node,
  readDirectory,
  splitPath,
  type WalkEntry,
  walkTreeInBatches,
} from '../tree/index.ts'

export interface ListOptions {
  /** A folder or file in the snapshot. Default: everything. */
  readonly path?: RawName | undefined
  /** False lists one level only. Default true. */
  readonly isRecursive?: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * The nodes of a snapshot in order of the walk: the folder at `path` itself comes first, a file alone.
 *
 * @throws HoldfastError NO_SUCH_PATH
 */
export async function* listNodes(
  repository: Repository,
  snapshot: Snapshot,
  options: ListOptions = {},
): AsyncGenerator<WalkEntry> {
  for await (const batch of listNodesInBatches(repository, snapshot, options)) yield* batch
}

/** The same, many nodes at a time, without a promise for each. */
export async function* listNodesInBatches(
  repository: Repository,
  snapshot: Snapshot,
  options: ListOptions = {},
): AsyncGenerator<readonly WalkEntry[]> {
  const { isRecursive = true, signal } = options
  const { path, node, tree } = await resolvePath(repository, snapshot, options.path ?? '/')
  if (node !== undefined) yield [{ path, node }]
  if (tree === undefined) return
  yield* walkTreeInBatches(repository, tree, path, { enter: () => isRecursive, signal })
}

interface ResolvedPath {
  /** Absolute and without empty parts. */
  readonly path: RawName
  /** Undefined for the root. */
  readonly node: Node | undefined
  /** What is below; undefined for what is no folder. */
  readonly tree: ChunkId | undefined
}

/** @throws HoldfastError NO_SUCH_PATH naming what is there instead */
export async function resolvePath(
  repository: Repository,
  snapshot: Snapshot,
  path: RawName,
): Promise<ResolvedPath> {
  const parts = splitPath(path)
  const absolute = parts.reduce((base: RawName, part) => joinName(base, part), '/')
  if (parts.length === 0) return { path: '/', node: undefined, tree: snapshot.tree }
  const node = await findNode(repository, snapshot.tree, absolute)
  if (node === undefined) {
    throw new HoldfastError(
      'NO_SUCH_PATH',
      `${displayName(absolute)} is not in snapshot ${snapshot.id.slice(0, 8)}`,
      {
        hint: `holdfast ls ${snapshot.id.slice(0, 8)} lists what is; it holds ${await describeRoots(repository, snapshot)}`,
      },
    )
  }
  return { path: absolute, node, tree: node.type === 'directory' ? node.tree : undefined }
}

async function describeRoots(repository: Repository, snapshot: Snapshot): Promise<string> {
  const names: string[] = []
  for await (const page of readDirectory(repository, snapshot.tree)) {
    names.push(...page.nodes.map((node) => displayName(joinName('/', node.name))))
    if (names.length > 5) break
  }
  return names.length > 5 ? `${names.slice(0, 5).join(', ')}, …` : names.join(', ')
}
