import type { FileId } from '../encoding/index.ts'
import { type Environment, readRow, readRowToChange, type View } from './environment.ts'
import { FIRST_BLOCK_OFFSET } from './facts.ts'
import { type BlockPlace, type PackRow, rankOf, stateOf } from './places.ts'
import { BLOCK_BYTES, decodePack, idKey, packKey, type StoredPack } from './rows.ts'

/** Where copies in a pack stand in `findAll`; `unlisted` copies do not count at all. */
export const ranks = { good: 0, condemned: 1, lost: 2, unlisted: 3 } as const

/** Rows kept decoded; a run of look-ups stays within few packs. */
const KEPT_ROWS = 512
const UNKNOWN = 0

/** Packs as one view has them. What is kept is dropped as soon as a view shows that anything changed. */
export interface PackCache {
  /** One of `ranks`. */
  rank(view: View, number: number): number
  /** `rank` where it is known without a read, else undefined. */
  knownRank(view: View, number: number): number | undefined
  /** A listed pack with its blocks. */
  read(view: View, number: number): PackBlocks | undefined
}

interface PackBlocks {
  readonly row: PackRow
  readonly blocks: readonly BlockPlace[]
}

export function createPackCache(environment: Environment): PackCache {
  /** Rank + 1 by pack number; UNKNOWN where it was not read yet. */
  let known = new Uint8Array(0)
  let kept = new Map<number, PackBlocks>()
  let version = -1

  const refresh = (view: View) => {
    if (view.head.version === version) return
    version = view.head.version
    known = new Uint8Array(Math.ceil(view.head.packNumbers * 1.25))
    kept = new Map()
  }
  const load = (view: View, number: number) => {
    const pack = readPack(environment, view, number)
    const rank = pack?.listed ? rankOf(pack.condemned, pack.lost) : ranks.unlisted
    if (number < known.length) known[number] = rank + 1
    return { pack, rank }
  }

  return {
    knownRank(view, number) {
      refresh(view)
      const value = known[number]
      return value === undefined || value === UNKNOWN ? undefined : value - 1
    },
    rank(view, number) {
      return this.knownRank(view, number) ?? load(view, number).rank
    },
    read(view, number) {
      refresh(view)
      const found = kept.get(number)
      if (found !== undefined) return found
      const { pack } = load(view, number)
      if (!pack?.listed) return undefined
      const row = packRow(number, pack)
      const entry = { row, blocks: blockPlaces(pack, row.salt) }
      if (kept.size >= KEPT_ROWS) kept.clear()
      kept.set(number, entry)
      return entry
    },
  }
}

/** The row of a pack in this view, or inside a transaction without one; there it throws `rottenRow`. */
export function readPack(
  environment: Environment,
  view: View | undefined,
  number: number,
): StoredPack | undefined {
  const row = readIn(environment, view, 'packs', packKey(number))
  return row && decodePack(row)
}

/** The number given to a pack id; not every pack with a number is listed. View and errors as in `readPack`. */
export function readPackNumber(
  environment: Environment,
  view: View | undefined,
  id: FileId,
): number | undefined {
  return readIn(environment, view, 'names', idKey(id))?.readUInt32LE(0)
}

function readIn(
  environment: Environment,
  view: View | undefined,
  table: 'packs' | 'names',
  key: Uint8Array,
): Buffer | undefined {
  if (view === undefined) return readRowToChange(environment, table, key)
  return readRow(environment, table, key, view.options)
}

export function packRow(number: number, pack: StoredPack): PackRow {
  const { id, kind, sizeBytes, session, chunkCount } = pack
  const salt = new Uint8Array(pack.salt)
  const state = stateOf(pack.condemned, pack.lost)
  return { number, id, kind, sizeBytes, session, salt, chunkCount, state }
}

function blockPlaces(pack: StoredPack, salt: Uint8Array): BlockPlace[] {
  const view = new DataView(pack.blocks.buffer, pack.blocks.byteOffset, pack.blocks.length)
  const places: BlockPlace[] = []
  let offsetBytes = FIRST_BLOCK_OFFSET
  for (let at = 0; at < view.byteLength; at += BLOCK_BYTES) {
    const storedBytes = view.getUint32(at, true)
    places.push({
      pack: pack.id,
      kind: pack.kind,
      salt,
      number: places.length,
      offsetBytes,
      storedBytes,
      payloadBytes: view.getUint32(at + 4, true),
      plainBytes: view.getUint32(at + 8, true),
      method: view.getUint8(at + 12),
    })
    offsetBytes += storedBytes
  }
  return places
}
