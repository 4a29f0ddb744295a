import type { FileId, SessionId } from '../encoding/index.ts'
import { checkAborted, hasCode } from '../errors/index.ts'
import {
  endSession,
  fileName,
  indexFileValue,
  listFiles,
  listPacks,
  listSessions,
  type PackContent,
  type PackFacts,
  parseIndexFile,
  parsePending,
  pendingValue,
  problemOf,
  type Repository,
  type StoredPack,
  startSession,
} from '../repository/index.ts'

export interface RepairIndexOptions {
  /** Read the footer of every pack, also of those that sound index files list. Default false. */
  readonly readAll?: boolean | undefined
  /** Default: now. */
  readonly nowMs?: number | undefined
  /** Footers read, of how many. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface RepairIndexResult {
  /** Index files that were sound. */
  readonly soundFiles: number
  /** Index files that could not be read, and were removed. */
  readonly removedFiles: readonly FileId[]
  readonly writtenFiles: readonly FileId[]
  /** Packs that are listed now and were not before; with `readAll` every pack whose footer was read. */
  readonly listedPacks: number
  /** Packs whose footers cannot be read, by name in the repository. */
  readonly unreadable: readonly { readonly file: string; readonly problem: string }[]
  /** Packs that the index lists and that are gone: from now on the index does not count on them. */
  readonly missingPacks: readonly FileId[]
  /** Packs condemned anew, the missing ones included. */
  readonly condemnedPacks: number
}

/** What the sound index files say, as far as it matters here. */
interface Known {
  readonly sound: readonly FileId[]
  readonly damaged: readonly FileId[]
  readonly listed: ReadonlySet<FileId>
  readonly condemned: ReadonlySet<FileId>
}

/** Bytes of chunk tables, or number of packs, after which an index file is written. */
const FILE_BYTES = 8 * 1024 * 1024
const FILE_PACKS = 65_536

/**
 * Make the index say again what the packs hold: packs in no sound index file are listed from their own footers,
 * packs named in `pending/` are condemned (what condemned them may be lost), packs that are listed but gone are
 * condemned too, and only when all that is durable are index files removed that cannot be read.
 *
 * Holds a session. No prune may be under way: one that has condemned packs and not yet named them in `pending/`
 * is the one thing an index that was lost cannot be rebuilt from. Twice is fine: the second time writes nothing.
 *
 * @throws HoldfastError NEWER_FORMAT, with nothing removed, for an index file of a newer format; INTERRUPTED
 */
export async function repairIndex(
  repository: Repository,
  options: RepairIndexOptions = {},
): Promise<RepairIndexResult> {
  repository.checkWritable()
  const { backend } = repository
  const session = await startSession(backend, repository, 'repair', options.nowMs ?? Date.now())
  try {
    return await rebuild(repository, session, options)
  } finally {
    await endSession(backend, session)
  }
}

async function rebuild(
  repository: Repository,
  session: SessionId,
  options: RepairIndexOptions,
): Promise<RepairIndexResult> {
  const { signal } = options
  // Facts only grow: what this client knows to be condemned stays so, also when no index file says it any more.
  const remembered = [...repository.index.condemned()]
  const known = await readKnown(repository, signal)
  const stored: StoredPack[] = []
  for await (const pack of listPacks(repository, signal)) stored.push(pack)
  const missingPacks = await findMissing(repository, known, stored, signal)
  const pending = await pendingPacks(repository, signal)
  const condemn = new Set(
    [...remembered, ...pending, ...missingPacks].filter((id) => !known.condemned.has(id)),
  )

  const wanted = stored.filter((pack) => options.readAll || !known.listed.has(pack.id))
  const writer = new FactsWriter(
    repository,
    session,
    options.readAll ? [...known.condemned, ...condemn] : [...condemn],
  )
  const unreadable: { file: string; problem: string }[] = []
  let done = 0
  for (const pack of wanted) {
    checkAborted(signal)
    let footer: PackContent | undefined
    try {
      footer = await repository.readPack(pack, signal)
    } catch (error) {
      // Deleted by a prune since it was listed.
      if (!hasCode(error, 'NO_SUCH_FILE'))
        unreadable.push({ file: fileName(pack.kind, pack.id), problem: problemOf(error) })
    }
    if (footer !== undefined) await writer.add({ ...pack, ...footer })
    options.onProgress?.({ done: ++done, total: wanted.length })
  }
  // Files that the new ones repeat wholly go like merged ones: by a prune, once nobody can be reading them.
  const isRepeated = options.readAll === true && unreadable.length === 0 && known.sound.length > 0
  await writer.finish([...known.damaged, ...(isRepeated ? known.sound : [])])
  if (isRepeated) await putPending(repository, session, known.sound)
  for (const file of known.damaged) await repository.removeFile('index', file)
  await repository.loadIndex({ signal })
  return {
    soundFiles: known.sound.length,
    removedFiles: known.damaged,
    writtenFiles: writer.files,
    listedPacks: writer.packCount,
    unreadable,
    missingPacks,
    condemnedPacks: condemn.size,
  }
}

