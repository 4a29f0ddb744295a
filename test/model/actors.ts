import type { ChunkId, FileId, SessionId } from '../../src/encoding/index.ts'
import type { Repository, RunWriter } from '../../src/repository/index.ts'
import type { SnapshotRecord } from '../../src/snapshot/index.ts'
import type { DirectoryNode, FileNode } from '../../src/tree/index.ts'
import type { Product } from './product.ts'
import { createRandom, type Random } from './random.ts'
import { createWorld, NO_AGE_MS, NOW_MS, openClient, readWhole, type World } from './world.ts'

/** What an actor does: one command, or several in order. */
export interface Program {
  readonly name: string
  run(actor: Actor): Promise<void>
}

/** A client at work. */
export interface Actor {
  readonly world: World
  readonly repository: Repository
  /** Draws of this actor alone, so that they do not depend on the order of calls. */
  readonly random: Random
  /** Listings are pictures of one moment. */
  readonly isListedAtOnce: boolean
}

/** One after the other with one local index, as one user's commands do. */
export function inTurn(...programs: readonly Program[]): Program {
  return {
    name: programs.map((program) => program.name).join(', '),
    async run(actor) {
      for (const program of programs) await program.run(actor)
    },
  }
}

/** Tables of chunks stored by a run are tiny. */
const TABLE_SLOTS = 64

/**
 * Back up: files named by their contents, each one chunk. `a` is a file of the root, `x/y/a` one of directory y in x.
 *
 * @param paths in order of names
 */
export function backup(...paths: readonly string[]): Program {
  return {
    name: `backup ${paths.join(' ')}`,
    async run({ world, repository }) {
      const { product, ledger } = world
      const timeMs = NOW_MS + ledger.begun++
      const options = { operation: 'backup', nowMs: NOW_MS, tableSlots: TABLE_SLOTS }
      const id = await product.snapshot.commitSnapshot(repository, options, async (writer) =>
        draftOf(await storeTree(world, repository, writer, paths), timeMs),
      )
      ledger.reported.add(id!)
    },
  }
}

async function storeTree(
  { product }: World,
  repository: Repository,
  writer: RunWriter,
  paths: readonly string[],
): Promise<ChunkId> {
  const fileNode = (name: string): FileNode => {
    const bytes = contentOf(name)
    const id = repository.chunkIdOf('data', bytes)
    writer.saveChunk('data', id, bytes)
    return {
      ...commonFields,
      type: 'file',
      name,
      sizeBytes: BigInt(bytes.length),
      content: { depth: 0, ids: id },
    }
  }
  const storeDirectory = (below: readonly string[]): ChunkId => {
    const directory = product.tree.createDirectoryWriter(writer)
    const names = new Map<string, string[]>()
    for (const path of below) {
      const [name, ...rest] = path.split('/') as [string, ...string[]]
      names.set(name, [...(names.get(name) ?? []), ...(rest.length > 0 ? [rest.join('/')] : [])])
    }
    for (const [name, inside] of names) {
      if (inside.length === 0) directory.add(fileNode(name))
      else directory.add({ ...directoryFields, type: 'directory', name, tree: storeDirectory(inside) })
    }
    // The next directory is written into the same memory.
    return Uint8Array.from(directory.finish()) as Uint8Array as ChunkId
  }
  const root = storeDirectory(paths)
  await writer.drained()
  return root
}

/** A capital letter stands for a chunk that is large enough to be a block of its own. */
export function contentOf(name: string): Buffer {
  return Buffer.alloc(/[A-Z]/.test(name) ? 600_000 : 300, name)
}

const directoryFields: Omit<DirectoryNode, 'type' | 'name' | 'tree'> = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  user: '',
  group: '',
  mtimeNs: 0n,
  ctimeNs: 0n,
  atimeNs: null,
  xattrs: [],
}
const commonFields: Omit<FileNode, 'type' | 'name' | 'sizeBytes' | 'content'> = {
  ...directoryFields,
  inode: 1n,
  links: 1,
  fileSystem: null,
  racy: false,
  holes: [],
}

function draftOf(tree: ChunkId, timeMs: number): Omit<SnapshotRecord, 'session'> {
  return {
    timeMs,
    offsetMinutes: 0,
    host: 'model',
    user: '',
    uid: 0,
    gid: 0,
    paths: ['/'],
    tags: [],
    description: '',
    excludes: [],
    programVersion: '0',
    parent: null,
    original: null,
    tree,
    summary: {
      filesNew: 0,
      filesChanged: 0,
      filesUnmodified: 0,
      directoriesNew: 0,
      directoriesChanged: 0,
      directoriesUnmodified: 0,
      dataChunks: 0,
      treeChunks: 0,
      addedBytes: 0,
      addedPackedBytes: 0,
      totalFiles: 0,
      totalBytes: 0,
      durationMs: 0,
      errors: 0,
    },
    incomplete: false,
    git: null,
  }
}

