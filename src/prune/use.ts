import type { FileId } from '../encoding/index.ts'
import type { ChunkRow, PackRow, Repository, StoredPack } from '../repository/index.ts'

/** How much of one pack is needed. */
export interface UsedPack {
  readonly row: PackRow
  /** Live plaintext bytes of each block; undefined where no chunk is live. */
  readonly liveBytes: Float64Array | undefined
  /** It holds, or held, a live chunk that no stored pack has. */
  readonly isMissed: boolean
}

/** What is needed of the packs that the index lists, counted chunk by chunk. Memory: 8 bytes a block. */
export interface PackUse {
  /** A chunk that is needed; each is told once. Of several good copies only one counts as live. */
  count(chunk: ChunkRow): void
  packs(): Iterable<UsedPack>
  /** As `PrunePlan` has them. */
  totals(): { readonly usedChunks: number; readonly unusedChunks: number; readonly duplicateChunks: number }
}

interface CountedPack extends UsedPack {
  liveBytes: Float64Array | undefined
  isMissed: boolean
}

/** @param stored the packs in storage, as they were listed before the index was loaded */
export function createPackUse(repository: Repository, stored: ReadonlyMap<FileId, StoredPack>): PackUse {
  const { index } = repository
  const uses = new Map<number, CountedPack>()
  let goodChunks = 0
  for (const row of index.packs()) {
    uses.set(row.number, { row, liveBytes: undefined, isMissed: false })
    if (row.state !== 'condemned' && stored.has(row.id)) goodChunks += row.chunkCount
  }
  const good = (pack: number): CountedPack | undefined => {
    const use = uses.get(pack)
    return use !== undefined && use.row.state !== 'condemned' && stored.has(use.row.id) ? use : undefined
  }
  let usedChunks = 0
  let duplicateChunks = 0
  return {
    count({ homes }) {
      const copies = homes.filter((home) => good(home.pack) !== undefined)
      if (copies.length === 0) {
        for (const { pack } of homes) {
          const use = uses.get(pack)
          if (use !== undefined) use.isMissed = true
        }
        return
      }
      usedChunks++
      duplicateChunks += copies.length - 1
      // A copy in a pack that is not known to be damaged is the one that counts; then the oldest.
      const kept = copies.find((home) => good(home.pack)!.row.state === 'good') ?? copies[0]!
      const use = good(kept.pack)!
      use.liveBytes ??= new Float64Array(index.blocks(kept.pack).length)
      use.liveBytes[kept.block]! += kept.lengthBytes
    },
    packs: () => uses.values(),
    totals: () => ({
      usedChunks,
      unusedChunks: Math.max(0, goodChunks - usedChunks - duplicateChunks),
      duplicateChunks,
    }),
  }
}
