import { type ChunkId, chunkId, type FileId, ID_BYTES, type SessionId } from '../encoding/index.ts'
import { checkAborted, HoldfastError, hasCode } from '../errors/index.ts'
import {
  CHUNK_ROW_BYTES,
  checkPack,
  endSession,
  fileName,
  listFiles,
  listPacks,
  markLostPacks,
  type PackFacts,
  type PackFinding,
  type PackKind,
  packPlaces,
  parseIndexFile,
  type Repository,
  RunWriter,
  type StoredPack,
  startSession,
} from '../repository/index.ts'

export interface RepairPacksOptions {
  /** Packs to look at. Default: those that this client has found missing, short or damaged. */
  readonly packs?: readonly FileId[] | undefined
  /** Default: now. */
  readonly nowMs?: number | undefined
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What has become of one pack. */
export interface RepairedPack {
  readonly id: FileId
  /** Its name in the repository. */
  readonly file: string
  /** sound: nothing is wrong with it. condemned: nothing relies on it any more, the next prune removes it. */
  readonly outcome: 'sound' | 'condemned'
  /** What is wrong with it, a sentence each. */
  readonly problems: readonly string[]
  /** Chunks that only this pack had, and that another has now. */
  readonly savedChunks: number
  /** Chunks that only this pack had, and that cannot be read. */
  readonly lostChunks: number
}

/**
 * Save what damaged packs still hold: chunks that can be read and have no other good copy are stored anew. Then the packs
 * are condemned, for every client: what they have lost counts as new from then on, so that the next backup stores it again.
 * Packs that turn out to be sound are left as they are. Removes nothing; twice is fine.
 *
 * @throws HoldfastError USAGE for a pack that is neither stored nor listed; INTERRUPTED
 */
export async function repairPacks(
  repository: Repository,
  options: RepairPacksOptions = {},
): Promise<RepairedPack[]> {
  repository.checkWritable()
  const { backend } = repository
  const session = await startSession(backend, repository, 'repair', options.nowMs ?? Date.now())
  try {
    return await repair(repository, session, options)
  } finally {
    await endSession(backend, session)
  }
}

async function repair(
  repository: Repository,
  session: SessionId,
  { packs: asked, onProgress, signal }: RepairPacksOptions,
): Promise<RepairedPack[]> {
  const { index } = repository
  await repository.loadIndex({ tolerateDamage: true, signal })
  const generation = repository.loadedGeneration
  await markLostPacks(repository, signal)
  const stored = new Map<FileId, StoredPack>()
  for await (const pack of listPacks(repository, signal)) stored.set(pack.id, pack)
  const lost = [...index.packs()].filter((row) => row.state === 'lost').map(({ id }) => id)
  const wanted = new Set(asked ?? lost)
  for (const id of wanted) {
    if (stored.has(id) || index.pack(id) !== undefined) continue
    throw new HoldfastError('USAGE', `there is no pack ${id}`, {
      hint: 'holdfast verify names damaged packs',
    })
  }
  // A copy in one that is to be looked at is none to rely on.
  const good = [...wanted].filter((id) => index.pack(id)?.state === 'good')
  index.markLost([...wanted])
  const looks: PackLook[] = []
  try {
    return await repairMarked(repository, session, { wanted, stored, looks, generation, onProgress, signal })
  } catch (error) {
    // About the others nothing was found out.
    const damaged = new Set(looks.filter((one) => !isSound(one)).map(({ id }) => id))
    index.markFound(good.filter((id) => !damaged.has(id)))
    throw error
  }
}

const isSound = ({ problems }: PackLook): boolean => problems.length === 0

interface Marked extends Pick<RepairPacksOptions, 'onProgress' | 'signal'> {
  readonly wanted: ReadonlySet<FileId>
  readonly stored: ReadonlyMap<FileId, StoredPack>
  /** Of the index as it was loaded. */
  readonly generation: number
  /** Gets what was looked at. */
  readonly looks: PackLook[]
}

/** @param marked packs that are marked lost */
async function repairMarked(
  repository: Repository,
  session: SessionId,
  { wanted, stored, looks, generation, onProgress, signal }: Marked,
): Promise<RepairedPack[]> {
  const { index } = repository
  const facts = await readFacts(repository, wanted, signal)
  const writer = new RunWriter(repository, session)
  try {
    for (const id of wanted) {
      checkAborted(signal)
      const kind = stored.get(id)?.kind ?? index.pack(id)!.kind
      looks.push(await salvagePack({ repository, writer, signal }, kind, id, stored.get(id), facts.get(id)))
      onProgress?.({ done: looks.length, total: wanted.size })
    }
    await writer.finish()
  } catch (error) {
    await writer.discard()
    throw error
  }
  index.renew()
  if (index.generation !== generation) {
    throw new HoldfastError('FAILED', 'the local index was rebuilt while this ran; nothing was condemned', {
      hint: 'run the same command again: what was saved is reused',
    })
  }
  index.markFound(looks.filter(isSound).map(({ id }) => id))
  const condemned = looks.filter((one) => !isSound(one)).map(({ id }) => id)
  // What was saved is durable and listed.
  if (condemned.length > 0) await repository.putFacts({ packs: [], condemned, replaces: [] }, session)
  return looks.map(({ kind, id, problems, savedChunks, badChunks }) => ({
    id,
    file: fileName(kind, id),
    outcome: problems.length === 0 ? 'sound' : 'condemned',
    problems,
    savedChunks,
    // Another of these packs may have had it.
    lostChunks: badChunks.filter((chunk) => !index.has(chunk)).length,
  }))
}

/** One pack and what was saved of it. */
interface PackLook {
  readonly kind: PackKind
  readonly id: FileId
  readonly problems: readonly string[]
  readonly savedChunks: number
  /** Chunks that it cannot give. */
  readonly badChunks: readonly ChunkId[]
}

interface RepairScene {
  readonly repository: Repository
  readonly writer: RunWriter
  readonly signal: AbortSignal | undefined
}

async function salvagePack(
  scene: RepairScene,
  kind: PackKind,
  id: FileId,
  stored: StoredPack | undefined,
  listed: PackFacts | undefined,
): Promise<PackLook> {
  const { repository, signal } = scene
  const found = stored && (await checkPack(repository, stored, listed, { signal }))
  if (found?.isReadWhole === false) {
    throw new HoldfastError('IO', `${fileName(kind, id)} cannot be read: ${found.problems.join('; ')}`, {
      hint: 'nothing was changed; look at the disk or the connection, then run this again',
    })
  }
  if (found !== undefined && found.problems.length === 0)
    return { kind, id, problems: [], savedChunks: 0, badChunks: [] }
  const problems = found?.problems ?? ['it is not there']
  const content = listed ?? (found && (await footerOf(repository, stored!)))
  const saved = content === undefined ? nothing : await salvage(scene, kind, id, content, found)
  return { kind, id, problems, ...saved }
}

const nothing: Pick<PackLook, 'savedChunks' | 'badChunks'> = { savedChunks: 0, badChunks: [] }

async function footerOf(
  repository: Repository,
  { kind, id, sizeBytes }: StoredPack,
): Promise<Pick<PackFacts, 'salt' | 'blocks'> | undefined> {
  try {
    return await repository.readPack({ kind, id, sizeBytes })
  } catch (error) {
    if (!hasCode(error, 'DAMAGED')) throw error
    return undefined
  }
}

/** Store anew what can be read and has no good copy. @param found undefined for a pack that is not there */
async function salvage(
  { repository, writer, signal }: RepairScene,
  kind: PackKind,
  id: FileId,
  content: Pick<PackFacts, 'salt' | 'blocks'>,
  found: PackFinding | undefined,
): Promise<Pick<PackLook, 'savedChunks' | 'badChunks'>> {
  const bad = found?.badBlocks ?? 'all'
  const isBad = (block: number): boolean => bad === 'all' || bad.has(block)
  const badChunks = content.blocks.flatMap(({ chunks }, block) =>
    isBad(block) ? rowsOf(chunks).map(({ chunk }) => chunk) : [],
  )
  let savedChunks = 0
  const good = packPlaces(kind, id, content).filter(({ number }) => !isBad(number))
  for await (const result of repository.readBlocks(good, signal)) {
    // It could be read a moment ago: what it has is not known to be lost.
    if ('error' in result) throw result.error
    for (const { chunk, offsetBytes, lengthBytes } of rowsOf(content.blocks[result.place.number]!.chunks)) {
      const bytes = result.plain.subarray(offsetBytes, offsetBytes + lengthBytes)
      if (writer.saveChunk(kind, chunk, bytes)) savedChunks++
    }
    await writer.drained()
  }
  return { savedChunks, badChunks }
}

interface ChunkInBlock {
  readonly chunk: ChunkId
  readonly offsetBytes: number
  readonly lengthBytes: number
}

function rowsOf(chunks: Uint8Array): ChunkInBlock[] {
  const view = new DataView(chunks.buffer, chunks.byteOffset, chunks.length)
  const rows: ChunkInBlock[] = []
  let offsetBytes = 0
  for (let at = 0; at < chunks.length; at += CHUNK_ROW_BYTES) {
    const lengthBytes = view.getUint32(at + ID_BYTES, true)
    rows.push({ chunk: chunkId(chunks.subarray(at, at + ID_BYTES)), offsetBytes, lengthBytes })
    offsetBytes += lengthBytes
  }
  return rows
}

/** What index files say of these packs. Memory: an index file, and the rows of the packs asked for. */
async function readFacts(
  repository: Repository,
  wanted: ReadonlySet<FileId>,
  signal: AbortSignal | undefined,
): Promise<Map<FileId, PackFacts>> {
  const facts = new Map<FileId, PackFacts>()
  if (wanted.size === 0) return facts
  for await (const { id: file } of listFiles(repository.backend, 'index', signal)) {
    try {
      const { packs } = await repository.getValue('index', file, parseIndexFile, { signal })
      for (const pack of packs) if (wanted.has(pack.id)) facts.set(pack.id, ownFacts(pack))
    } catch (error) {
      // What was merged meanwhile is in another file; what a damaged one said is in the packs' footers.
      if (!hasCode(error, 'NO_SUCH_FILE') && !hasCode(error, 'DAMAGED')) throw error
    }
  }
  return facts
}

/** The same in memory of its own, so that the index file it came from can go. */
function ownFacts(pack: PackFacts): PackFacts {
  return { ...pack, blocks: pack.blocks.map((block) => ({ ...block, chunks: Buffer.from(block.chunks) })) }
}
