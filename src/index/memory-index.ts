import { type ChunkId, chunkId, type FileId } from '../encoding/index.ts'
import { checkAborted } from '../errors/index.ts'
import { CHUNK_ROW_BYTES, FIRST_BLOCK_OFFSET, type IndexFacts, type PackFacts } from './facts.ts'
import {
  type BlockPlace,
  type ChunkPlace,
  type ClientIndex,
  type Home,
  type PackRow,
  rankOf,
  stateOf,
} from './places.ts'
import { countChunks } from './rows.ts'

/** What is known of a pack; `facts` once an index file lists it. */
interface MemoryPack {
  readonly number: number
  readonly id: FileId
  facts: PackFacts | undefined
  blocks: readonly BlockPlace[]
  chunkCount: number
  condemned: boolean
  lost: boolean
}

interface MemoryChunk {
  readonly id: ChunkId
  readonly number: number
  readonly homes: Home[]
}

/** An index for one process that keeps nothing: about 300 bytes a chunk. */
export function createMemoryIndex(): ClientIndex {
  const files = new Set<FileId>()
  const replaced = new Set<FileId>()
  const packs = new Map<FileId, MemoryPack>()
  const packsByNumber = new Map<number, MemoryPack>()
  const chunks = new Map<string, MemoryChunk>()
  const cached = new Map<string, Buffer>()
  let packNumbers = 0
  let chunkNumbers = 0
  let generation = 0
  let losses = 0

  const packOf = (id: FileId): MemoryPack => {
    const found = packs.get(id)
    if (found !== undefined) return found
    const pack = {
      number: packNumbers++,
      id,
      facts: undefined,
      blocks: [],
      chunkCount: 0,
      condemned: false,
      lost: false,
    }
    packs.set(id, pack)
    packsByNumber.set(pack.number, pack)
    return pack
  }
  const list = (facts: PackFacts) => {
    const pack = packOf(facts.id)
    if (pack.facts !== undefined) return
    pack.facts = { ...facts, blocks: [] }
    pack.blocks = placesOf(facts)
    pack.chunkCount = countChunks(facts)
    facts.blocks.forEach((block, number) => {
      let offsetBytes = 0
      for (let at = 0; at < block.chunks.length; at += CHUNK_ROW_BYTES) {
        const row = Buffer.from(block.chunks.subarray(at, at + CHUNK_ROW_BYTES))
        const lengthBytes = row.readUInt32LE(32)
        const key = row.toString('latin1', 0, 32)
        const chunk = chunks.get(key) ?? {
          id: chunkId(row.subarray(0, 32)),
          number: chunkNumbers++,
          homes: [],
        }
        chunk.homes.push({ pack: pack.number, block: number, offsetBytes, lengthBytes })
        chunks.set(key, chunk)
        offsetBytes += lengthBytes
      }
    })
  }
  const lose = (pack: MemoryPack, how: 'condemned' | 'lost') => {
    if (!pack.condemned && !pack.lost) losses++
    pack[how] = true
  }
  const take = ({ packs: listed, condemned, replaces }: IndexFacts) => {
    for (const pack of listed) list(pack)
    for (const id of condemned) lose(packOf(id), 'condemned')
    for (const id of replaces) replaced.add(id)
  }
  const chunkOf = (id: ChunkId) => chunks.get(latin1(id))
  const placesByRank = (id: ChunkId) =>
    (chunkOf(id)?.homes ?? [])
      .map((home) => ({ home, pack: packsByNumber.get(home.pack)! }))
      .map(({ home, pack }) => ({ place: placeOf(pack, home), rank: rankOf(pack.condemned, pack.lost) }))
      .sort((left, right) => left.rank - right.rank)
  const find = (id: ChunkId) => placesByRank(id).find(({ rank }) => rank === 0)?.place

  return {
    has: (id) => find(id) !== undefined,
    find,
    renew() {},
    files: () => new Set(files),
    async update(added, gone = [], signal) {
      const pending: { readonly file: FileId; readonly facts: IndexFacts }[] = []
      for await (const entry of added) {
        checkAborted(signal)
        pending.push(entry)
      }
      checkAborted(signal)
      const isIn = (id: FileId) => files.has(id) || pending.some(({ file }) => file === id)
      const isReplaced = (id: FileId) =>
        replaced.has(id) || pending.some(({ facts }) => facts.replaces.includes(id))
      if (gone.some((id) => isIn(id) && !isReplaced(id))) return 'rebuild-needed'
      for (const { file, facts } of pending) {
        take(facts)
        files.add(file)
      }
      for (const id of gone) files.delete(id)
      return 'updated'
    },
    findAll: (id) => placesByRank(id).map(({ place }) => place),
    chunkNumber: (id) => chunkOf(id)?.number,
    chunk: chunkOf,
    look(id) {
      const chunk = chunkOf(id)
      if (chunk === undefined) return undefined
      const { lengthBytes } = chunk.homes[0]!
      return { number: chunk.number, lengthBytes, isGood: find(id) !== undefined }
    },
    get chunkNumbers() {
      return chunkNumbers
    },
    get losses() {
      return losses
    },
    get generation() {
      return generation
    },
    *packs() {
      for (const pack of packs.values()) if (pack.facts) yield rowOf(pack, pack.facts)
    },
    pack(id) {
      const pack = packs.get(id)
      return pack?.facts && rowOf(pack, pack.facts)
    },
    isCondemned: (id) => packs.get(id)?.condemned ?? false,
    *condemned() {
      for (const pack of packs.values()) if (pack.condemned) yield pack.id
    },
    *chunks() {
      for (const key of [...chunks.keys()].sort()) yield chunks.get(key)!
    },
    blocks: (packNumber) => packsByNumber.get(packNumber)?.blocks ?? [],
    markLost(ids) {
      for (const id of ids) lose(packOf(id), 'lost')
    },
    markFound(ids) {
      for (const id of ids) packOf(id).lost = false
    },
    getCached(name) {
      const bytes = cached.get(name)
      return bytes && Buffer.from(bytes)
    },
    putCached(entries) {
      for (const [name, bytes] of entries) cached.set(name, Buffer.from(bytes))
    },
    removeCached(names) {
      for (const name of names) cached.delete(name)
    },
    *cachedNames() {
      yield* cached.keys()
    },
    async reset() {
      for (const each of [files, replaced, packs, packsByNumber, chunks, cached]) each.clear()
      losses++
      generation++
    },
    address: () => undefined,
    async close() {},
  }
}

function latin1(id: ChunkId): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')
}

function placesOf(facts: PackFacts): BlockPlace[] {
  let offsetBytes = FIRST_BLOCK_OFFSET
  return facts.blocks.map(({ storedBytes, payloadBytes, plainBytes, method }, number) => {
    const place = {
      pack: facts.id,
      kind: facts.kind,
      salt: facts.salt,
      number,
      offsetBytes,
      storedBytes,
      payloadBytes,
      plainBytes,
      method,
    }
    offsetBytes += storedBytes
    return place
  })
}

function placeOf(pack: MemoryPack, home: Home): ChunkPlace {
  const { offsetBytes, lengthBytes } = home
  return { block: pack.blocks[home.block]!, offsetBytes, lengthBytes }
}

function rowOf(pack: MemoryPack, facts: PackFacts): PackRow {
  const { kind, sizeBytes, session, salt } = facts
  return {
    number: pack.number,
    id: pack.id,
    kind,
    sizeBytes,
    session,
    salt,
    chunkCount: pack.chunkCount,
    state: stateOf(pack.condemned, pack.lost),
  }
}
