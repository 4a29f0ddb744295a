import { type ChunkId, joinName, type RawName } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import type { Repository } from '../repository/index.ts'
import type { ListedSnapshot } from '../snapshot/index.ts'
import { type Node, type OpenedPage, openDirectoryPage, type WalkEntry } from '../tree/index.ts'
import { createCondition, type FindConditions } from './conditions.ts'
import { createPageMemory, type PageMemory } from './page-memory.ts'
import { compilePatterns, type PatternMatcher, type PatternState } from './patterns.ts'

export interface FindOptions extends FindConditions {
  readonly ignoresCase?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Some matches of one snapshot, in order of the walk; a snapshot's matches come one after the other. */
export interface FoundEntries {
  readonly snapshot: ListedSnapshot
  readonly entries: readonly WalkEntry[]
}

/** An open page, and where the walk is in it. */
interface Frame {
  readonly id: ChunkId
  readonly page: OpenedPage
  /** Of the folder that the page is a part of. */
  readonly path: RawName
  readonly state: PatternState
  /** The next child of a page of pages. */
  at: number
  /** Something below the page, or in it, was found. */
  hasMatch: boolean
}

/**
 * What matches one of the patterns in each of the snapshots, in their order. Load the index before. Nodes are decoded
 * where their names match. A page below which nothing was found is not opened again for a later snapshot: pages with
 * equal content are the same page, so that a further snapshot costs what is different in it, and what is found.
 * Memory: one page a level, and a table of fixed size.
 *
 * @throws HoldfastError USAGE for a pattern that can match nothing; DAMAGED, INTERRUPTED
 */
export async function* find(
  repository: Repository,
  snapshots: readonly ListedSnapshot[],
  patterns: readonly string[],
  options: FindOptions = {},
): AsyncGenerator<FoundEntries> {
  const walk: FindWalk = {
    repository,
    matcher: compilePatterns(patterns, options.ignoresCase ?? false),
    isWanted: createCondition(options),
    barren: createPageMemory(),
    signal: options.signal,
  }
  for (const snapshot of snapshots) {
    for await (const entries of findBelow(walk, snapshot.tree)) yield { snapshot, entries }
  }
}

interface FindWalk {
  readonly repository: Repository
  readonly matcher: PatternMatcher
  readonly isWanted: (node: Node) => boolean
  /** Pages below which nothing matches. */
  readonly barren: PageMemory
  readonly signal: AbortSignal | undefined
}

async function* findBelow(walk: FindWalk, tree: ChunkId): AsyncGenerator<readonly WalkEntry[]> {
  const { repository, matcher, barren, signal } = walk
  const open: Frame[] = []
  const push = async (
    id: ChunkId,
    level: number | undefined,
    place: Pick<Frame, 'path' | 'state'>,
  ): Promise<void> => {
    const page = openDirectoryPage(repository.readTreeNow(id) ?? (await repository.readTree(id)), level)
    open.push({ id, page, path: place.path, state: place.state, at: 0, hasMatch: false })
  }
  if (barren.has(tree, matcher.root.number)) return
  await push(tree, undefined, { path: '/', state: matcher.root })
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    checkAborted(signal)
    const found: WalkEntry[] = []
    const next = findNext(walk, top, found)
    if (found.length > 0) {
      top.hasMatch = true
      yield found
    }
    if (next !== undefined) {
      await push(next.id, next.level, next)
      continue
    }
    open.pop()
    if (!top.hasMatch) barren.add(top.id, top.state.number)
    else if (open.length > 0) open.at(-1)!.hasMatch = true
  }
}

interface NextPage extends Pick<Frame, 'path' | 'state'> {
  readonly id: ChunkId
  readonly level: number | undefined
}

/** Go on in a page up to what has to be opened next; undefined at its end. */
function findNext(walk: FindWalk, frame: Frame, found: WalkEntry[]): NextPage | undefined {
  const { matcher, barren, isWanted } = walk
  const { page, path, state } = frame
  if (page.children !== undefined) {
    while (frame.at < page.children.length) {
      const { id } = page.children[frame.at++]!
      if (!barren.has(id, state.number)) return { id, level: page.level - 1, path, state }
    }
    return undefined
  }
  const { nodes } = page
  while (nodes.next()) {
    const text = nodes.nameText()
    if (matcher.matches(state, text)) {
      const node = nodes.decode()
      if (isWanted(node)) found.push({ path: joinName(path, node.name), node })
    }
    if (nodes.type !== 'directory') continue
    const below = matcher.enter(state, text)
    const tree = nodes.tree()
    if (below === undefined || barren.has(tree, below.number)) continue
    return { id: tree, level: undefined, path: joinName(path, nodes.rawName()), state: below }
  }
  return undefined
}
