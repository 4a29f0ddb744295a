import { type ChunkId, joinName, type RawName } from '../encoding/index.ts'
import { checkAborted, DamagedError, hasCode, isLossOfData } from '../errors/index.ts'
import { createCopySource, fileName } from '../repository/index.ts'
import { createChunkSet, type ListedSnapshot } from '../snapshot/index.ts'
import { type ContentRef, readContent, readDirectory, type TreeSource } from '../tree/index.ts'
import { lossOf } from './damage.ts'
import type { Verification } from './packs.ts'
import { IN_NO_INDEX_FILE, INDEX } from './report.ts'

/** A tree page that is lost, and the files it was lost with. */
class LostPage extends Error {
  readonly files: readonly string[]

  constructor(files: readonly string[]) {
    super('a page of a tree is lost')
    this.files = files
  }
}

export interface TouchedPaths {
  /** Files the report names only because a snapshot lacks chunks; nothing else is wrong with them. */
  readonly blamed: ReadonlySet<string>
  /** Snapshots given up on that lack chunks nobody is to blame for. */
  readonly incomplete: ReadonlySet<ListedSnapshot>
}

/**
 * Find which paths of which snapshots lack something, and put them in the report under the files it was lost
 * with. Subtrees that were found whole are not walked again. Every damaged pack must have been read before.
 */
export async function findTouchedPaths(
  { repository, report, damage, signal }: Verification,
  snapshots: readonly ListedSnapshot[],
  onSnapshot: () => void,
): Promise<TouchedPaths> {
  const whole = createChunkSet(repository)
  const copies = createCopySource(repository, signal)
  const blamed = new Set<string>()
  const incomplete = new Set<ListedSnapshot>()

  /** The files a chunk was lost with, each in the report; undefined for a chunk that can be read. */
  const filesOf = (id: ChunkId, snapshot: ListedSnapshot): readonly string[] | undefined => {
    const lost = lossOf(repository, damage, id)
    if (lost === undefined) return undefined
    const known = (lost.length === 0 ? damagedIndexFiles(report.files()) : lost).filter((file) =>
      report.has(file),
    )
    if (known.length > 0) return known
    if (!snapshot.isConfirmed) {
      incomplete.add(snapshot)
      return []
    }
    if (lost.length === 0) report.add(INDEX, 'missing', IN_NO_INDEX_FILE)
    for (const file of lost) {
      report.add(file, 'missing', 'it was pruned, and had the only known copies of chunks that are needed')
    }
    const files = lost.length === 0 ? [INDEX] : lost
    for (const file of files) blamed.add(file)
    return files
  }

  const visitSnapshot = async (snapshot: ListedSnapshot): Promise<void> => {
    const touch = (files: readonly string[], path: RawName) => {
      for (const file of files) report.touch(file, snapshot.id, path)
    }
    const source: TreeSource = {
      async readTree(id) {
        checkAborted(signal)
        const files = filesOf(id, snapshot)
        if (files !== undefined) throw new LostPage(files)
        return await copies.readTree(id)
      },
    }
    /** What an error of reading pages is to be put to. */
    const filesOfError = (error: unknown): readonly string[] => {
      if (error instanceof LostPage) return error.files
      if (!isLossOfData(error) && !hasCode(error, 'IO')) throw error
      const file = error instanceof DamagedError ? error.file : fileName('snapshot', snapshot.id)
      if (!report.has(file)) report.add(file, 'damaged', error.message)
      return [file]
    }
    const lostWithContent = async (content: ContentRef): Promise<Set<string> | undefined> => {
      const files = new Set<string>()
      let isWhole = true
      try {
        for await (const run of readContent(source, content)) {
          for (const id of run.ids) {
            const lost = repository.index.has(id) ? undefined : filesOf(id, snapshot)
            if (lost === undefined) continue
            isWhole = false
            for (const file of lost) files.add(file)
          }
        }
      } catch (error) {
        isWhole = false
        for (const file of filesOfError(error)) files.add(file)
      }
      return isWhole ? undefined : files
    }
    /** @returns true when nothing below is lost */
    const visitDirectory = async (tree: ChunkId, path: RawName): Promise<boolean> => {
      if (whole.has(tree)) return true
      let isWhole = true
      try {
        for await (const { nodes } of readDirectory(source, tree)) {
          for (const node of nodes) {
            const below = joinName(path, node.name)
            if (node.type === 'directory' && !(await visitDirectory(node.tree, below))) isWhole = false
            const lost = node.type === 'file' ? await lostWithContent(node.content) : undefined
            if (lost === undefined) continue
            isWhole = false
            touch([...lost], below)
          }
        }
      } catch (error) {
        isWhole = false
        touch(filesOfError(error), path)
      }
      if (isWhole) whole.add(tree)
      return isWhole
    }
    await visitDirectory(snapshot.tree, '/')
  }

  for (const snapshot of snapshots) {
    checkAborted(signal)
    await visitSnapshot(snapshot)
    onSnapshot()
  }
  return { blamed, incomplete }
}

/** What chunks are put to that no index file lists: the index files that cannot be read, where there are any. */
function damagedIndexFiles(files: readonly string[]): string[] {
  return files.filter((file) => file.startsWith(`${INDEX}/`))
}
