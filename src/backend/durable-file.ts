import fs, { type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError, systemCode } from '../errors/index.ts'
import { syncDirectory } from './directories.ts'
import { storageError } from './system-error.ts'

/** What link fails with where a file system has no hard links. */
const unlinkable: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Make a new file, mode 0600, to be written and then given its place. @throws IO */
export async function createDurableFile(path: string): Promise<DurableFile> {
  try {
    return new DurableFile(path, await fs.open(path, 'wx', 0o600))
  } catch (error) {
    throw storageError(error, 'write', path)
  }
}

/**
 * A temporary file on its way to its place: written, synced, then moved or linked there, then the directory
 * synced. One call at a time; a call that fails removes it. The target's directory is there and durable.
 */
export class DurableFile {
  readonly #path: string
  readonly #handle: FileHandle
  #sizeBytes = 0
  #isOpen = true

  constructor(path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  /** Add bytes at the end; borrowed until the promise settles. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#checkOpen()
    try {
      await writeFully(this.#handle, bytes, this.#sizeBytes)
    } catch (error) {
      await this.discard()
      throw storageError(error, 'write', this.#path)
    }
    this.#sizeBytes += bytes.length
  }

  /** Move it to its place, over a file that is there. Durable on return. */
  async moveTo(target: string): Promise<void> {
    await this.#finish()
    try {
      await fs.rename(this.#path, target)
    } catch (error) {
      await removeLeftover(this.#path)
      throw storageError(error, 'write', target)
    }
    await syncDirectory(dirname(target))
  }

  /** Put it in its place only if nothing is there. Durable on return. @throws ALREADY_EXISTS */
  async linkTo(target: string): Promise<void> {
    await this.#finish()
    try {
      await linkNew(this.#path, target)
    } catch (error) {
      const isTaken = systemCode(error) === 'EEXIST'
      if (isTaken) throw new HoldfastError('ALREADY_EXISTS', `${target} exists already`)
      throw storageError(error, 'write', target)
    } finally {
      await removeLeftover(this.#path)
    }
    await syncDirectory(dirname(target))
  }

  /** Remove it. Does nothing once it is in its place or removed. */
  async discard(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await attempt(() => this.#handle.close())
    await removeLeftover(this.#path)
  }

  /** Make the bytes durable and close, before the name can show them. */
  async #finish(): Promise<void> {
    this.#checkOpen()
    this.#isOpen = false
    try {
      try {
        await this.#handle.sync()
      } finally {
        await this.#handle.close()
      }
    } catch (error) {
      await removeLeftover(this.#path)
      throw storageError(error, 'write', this.#path)
    }
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new Error(`${this.#path} is committed or discarded`)
  }
}

async function linkNew(path: string, target: string): Promise<void> {
  try {
    await fs.link(path, target)
  } catch (error) {
    if (!unlinkable.has(systemCode(error) ?? '')) throw error
    await copyNew(path, target)
  }
}

/** For file systems without hard links: exclusive creation, then a look at what is really there. */
async function copyNew(path: string, target: string): Promise<void> {
  const bytes = await fs.readFile(path)
  const handle = await fs.open(target, 'wx', 0o600)
  try {
    try {
      await writeFully(handle, bytes, 0)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    await removeLeftover(target)
    throw error
  }
  if (bytes.equals(await fs.readFile(target))) return
  throw new HoldfastError('IO', `${target} does not read back as it was written`, {
    hint: 'another program may have written it at the same moment, or the disk is failing',
  })
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, positionBytes: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, positionBytes + done)
    done += bytesWritten
  }
}

/** What cannot be removed is prune's to find. */
async function removeLeftover(path: string): Promise<void> {
  await attempt(() => fs.unlink(path))
}

/** Clean up as well as can be: a failure of the system here must not hide the first one. */
async function attempt(cleaning: () => Promise<void>): Promise<void> {
  try {
    await cleaning()
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
}
