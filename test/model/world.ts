import type { Backend, MemoryOperation } from '../../src/backend/index.ts'
import type { Subkeys } from '../../src/crypto/index.ts'
import type { ChunkId, FileId } from '../../src/encoding/index.ts'
import type { Repository, RepositoryConfig } from '../../src/repository/index.ts'
import type { Product } from './product.ts'
import type { Random } from './random.ts'

/** The moment all clocks show. */
export const NOW_MS: number = Date.UTC(2100, 0, 1)

/** As the age of a session that nobody waits for: also of one that is younger than now. */
export const NO_AGE_MS: number = -3_600_000

/** What has been promised to somebody; the checks hold the repository to it. */
export interface Ledger {
  /** Snapshots whose backups reported success. */
  readonly reported: Set<FileId>
  /** Snapshots somebody set out to forget. */
  readonly forgotten: Set<FileId>
  /** Times a backup began again since somebody gave up on it. */
  restarts: number
  /** Snapshots begun so far: each has a time of its own. */
  begun: number
}

/** A repository's storage with what was promised about it. */
export interface World {
  readonly product: Product
  readonly files: Map<string, Buffer>
  readonly ledger: Ledger
}

export function createWorld(product: Product): World {
  return {
    product,
    files: new Map(),
    ledger: { reported: new Set(), forgotten: new Set(), restarts: 0, begun: 0 },
  }
}

/** The same state, free to go another way. Stored bytes are shared: nobody changes them. */
export function cloneWorld({ product, files, ledger }: World): World {
  return {
    product,
    files: new Map(files),
    ledger: { ...ledger, reported: new Set(ledger.reported), forgotten: new Set(ledger.forgotten) },
  }
}

/** One client's way to the storage. */
export interface Access {
  /** Resolves when a call may take effect. Default: at once. */
  readonly onCall?: (operation: MemoryOperation, name: string) => Promise<void>
  /** Index files are listed in two pages, each with its own picture: the page of a name. Default: one page. */
  readonly pageOf?: ((name: string) => number) | undefined
  readonly onNotice?: (message: string) => void
  /** Of the repository. Default: the one that all actors share. */
  readonly id?: Uint8Array
}

const masterKey = Buffer.alloc(32, 7)
const subkeysOf = new WeakMap<Product, Subkeys>()

/** Open the repository as a client of its own, with an empty local index: what a command does when it begins. */
export function openClient(world: World, access: Access = {}): Repository {
  const { product, files } = world
  const { onCall, pageOf, onNotice = () => {}, id = Buffer.alloc(16, 1) } = access
  const subkeys = subkeysOf.get(product) ?? product.crypto.deriveSubkeys(masterKey)
  subkeysOf.set(product, subkeys)
  const backend = product.backend.createMemoryBackend(onCall === undefined ? { files } : { files, onCall })
  const config: RepositoryConfig = {
    id,
    readVersion: 1,
    writeVersion: 1,
    requiredFeatures: [],
    optionalFeatures: [],
    chunker: product.backup.chunkerConfig(),
    createdMs: NOW_MS,
  }
  return new product.repository.Repository({
    backend: pageOf === undefined ? backend : listInPages(backend, pageOf),
    config,
    masterKey,
    subkeys,
    settings: { ...product.repository.defaultSettings, compressionLevel: 1 },
    index: product.index.createMemoryIndex(),
    indexDirectory: undefined,
    keyName: '0'.repeat(64) as FileId,
    onNotice,
  })
}

/**
 * Storage whose listings are no pictures of one moment: names of the second page are listed after those of the
 * first, as with S3 and readdir. A file that is there throughout is listed; one that comes or goes may not be.
 */
function listInPages(backend: Backend, pageOf: (name: string) => number): Backend {
  const { location } = backend
  return {
    location,
    get: (...call) => backend.get(...call),
    getRange: (...call) => backend.getRange(...call),
    fillRange: (...call) => backend.fillRange(...call),
    put: (...call) => backend.put(...call),
    putNew: (...call) => backend.putNew(...call),
    stage: (owner) => backend.stage(owner),
    async *list(directory, signal) {
      for (const page of directory === 'index' ? [0, 1] : [undefined]) {
        for await (const file of backend.list(directory, signal)) {
          if (page === undefined || pageOf(file.name) === page) yield file
        }
      }
    },
    remove: (...call) => backend.remove(...call),
    close: () => backend.close(),
  }
}

