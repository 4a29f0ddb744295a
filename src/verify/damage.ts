import type { ChunkId, FileId } from '../encoding/index.ts'
import { fileName, type Repository, type StoredPack } from '../repository/index.ts'

/** Which chunks are lost, by what is known of the packs. */
export interface Damage {
  /** Packs in storage, as last listed. */
  readonly stored: Map<FileId, StoredPack>
  /** Packs of which something is wrong, with the blocks that are lost; every block when the pack is gone. */
  readonly packs: Map<FileId, ReadonlySet<number> | 'all'>
  /** Packs that were read whole. */
  readonly read: Set<FileId>
}

/**
 * The files with which a chunk was lost: one for each copy, none where no copy was ever known.
 *
 * @returns undefined for a chunk that some copy still gives. To be exact, every pack that gives reason to doubt
 *   must have been read whole
 */
export function lossOf(repository: Repository, damage: Damage, id: ChunkId): string[] | undefined {
  const { index } = repository
  // Damaged and missing packs are marked as lost in the index, so a good copy there is one.
  if (index.has(id)) return undefined
  const files: string[] = []
  for (const { block } of index.findAll(id)) {
    const lost = damage.packs.get(block.pack) ?? (damage.stored.has(block.pack) ? undefined : 'all')
    if (lost === undefined || (lost !== 'all' && !lost.has(block.number))) return undefined
    files.push(fileName(block.kind, block.pack))
  }
  return [...new Set(files)]
}

/** The packs with copies of a chunk that are stored and were not read whole. */
export function unreadPacks(repository: Repository, damage: Damage, id: ChunkId): FileId[] {
  const packs = repository.index.findAll(id).map(({ block }) => block.pack)
  return packs.filter((pack) => damage.stored.has(pack) && !damage.read.has(pack))
}

/** Let this client not rely on what is damaged, so that its next backup stores those chunks again. */
export function markDamage(repository: Repository, damage: Damage): void {
  const lost = [...damage.packs.keys()].filter((pack) => repository.index.pack(pack)?.state === 'good')
  if (lost.length > 0) repository.index.markLost(lost)
}
