import { createCipheriv } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryBackend, openBackend } from '../../src/backend/index.ts'
import { backup, chunkerConfig } from '../../src/backup/index.ts'
import type { Secret } from '../../src/crypto/index.ts'
import type { FileId, SessionId } from '../../src/encoding/index.ts'
import { removeSnapshots } from '../../src/forget/index.ts'
import {
  addKey,
  createRepository,
  declareOver,
  indexFileValue,
  openRepository,
  type PackFacts,
  parseIndexFile,
  pendingValue,
  type Repository,
  startSession,
} from '../../src/repository/index.ts'

/** The key file that opens the repository, and another one. */
export const secret: Secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 5) }
const otherSecret: Secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 6) }

/** What one backup has added. */
export interface Run {
  readonly snapshot: FileId
  readonly dataPack: FileId
  readonly treePack: FileId
  readonly indexFile: FileId
}

/**
 * A small real repository with everything a repository can hold:
 *
 * - run 0: `one.bin` (several blocks) and `deep/steady.bin`, snapshot kept
 * - run 1: adds `two.bin`, snapshot kept
 * - run 2: adds `three.bin`, takes `two.bin` away, snapshot kept
 * - run 3: of another folder, snapshot forgotten: nothing needs its packs
 * - run 4: the same, and its packs are condemned and named in a pending file
 * - two sessions alive, two given up on, two pending files, two keys, two settings files
 */
export interface Shelf {
  /** Where it was built, on disk. */
  readonly directory: string
  /** The bytes of every stored file by name. Tests change them here, and put them back. */
  readonly files: Map<string, Buffer>
  /** The folder that was backed up. */
  readonly source: string
  readonly runs: readonly Run[]
  /** The index file that condemns the packs of run 4. */
  readonly condemnation: FileId
  readonly sessions: readonly SessionId[]
  readonly over: readonly SessionId[]
  readonly pending: readonly FileId[]
  readonly keys: readonly FileId[]
  readonly settings: readonly FileId[]
  remove(): void
}

/** Bytes that do not compress, the same for the same seed. */
export function noise(seed: number, length: number): Buffer {
  const key = Buffer.alloc(32, seed)
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

/** Open the repository that the shelf's files are, with its first key and an index in memory. */
export async function openShelf(shelf: Shelf): Promise<Repository> {
  return await openRepository(createMemoryBackend({ files: shelf.files }), { secret, cacheDirectory: null })
}

/** Names of every stored file. */
export function listFiles(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}

export async function buildShelf(): Promise<Shelf> {
  const base = mkdtempSync(join(tmpdir(), 'holdfast-damage-'))
  const directory = join(base, 'repository')
  const source = join(base, 'source')
  const other = join(base, 'other')
  mkdirSync(join(source, 'deep'), { recursive: true })
  mkdirSync(other)
  const repository = await createRepository(await openBackend(directory, { create: true }), {
    secret,
    cacheDirectory: null,
    chunker: chunkerConfig(),
    settings: { packTargetBytes: 4 * 1024 * 1024 },
    nowMs: 1_700_000_000_000,
  })
  const runs: Run[] = []
  let timeMs = 1_700_000_000_000
  const run = async (path: string): Promise<void> => {
    const before = new Set(listFiles(directory))
    timeMs += 3_600_000
    const { snapshotId } = await backup(repository, [path], { threads: 0, timeMs })
    const added = listFiles(directory).filter((name) => !before.has(name))
    const only = (room: string): FileId => {
      const names = added.filter((name) => name.startsWith(`${room}/`))
      if (names.length !== 1) throw new Error(`a run of the shelf has ${names.length} files in ${room}`)
      return names[0]!.split('/').at(-1) as FileId
    }
    runs.push({
      snapshot: snapshotId!,
      dataPack: only('data'),
      treePack: only('trees'),
      indexFile: only('index'),
    })
  }
  writeFileSync(join(source, 'one.bin'), noise(1, 3_000_000))
  writeFileSync(join(source, 'deep', 'steady.bin'), noise(2, 50_000))
  await run(source)
  writeFileSync(join(source, 'two.bin'), noise(3, 60_000))
  await run(source)
  writeFileSync(join(source, 'three.bin'), noise(4, 70_000))
  rmSync(join(source, 'two.bin'))
  await run(source)
  writeFileSync(join(other, 'four.bin'), noise(5, 40_000))
  await run(other)
  writeFileSync(join(other, 'four.bin'), noise(6, 30_000))
  await run(other)
  await removeSnapshots(
    repository,
    runs.slice(3).map(({ snapshot }) => snapshot),
  )

  const session = (operation: string): Promise<SessionId> =>
    startSession(repository.backend, repository, operation, timeMs)
  const sessions = [await session('backup'), await session('copy')]
  const over = [await session('backup'), await session('backup')]
  for (const one of over) {
    await declareOver(repository.backend, repository, one, sessions[0]!)
    await repository.backend.remove(`sessions/${one}`)
  }
  const { dataPack, treePack } = runs[4]!
  const condemned = [dataPack, treePack]
  const facts = { packs: [], condemned, replaces: [] }
  const condemnation = await repository.putValue('index', indexFileValue(facts), sessions[0]!)
  const pending: FileId[] = []
  for (const pack of condemned) {
    const value = pendingValue({ packs: [pack], indexFiles: [], sessions: [] })
    pending.push(await repository.putValue('pending', value, sessions[0]!))
  }
  await addKey(repository, otherSecret, { nowMs: timeMs })
  const { counter, compressionLevel, packTargetBytes } = repository.settings
  await repository.putValue('settings', [counter + 1, null, compressionLevel, packTargetBytes], sessions[0]!)
  await repository.close()

  const inRoom = (room: string): FileId[] =>
    listFiles(directory)
      .filter((name) => name.startsWith(`${room}/`))
      .map((name) => name.split('/').at(-1) as FileId)
  return {
    directory,
    files: new Map(listFiles(directory).map((name) => [name, readFileSync(join(directory, name))])),
    source,
    runs,
    condemnation,
    sessions,
    over,
    pending,
    keys: [repository.keyName, ...inRoom('keys').filter((id) => id !== repository.keyName)],
    settings: inRoom('settings'),
    remove: () => rmSync(base, { recursive: true }),
  }
}

/** What an index file of the shelf says of its packs. */
export async function packFacts(repository: Repository, indexFile: FileId): Promise<readonly PackFacts[]> {
  return (await repository.getValue('index', indexFile, parseIndexFile)).packs
}

/** Run something while files hold other bytes, or are not there; then put them back. */
export async function withFiles<Result>(
  { files }: Shelf,
  changes: Readonly<Record<string, Buffer | undefined>>,
  run: () => Promise<Result>,
): Promise<Result> {
  const names = Object.keys(changes)
  const before = new Map(names.map((name) => [name, files.get(name)]))
  const set = (name: string, bytes: Buffer | undefined): unknown =>
    bytes === undefined ? files.delete(name) : files.set(name, bytes)
  for (const name of names) set(name, changes[name])
  try {
    return await run()
  } finally {
    for (const [name, bytes] of before) set(name, bytes)
  }
}

/** The same bytes with some bits of one of them flipped. */
export function flipped(bytes: Buffer, at: number, bits = 0x01): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= bits
  return copy
}
