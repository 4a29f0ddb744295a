import { isDeepStrictEqual } from 'node:util'
import { type FileId, nameBytes } from '../encoding/index.ts'
import type { Snapshot } from '../snapshot/index.ts'

/** A snapshot, whoever wrote it. */
export type KnownSnapshot = Omit<Snapshot, 'session'>

/** Snapshots of a repository that may be copies of another one's. */
export class Copies {
  private readonly byId = new Map<FileId, KnownSnapshot>()
  private readonly byOriginal = new Map<FileId, KnownSnapshot>()

  add(snapshot: KnownSnapshot): void {
    this.byId.set(snapshot.id, snapshot)
    if (snapshot.original !== null) this.byOriginal.set(snapshot.original, snapshot)
  }

  /**
   * The copy of a snapshot: one that was made of it, that it was made of, or that was made of the same. For the latter two
   * tags and description have to be the same, which somebody may have changed since.
   */
  find(snapshot: KnownSnapshot): KnownSnapshot | undefined {
    const { id, original } = snapshot
    const made = this.byOriginal.get(id)
    // One that lacks what this one has is none, whoever made it.
    if (made !== undefined && made.incomplete === snapshot.incomplete) return made
    if (original === null) return undefined
    return [this.byId.get(original), this.byOriginal.get(original)].find(
      (one) => one !== undefined && isDeepStrictEqual(looks(one), looks(snapshot)),
    )
  }
}

function looks(snapshot: KnownSnapshot): unknown[] {
  const { timeMs, host, user, paths, tags, description, summary, incomplete } = snapshot
  const { totalFiles, totalBytes } = summary
  return [timeMs, host, user, paths.map(latin1), tags, description, incomplete, totalFiles, totalBytes]
}

/** A snapshot and its copy. */
export interface SnapshotPair {
  readonly original: KnownSnapshot
  readonly copy: KnownSnapshot
}

/** Pairs by what was backed up: their trees are likely to be those of the next one. */
export class LatestPairs {
  private readonly bySource = new Map<string, SnapshotPair>()
  private latest: SnapshotPair | undefined

  /** In the order of their times. */
  add(pair: SnapshotPair): void {
    this.bySource.set(sourceOf(pair.original), pair)
    this.latest = pair
  }

  /** The last one of the same host and paths; else the last one. */
  nearest(snapshot: KnownSnapshot): SnapshotPair | undefined {
    return this.bySource.get(sourceOf(snapshot)) ?? this.latest
  }
}

function sourceOf({ host, paths }: KnownSnapshot): string {
  return JSON.stringify([host, ...paths.map(latin1)])
}

function latin1(path: Parameters<typeof nameBytes>[0]): string {
  return nameBytes(path).toString('latin1')
}
