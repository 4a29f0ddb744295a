import {
  type ChunkId,
  compareNames,
  decodeValue,
  encodeValue,
  joinName,
  type RawName,
} from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import type { ListedSnapshot } from '../snapshot/index.ts'
import {
  compareNodes,
  findInDirectory,
  type Node,
  type NodeChange,
  nodeValue,
  parseNode,
  splitPath,
} from '../tree/index.ts'

/** A path as it was from one snapshot on, until the next version of the same host. */
export interface PathVersion {
  /** The first snapshot that has it so. */
  readonly snapshot: ListedSnapshot
  /** The last one before the next version; the first one itself when there is no other. */
  readonly lastSnapshot: ListedSnapshot
  /** How many snapshots have it so. */
  readonly snapshotCount: number
  /** Undefined where the path is not there any more. */
  readonly node: Node | undefined
  /** Compared with the version before; `added` for the first one and after an absence. */
  readonly change: NodeChange | 'added' | 'removed'
}

export interface HistoryOptions {
  readonly signal?: AbortSignal | undefined
}

/** What is known of one host's snapshots while they are gone through. */
interface HostState {
  /** The trees on the way to the path in the snapshot before, and the node found there. */
  trail: readonly ChunkId[]
  node: Node | undefined
  version: Writable<PathVersion> | undefined
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] }

/**
 * The versions of what is at a path, each host on its own, in the order of the snapshots that have them first.
 * A snapshot whose paths neither hold this one nor lie below it says nothing of it. Reads the folders on the way
 * to the path alone, and only those that differ from the snapshot before. Memory: a version each.
 *
 * @param snapshots oldest first
 * @throws HoldfastError DAMAGED, INTERRUPTED
 */
export async function history(
  repository: Repository,
  snapshots: readonly ListedSnapshot[],
  path: RawName,
  options: HistoryOptions = {},
): Promise<PathVersion[]> {
  const parts = splitPath(path)
  const versions: PathVersion[] = []
  const hosts = new Map<string, HostState>()
  for (const snapshot of snapshots) {
    checkAborted(options.signal)
    if (!covers(snapshot, parts)) continue
    const state = hosts.get(snapshot.host) ?? { trail: [], node: undefined, version: undefined }
    hosts.set(snapshot.host, state)
    const before = state.node
    await follow(repository, snapshot.tree, parts, state)
    const change = changeOf(before, state.node)
    if (change === 'same') {
      if (state.version === undefined) continue
      state.version.lastSnapshot = snapshot
      state.version.snapshotCount++
      continue
    }
    state.version = { snapshot, lastSnapshot: snapshot, snapshotCount: 1, node: state.node, change }
    versions.push(state.version)
  }
  return versions
}

/** Find the node of this snapshot; what is below a tree of the snapshot before is known. */
async function follow(
  repository: Repository,
  root: ChunkId,
  parts: readonly RawName[],
  state: HostState,
): Promise<void> {
  const trail: ChunkId[] = []
  let tree: ChunkId | undefined = root
  let node: Node | undefined
  for (const [depth, part] of parts.entries()) {
    if (tree === undefined) {
      node = undefined
      break
    }
    const before = state.trail[depth]
    if (before !== undefined && Buffer.compare(before, tree) === 0) {
      // The same folder leads to the same node.
      state.trail = [...trail, ...state.trail.slice(depth)]
      return
    }
    // A copy: an id is a view into its page, which would stay in memory for it.
    trail.push(Uint8Array.from(tree) as ChunkId)
    node = await findInDirectory(repository, tree, part)
    tree = node?.type === 'directory' ? node.tree : undefined
  }
  state.trail = trail
  state.node = node === undefined ? undefined : detach(node)
}

/** A node of its own: one that was read keeps the block it was read from in memory. */
function detach(node: Node): Node {
  return parseNode(decodeValue(encodeValue(nodeValue(node))))
}

function changeOf(before: Node | undefined, after: Node | undefined): PathVersion['change'] | 'same' {
  if (before === undefined) return after === undefined ? 'same' : 'added'
  return after === undefined ? 'removed' : compareNodes(before, after)
}

/** Whether the snapshot was meant to hold the path, or something below it. */
function covers(snapshot: ListedSnapshot, parts: readonly RawName[]): boolean {
  const path = parts.reduce((base: RawName, part) => joinName(base, part), '/')
  return snapshot.paths.some((one) => {
    const other = splitPath(one)
    const shared = Math.min(other.length, parts.length)
    return (
      compareNames(path, one) === 0 ||
      other.slice(0, shared).every((part, at) => compareNames(part, parts[at]!) === 0)
    )
  })
}