/** Packs that are listed and gone, though nobody has condemned them. */
async function findMissing(
  repository: Repository,
  known: Known,
  stored: readonly StoredPack[],
  signal: AbortSignal | undefined,
): Promise<FileId[]> {
  const present = new Set(stored.map((pack) => pack.id))
  const missing = [...known.listed].filter((id) => !present.has(id) && !known.condemned.has(id))
  if (missing.length === 0) return missing
  // What a prune has deleted by the time the packs were listed is condemned in what is read after that.
  const { condemned } = await readKnown(repository, signal)
  return missing.filter((id) => !condemned.has(id))
}

async function putPending(
  repository: Repository,
  own: SessionId,
  indexFiles: readonly FileId[],
): Promise<void> {
  const { alive } = await listSessions(repository.backend)
  const sessions = [...alive].filter((session) => session !== own)
  await repository.putValue('pending', pendingValue({ packs: [], indexFiles, sessions }), own)
}

/** Read every index file from storage. Memory: one file, and the names of packs. */
async function readKnown(repository: Repository, signal: AbortSignal | undefined): Promise<Known> {
  const sound: FileId[] = []
  const damaged: FileId[] = []
  const listed = new Set<FileId>()
  const condemned = new Set<FileId>()
  for await (const { id: file } of listFiles(repository.backend, 'index', signal)) {
    try {
      const facts = await repository.getValue('index', file, parseIndexFile, { signal })
      sound.push(file)
      for (const pack of facts.packs) listed.add(pack.id)
      for (const pack of facts.condemned) condemned.add(pack)
    } catch (error) {
      // One that is gone was merged into another, which is read too or lists the same packs.
      if (hasCode(error, 'NO_SUCH_FILE')) continue
      if (!hasCode(error, 'DAMAGED')) throw error
      damaged.push(file)
    }
  }
  return { sound, damaged, listed, condemned }
}

/** Packs that some prune has condemned. A pending file that cannot be read can make nobody delete them either. */
async function pendingPacks(repository: Repository, signal: AbortSignal | undefined): Promise<FileId[]> {
  const packs: FileId[] = []
  for await (const { id: file } of listFiles(repository.backend, 'pending', signal)) {
    try {
      packs.push(...(await repository.getValue('pending', file, parsePending, { signal })).packs)
    } catch (error) {
      if (hasCode(error, 'NO_SUCH_FILE')) continue
      if (!hasCode(error, 'DAMAGED')) throw error
      repository.onNotice(`${error.message}; going on without it`)
    }
  }
  return packs
}

/**
 * Writes facts into index files of bounded size. What is condemned goes into the first one: a pack that is to go
 * must never be seen as a good copy, not between two files either.
 */
class FactsWriter {
  readonly files: FileId[] = []
  packCount = 0
  private readonly repository: Repository
  private readonly session: SessionId
  private condemned: readonly FileId[]
  private packs: PackFacts[] = []
  private bytes = 0

  constructor(repository: Repository, session: SessionId, condemned: readonly FileId[]) {
    this.repository = repository
    this.session = session
    this.condemned = condemned
  }

  async add(pack: PackFacts): Promise<void> {
    this.packs.push(pack)
    this.packCount++
    this.bytes += pack.blocks.reduce((sum, block) => sum + block.chunks.length, 0)
    if (this.bytes >= FILE_BYTES || this.packs.length >= FILE_PACKS) await this.write([])
  }

  /** Everything added is durable when this resolves. @param replaces files that those written here replace */
  async finish(replaces: readonly FileId[]): Promise<void> {
    if (this.packs.length + this.condemned.length + replaces.length > 0) await this.write(replaces)
  }

  private async write(replaces: readonly FileId[]): Promise<void> {
    const { packs, condemned } = this
    const value = indexFileValue({ packs, condemned, replaces })
    this.files.push(await this.repository.putValue('index', value, this.session))
    this.condemned = []
    this.packs = []
    this.bytes = 0
  }
}