/** Every name has a page from when it is first seen: the next of `first`, then one that is drawn. */
export function drawPages(random: Random, first: readonly number[] = []): (name: string) => number {
  const pages = new Map<string, number>()
  return (name) => {
    const page = pages.get(name) ?? first[pages.size] ?? random.below(2)
    pages.set(name, page)
    return page
  }
}

/** Read everything below a tree. @returns what is wrong; undefined when it is whole */
export async function readWhole(
  { product }: World,
  repository: Repository,
  tree: ChunkId,
  known: Set<string> = new Set(),
): Promise<string | undefined> {
  const data: ChunkId[] = []
  const isNew = (id: ChunkId): boolean => {
    const name = Buffer.from(id).toString('latin1')
    return !known.has(name) && known.add(name) !== undefined
  }
  try {
    await product.tree.visitTree(repository, tree, {
      enterTree: isNew,
      data: (ids) => data.push(...ids.filter(isNew)),
    })
    for (const id of data) await repository.readChunk('data', id)
    return undefined
  } catch (error) {
    // What was passed on the way is not known to be whole.
    known.clear()
    return (error as Error).message
  }
}

/**
 * Look at the repository as a client that comes just now.
 *
 * - S1: a snapshot whose backup reported success, and that nobody set out to forget, is there and whole
 * - S2: a snapshot that is shown as confirmed is whole
 * - S3: a pack that an index file lists is stored, or is known to be condemned
 *
 * @returns what is violated
 */
export async function findViolation(world: World): Promise<string | undefined> {
  const { product, ledger } = world
  const repository = openClient(world)
  try {
    await repository.loadIndex()
    const sizes = new Map<FileId, number>()
    for await (const pack of product.repository.listPacks(repository)) sizes.set(pack.id, pack.sizeBytes)
    for (const row of repository.index.packs()) {
      if (row.state === 'good' && sizes.get(row.id) !== row.sizeBytes)
        return `S3: pack ${row.id} is listed, not condemned and not stored`
    }
    const { snapshots, damaged } = await product.snapshot.listSnapshots(repository)
    if (damaged.length > 0) return `snapshot ${damaged[0]!.id} cannot be read`
    const ids = new Set(snapshots.map((snapshot) => snapshot.id))
    for (const id of ledger.reported) {
      if (!ids.has(id) && !ledger.forgotten.has(id)) return `S1: reported snapshot ${id} is gone`
    }
    const whole = new Set<string>()
    for (const snapshot of snapshots) {
      const problem = await readWhole(world, repository, snapshot.tree, whole)
      if (problem === undefined) continue
      const { id, isConfirmed } = snapshot
      if (ledger.reported.has(id) && !ledger.forgotten.has(id))
        return `S1: reported snapshot ${id}: ${problem}`
      if (isConfirmed) return `S2: confirmed snapshot ${id}: ${problem}`
    }
    return undefined
  } catch (error) {
    return `a client that comes now fails: ${(error as Error).stack}`
  }
}

/**
 * L1: when everybody stops here, prunes that give up on every session and run alone leave no pack that nobody
 * needs, nothing pending, and every whole snapshot whole.
 *
 * @param world is changed
 * @returns what is violated
 */
export async function findLeftover(world: World): Promise<string | undefined> {
  const { product } = world
  const client = (): Repository => openClient(world)
  try {
    for (let round = 0; round < 2; round++)
      await product.prune.prune(client(), { sessionAgeMs: NO_AGE_MS, maxUnused: 0, nowMs: NOW_MS })
    const violation = await findViolation(world)
    if (violation !== undefined) return `after prunes alone: ${violation}`
    const repository = client()
    await repository.loadIndex()
    const needed = product.snapshot.createChunkSet(repository)
    for (const { tree } of (await product.snapshot.listSnapshots(repository)).snapshots) {
      await product.tree.visitTree(repository, tree, {
        enterTree: (id) => needed.add(id),
        data: (ids) => ids.forEach((id) => void needed.add(id)),
        unreadable: () => {},
      })
    }
    const used = new Set<number>()
    for (const chunk of repository.index.chunks())
      if (needed.has(chunk.id)) for (const home of chunk.homes) used.add(home.pack)
    for await (const pack of product.repository.listPacks(repository)) {
      const row = repository.index.pack(pack.id)
      if (row === undefined || !used.has(row.number)) return `L1: nobody needs pack ${pack.id}`
    }
    for await (const file of repository.backend.list('pending')) return `L1: ${file.name} is left`
    return undefined
  } catch (error) {
    return `a prune alone fails: ${(error as Error).stack}`
  }
}
