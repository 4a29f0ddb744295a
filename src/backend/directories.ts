import fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../errors/index.ts'
import { directoryOf } from './names.ts'
import { storageError } from './system-error.ts'

/** File systems that cannot sync a directory say so with these; Windows cannot open one for it. */
const unsyncable: ReadonlySet<string> = new Set(
  process.platform === 'win32'
    ? ['EPERM', 'EISDIR', 'EACCES', 'EINVAL']
    : ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'],
)

/** Make the entries of a directory durable, where its file system can. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const handle = await fs.open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!unsyncable.has(systemCode(error) ?? '')) throw storageError(error, 'sync', path)
  }
}

/** Make a directory that may be there; true when it was not. ENOENT where its parent is missing. */
async function makeDirectory(path: string): Promise<boolean> {
  try {
    await fs.mkdir(path, { mode: 0o700 })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Make a directory and what is missing above it, each durable. @throws IO */
export async function makeWithParents(path: string): Promise<void> {
  const parent = dirname(path)
  try {
    const isNew = await makeDirectory(path).catch(async (error: unknown) => {
      if (systemCode(error) !== 'ENOENT' || parent === path) throw error
      await makeWithParents(parent)
      return makeDirectory(path)
    })
    if (isNew) await syncDirectory(parent)
  } catch (error) {
    throw storageError(error, 'make', path)
  }
}

/**
 * The directories of one repository, made durably on first use and remembered. One that vanishes later is not
 * made again: its files went with it, and writing on into a new one would hide that.
 */
export class Directories {
  readonly #base: string
  readonly #prepareBase: () => Promise<void>
  readonly #ready = new Map<string, Promise<void>>()

  /** `base`: absolute path of the repository. `prepareBase` is called before the first directory is made in it. */
  constructor(base: string, prepareBase: () => Promise<void>) {
    this.#base = base
    this.#prepareBase = prepareBase
  }

  /** Resolves when the directory is there and durable with all above it. `''` is the repository's own. */
  ready(directory: string): Promise<void> {
    const known = this.#ready.get(directory)
    if (known !== undefined) return known
    const made = this.#make(directory)
    this.#ready.set(directory, made)
    made.catch(() => this.#ready.delete(directory))
    return made
  }

  async #make(directory: string): Promise<void> {
    if (directory === '') return this.#prepareBase()
    await this.ready(directoryOf(directory))
    const path = join(this.#base, directory)
    try {
      await makeDirectory(path)
    } catch (error) {
      throw storageError(error, 'make', path)
    }
    // Also where it was there: another client may have made it a moment ago and not have synced it yet.
    await syncDirectory(dirname(path))
  }
}