/** The real backup of a directory, reading its files and reusing the parent's nodes. */
export function backupDirectory(directory: string, ...leftOut: readonly string[]): Program {
  return {
    name: `backup of a directory but ${leftOut.join(' ') || 'nothing'}`,
    async run({ world, repository }) {
      const { product, ledger } = world
      const { snapshotId } = await product.backup.backup(repository, [directory], {
        timeMs: NOW_MS + ledger.begun++,
        excludes: { patterns: leftOut },
        threads: 0,
      })
      ledger.reported.add(snapshotId!)
    },
  }
}

/** Forget snapshots that are listed: the one at a place from the oldest on, all, or one drawn. */
export function forget(which: number | 'all' | 'any'): Program {
  return {
    name: `forget ${which}`,
    async run({ world, repository, random }) {
      const { product, ledger } = world
      const { snapshots } = await product.snapshot.listSnapshots(repository)
      if (snapshots.length === 0) return
      const at = which === 'any' ? random.below(snapshots.length) : which
      const ids = snapshots.filter((_, place) => at === 'all' || at === place).map(({ id }) => id)
      for (const id of ids) ledger.forgotten.add(id)
      await product.forget.removeSnapshots(repository, ids)
    },
  }
}

/** @param givesUp waits for no session, instead of for every one */
export function prune(givesUp: boolean): Program {
  return {
    name: givesUp ? 'prune that gives up' : 'prune',
    async run({ world, repository }) {
      const age = givesUp ? { sessionAgeMs: NO_AGE_MS } : {}
      await world.product.prune.prune(repository, { ...age, maxUnused: 0, nowMs: NOW_MS })
    },
  }
}

/** Make whole snapshots of what is left of damaged ones, and confirm those that are whole. */
export const repair: Program = {
  name: 'repair snapshots',
  async run({ world, repository }) {
    const { product, ledger } = world
    for (const { repaired } of await product.repair.repairSnapshots(repository, { nowMs: NOW_MS }))
      if (repaired !== undefined) ledger.reported.add(repaired)
  },
}

/** Copy what another repository has: two snapshots, which share a file with each other and with backups here. */
export const copy: Program = {
  name: 'copy',
  async run({ world, repository }) {
    const { product, ledger } = world
    const options = { nowMs: NOW_MS }
    const results = await product.copy.copySnapshots(await openElsewhere(product), repository, options)
    // One that is there already is somebody else's to report.
    for (const { outcome, copy: id } of results) if (outcome === 'copied') ledger.reported.add(id!)
  },
}

const elsewhere = new WeakMap<Product, Promise<World>>()

async function openElsewhere(product: Product): Promise<Repository> {
  const create = async (): Promise<World> => {
    const world = createWorld(product)
    const actor = {
      world,
      repository: openClient(world, ELSEWHERE),
      random: createRandom(1),
      isListedAtOnce: true,
    }
    for (const program of [backup('a', 'b'), backup('b', 'x/c')]) await program.run(actor)
    return world
  }
  const made = elsewhere.get(product) ?? create()
  elsewhere.set(product, made)
  return openClient(await made, ELSEWHERE)
}

const ELSEWHERE = { id: Buffer.alloc(16, 2) }

/** Somebody declares a session over that was listed, however late: it may have ended meanwhile. */
export const giveUp: Program = {
  name: 'give up',
  async run({ world, repository, random }) {
    const { listSessions, declareOver } = world.product.repository
    const { alive } = await listSessions(repository.backend)
    if (alive.size === 0) return
    const session = random.pick([...alive])
    await declareOver(repository.backend, repository, session, 'f'.repeat(32) as SessionId)
  },
}

/**
 * Load the index, which has to bring every fact that was durable when it began, and read every snapshot that is
 * shown as confirmed. One that is forgotten meanwhile may fail.
 */
export const read: Program = {
  name: 'read',
  async run({ world, repository, isListedAtOnce }) {
    const before = openClient({ ...world, files: new Map(world.files) })
    await repository.loadIndex()
    if (isListedAtOnce) await compareFacts(before, repository)
    const { snapshots } = await world.product.snapshot.listSnapshots(repository)
    for (const snapshot of snapshots.filter((one) => one.isConfirmed)) {
      const problem = await readWhole(world, repository, snapshot.tree)
      if (problem === undefined || !(await isListed(repository, snapshot.id))) continue
      throw new Error(`S2: a reader finds confirmed snapshot ${snapshot.id} broken: ${problem}`)
    }
  },
}

async function compareFacts(before: Repository, after: Repository): Promise<void> {
  await before.loadIndex()
  for (const { id } of before.index.packs()) {
    if (after.index.pack(id) === undefined && !after.index.isCondemned(id))
      throw new Error(`a load misses pack ${id}`)
  }
  for (const id of before.index.condemned()) {
    if (!after.index.isCondemned(id)) throw new Error(`a load misses that pack ${id} is condemned`)
  }
}

async function isListed(repository: Repository, snapshot: FileId): Promise<boolean> {
  for await (const file of repository.backend.list('snapshots')) if (file.name.endsWith(snapshot)) return true
  return false
}
