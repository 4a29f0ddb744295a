import type { ChunkId } from '../encoding/index.ts'
import type { Environment, View } from './environment.ts'
import { type PackCache, ranks } from './pack-cache.ts'
import type { ChunkPlace, ChunkReader, ChunkRow, ChunkStanding, Home } from './places.ts'
import { CHECK_BYTES, CHUNK_NUMBER_BYTES, HOME_BYTES, isSound, isWellFormed } from './rows.ts'

/** Where the length stands in a stored home: after pack, block and offset. */
const LENGTH_IN_HOME = 10
/** A row with one home, as most are. */
const ONE_HOME_BYTES = CHUNK_NUMBER_BYTES + HOME_BYTES + CHECK_BYTES

/** A chunk's row as it is stored: its homes may be in packs that are not listed. */
interface StoredChunk {
  readonly number: number
  readonly homes: readonly Home[]
}

export interface LmdbReader extends ChunkReader {
  findAll(id: ChunkId): ChunkPlace[]
  chunkNumber(id: ChunkId): number | undefined
  look(id: ChunkId): ChunkStanding | undefined
  chunk(id: ChunkId): ChunkRow | undefined
}

export function createReader(environment: Environment, packs: PackCache): LmdbReader {
  const table = environment.tables.chunks
  /** The row's bytes, valid until the next read; undefined when it is missing or rotten. */
  const row = (view: View, id: ChunkId): Buffer | undefined => {
    const value = table.getBinaryFast(id, view.options)
    if (value === undefined || !isSound(environment.check, 'chunks', id, value)) return undefined
    return isWellFormed('chunks', id, value) ? value : undefined
  }
  const homesByRank = (id: ChunkId, worst: number) => {
    const view = environment.view()
    const value = row(view, id)
    if (value === undefined) return []
    const found = decodeChunk(value).homes.map((home) => ({ home, rank: packs.rank(view, home.pack) }))
    return found.filter(({ rank }) => rank <= worst).sort((left, right) => left.rank - right.rank)
  }
  const place = (home: Home): ChunkPlace[] => {
    const block = packs.read(environment.view(), home.pack)?.blocks[home.block]
    return block ? [{ block, offsetBytes: home.offsetBytes, lengthBytes: home.lengthBytes }] : []
  }

  const look = (id: ChunkId): ChunkStanding | undefined => {
    const view = environment.view()
    const value = row(view, id)
    if (value === undefined) return undefined
    const number = value.readUInt32LE(0)
    const lengthBytes = value.readUInt32LE(CHUNK_NUMBER_BYTES + LENGTH_IN_HOME)
    const end = value.length - CHECK_BYTES
    let best: number = ranks.unlisted
    for (let at = CHUNK_NUMBER_BYTES; at < end; at += HOME_BYTES) {
      const rank = packs.knownRank(view, value.readUInt32LE(at))
      if (rank === undefined) {
        // Reading a pack's row would overwrite the chunk's.
        best = homesByRank(id, ranks.lost)[0]?.rank ?? ranks.unlisted
        break
      }
      if (rank < best) best = rank
    }
    return best === ranks.unlisted ? undefined : { number, lengthBytes, isGood: best === ranks.good }
  }

  return {
    has(id) {
      const view = environment.view()
      const value = row(view, id)
      if (value === undefined) return false
      const end = value.length - CHECK_BYTES
      for (let at = CHUNK_NUMBER_BYTES; at < end; at += HOME_BYTES) {
        const rank = packs.knownRank(view, value.readUInt32LE(at))
        if (rank === ranks.good) return true
        // Reading a pack's row would overwrite the chunk's.
        if (rank === undefined) return homesByRank(id, ranks.good).length > 0
      }
      return false
    },
    find(id) {
      const view = environment.view()
      const value = row(view, id)
      if (value === undefined) return undefined
      if (value.length === ONE_HOME_BYTES) {
        const home = homeAt(value, CHUNK_NUMBER_BYTES)
        return packs.rank(view, home.pack) === ranks.good ? place(home)[0] : undefined
      }
      return homesByRank(id, ranks.good).flatMap(({ home }) => place(home))[0]
    },
    findAll(id) {
      return homesByRank(id, ranks.lost).flatMap(({ home }) => place(home))
    },
    chunkNumber: (id) => look(id)?.number,
    look,
    chunk(id) {
      const view = environment.view()
      const value = row(view, id)
      return value && listedChunk(packs, view, id, value)
    },
    renew: () => environment.renew(),
  }
}

/** Decode a sound and well-formed row, without copies that do not count; undefined where none is left. */
export function listedChunk(packs: PackCache, view: View, id: ChunkId, value: Buffer): ChunkRow | undefined {
  const { number, homes } = decodeChunk(value)
  const isListed = (home: Home) => packs.rank(view, home.pack) !== ranks.unlisted
  const listed = homes.every(isListed) ? homes : homes.filter(isListed)
  return listed.length === 0 ? undefined : { id, number, homes: listed }
}

/** Decode a sound and well-formed row. */
function decodeChunk(value: Buffer): StoredChunk {
  const homes: Home[] = []
  const end = value.length - CHECK_BYTES
  for (let at = CHUNK_NUMBER_BYTES; at < end; at += HOME_BYTES) {
    homes.push(homeAt(value, at))
  }
  return { number: value.readUInt32LE(0), homes }
}

function homeAt(value: Buffer, at: number): Home {
  return {
    pack: value.readUInt32LE(at),
    block: value.readUInt16LE(at + 4),
    offsetBytes: value.readUInt32LE(at + 6),
    lengthBytes: value.readUInt32LE(at + 10),
  }
}
