import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Backend, createMemoryBackend } from '../../src/backend/index.ts'
import { backup, chunkerConfig } from '../../src/backup/index.ts'
import { hashBytes } from '../../src/crypto/index.ts'
import type { ChunkId, FileId } from '../../src/encoding/index.ts'
import { removeSnapshots } from '../../src/forget/index.ts'
import { createRepository, openRepository, type Repository } from '../../src/repository/index.ts'
import { listSnapshots } from '../../src/snapshot/index.ts'
import { noise } from '../damage/shelf.ts'
import { filesOf } from '../unit/backup/scene.ts'
import { cheapCost, secret } from '../unit/repository/scene.ts'

export { secret }

/** The moment of the history; commands come later, and whoever looks afterwards later still. */
export const NOW_MS: number = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000

/** Files by name in the repository. */
export type Files = Map<string, Buffer>

/** Hashes of files by path, in order of the paths. */
export type Hashes = Readonly<Record<string, string>>

/** Read every file of a snapshot below a folder. Hashes are compared: long buffers take the test runner seconds. */
export async function hashesOf(repository: Repository, tree: ChunkId, folder: string): Promise<Hashes> {
  return hashesOfFiles(await filesOf(repository, tree, folder))
}

function hashesOfFiles(files: ReadonlyMap<string, Buffer>): Hashes {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, hashBytes(bytes).toString('hex')]))
}

/** A small repository with a past, and the folder that its next backup is of. */
export interface CrashScene {
  /** Before the command that crashes. */
  readonly files: Files
  readonly source: string
  /** Hashes of the files of every snapshot by path, by snapshot. */
  readonly contents: ReadonlyMap<FileId, Hashes>
  /** Those of the source. */
  readonly sourceContent: Hashes
  /** Another repository with two snapshots of the source as it was in the beginning, each with a file of its own. */
  readonly elsewhere: Files
  remove(): void
}

/** Open what is stored as a client that knows nothing. */
export async function openClient(backend: Backend): Promise<Repository> {
  const repository = await openRepository(backend, { secret, cacheDirectory: null })
  await repository.loadIndex({ tolerateDamage: true })
  return repository
}

export function openFiles(files: Files): Promise<Repository> {
  return openClient(createMemoryBackend({ files }))
}

/**
 * Three snapshots, one of which is forgotten: packs that are needed in part, and some that nothing needs. The source
 * has a file more than the last of them, one less, and one that was changed.
 */
export async function createCrashScene(): Promise<CrashScene> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'))
  const source = join(folder, 'source')
  const write = (name: string, bytes: Buffer | string): void => {
    mkdirSync(join(source, name, '..'), { recursive: true })
    writeFileSync(join(source, name), bytes)
    // Old: a node of it is not racy.
    utimesSync(join(source, name), 1_600_000_000, 1_600_000_000)
  }
  const files: Files = new Map()
  const repository = await createRepository(createMemoryBackend({ files }), {
    secret,
    cacheDirectory: null,
    chunker: chunkerConfig(),
    nowMs: NOW_MS,
    cost: cheapCost,
  })
  const elsewhere: Files = new Map()
  const other = await createRepository(createMemoryBackend({ files: elsewhere }), {
    secret,
    cacheDirectory: null,
    chunker: chunkerConfig(),
    nowMs: NOW_MS,
    cost: cheapCost,
  })
  let runs = 0
  const snapshot = async (): Promise<FileId> => {
    const timeMs = NOW_MS + runs++ * DAY_MS
    return (await backup(repository, [source], { threads: 0, timeMs })).snapshotId!
  }
  write('steady.bin', noise(1, 90_000))
  write('deep/er/text', 'the same in all of them\n'.repeat(50))
  write('gone.bin', noise(2, 70_000))
  await snapshot()
  for (const [day, name] of ['elsewhere.bin', 'further.bin'].entries()) {
    write(name, noise(7 + day, 80_000))
    await backup(other, [source], { threads: 0, timeMs: NOW_MS + day * DAY_MS })
    rmSync(join(source, name))
  }
  rmSync(join(source, 'gone.bin'))
  write('second.bin', noise(3, 60_000))
  const forgotten = await snapshot()
  rmSync(join(source, 'second.bin'))
  write('third.bin', noise(4, 50_000))
  await snapshot()
  await removeSnapshots(repository, [forgotten])

  const contents = new Map<FileId, Hashes>()
  for (const { id, tree } of (await listSnapshots(repository)).snapshots)
    contents.set(id, await hashesOf(repository, tree, source))
  write('new.bin', noise(5, 120_000))
  write('third.bin', noise(6, 50_000))
  rmSync(join(source, 'deep'), { recursive: true })
  const sourceContent = hashesOfFiles(
    new Map([
      ['/new.bin', noise(5, 120_000)],
      ['/steady.bin', noise(1, 90_000)],
      ['/third.bin', noise(6, 50_000)],
    ]),
  )
  return {
    files,
    source,
    contents,
    sourceContent,
    elsewhere,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
