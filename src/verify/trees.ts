import type { FileId } from '../encoding/index.ts'
import { checkAborted, hasCode } from '../errors/index.ts'
import { createCopySource, fileName, problemOf } from '../repository/index.ts'
import { createChunkSet, type ListedSnapshot } from '../snapshot/index.ts'
import { type ReachVisitor, visitTree } from '../tree/index.ts'
import { lossOf, unreadPacks } from './damage.ts'
import type { Verification } from './packs.ts'

export interface TreeFindings {
  readonly treeChunks: number
  readonly dataChunks: number
  /** Data chunks without a good copy that can be read all the same. */
  readonly spareChunks: number
  /** Files with which needed data chunks were lost. */
  readonly lostFiles: ReadonlySet<string>
  /** Chunks of which no copy was ever known. */
  readonly unknownChunks: number
  readonly lostTrees: number
  /** Packs with copies of those trees, to be read whole before the loss is judged. */
  readonly doubted: ReadonlySet<FileId>
  /** False when the local index was rebuilt meanwhile: then nothing above can be relied on. */
  readonly isValid: boolean
}

/**
 * Visit every chunk the snapshots need, each once: trees are read, data chunks are looked up. Memory: one bit a
 * chunk, and the names of what is lost.
 */
export async function walkTrees(
  { repository, report, damage, signal }: Verification,
  snapshots: readonly ListedSnapshot[],
  onSnapshot: () => void,
): Promise<TreeFindings> {
  const { index } = repository
  const seen = createChunkSet(repository)
  const source = createCopySource(repository, signal)
  const lostFiles = new Set<string>()
  const doubted = new Set<FileId>()
  const counts = { treeChunks: 0, dataChunks: 0, spareChunks: 0, unknownChunks: 0, lostTrees: 0 }
  const visitor: ReachVisitor = {
    enterTree(id) {
      if (!seen.add(id)) return false
      counts.treeChunks++
      return true
    },
    data(ids) {
      for (const id of ids) {
        const standing = index.look(id)
        if (!seen.add(id, standing?.number)) continue
        counts.dataChunks++
        if (standing?.isGood) continue
        const files = lossOf(repository, damage, id)
        if (files === undefined) counts.spareChunks++
        else if (files.length === 0) counts.unknownChunks++
        else for (const file of files) lostFiles.add(file)
      }
    },
    unreadable(id, error) {
      if (!hasCode(error, 'NO_SUCH_FILE')) problemOf(error)
      counts.lostTrees++
      if (index.findAll(id).length === 0) counts.unknownChunks++
      for (const pack of unreadPacks(repository, damage, id)) doubted.add(pack)
    },
  }
  for (const snapshot of snapshots) {
    checkAborted(signal)
    try {
      await visitTree(source, snapshot.tree, visitor, signal)
    } catch (error) {
      // A tree that is what its id says, and still no tree: no stored file is to blame but the snapshot.
      if (!hasCode(error, 'DAMAGED')) throw error
      report.add(fileName('snapshot', snapshot.id), 'damaged', `its tree is not valid: ${problemOf(error)}`)
    }
    onSnapshot()
  }
  return { ...counts, lostFiles, doubted, isValid: seen.isValid() }
}
