import { randomBytes } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkAborted, DamagedError, HoldfastError, systemCode } from '../errors/index.ts'
import { fillFrom } from '../filesystem/index.ts'
import { Directories, makeWithParents, syncDirectory } from './directories.ts'
import { createDurableFile, type DurableFile } from './durable-file.ts'
import {
  checkDirectory,
  checkName,
  checkOwner,
  checkRange,
  directoryOf,
  isDirectory,
  isName,
  temporaryName,
} from './names.ts'
import { isAbsent, storageError } from './system-error.ts'
import type { Backend, PutOptions, StagedFile, StoredFile } from './types.ts'
import { MAX_WHOLE_BYTES } from './types.ts'

/** Without O_NONBLOCK a named pipe in a file's place would hold the call for ever. */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
/** Calls to stat that wait for the thread pool at once: keeps it busy without a promise per file of a directory. */
const STATS_AT_ONCE = 64

/**
 * Open a repository in a local directory. `path` is absolute.
 * @throws NO_REPOSITORY when the directory is absent or empty and `create` is false (OpenOptions); IO
 */
export async function openLocalBackend(
  path: string,
  { create = false, mayHold }: { create?: boolean; mayHold?: readonly string[] } = {},
): Promise<Backend> {
  const backend = new LocalBackend(path, create)
  if (create && mayHold !== undefined) await checkUnused(path, mayHold)
  await backend.checkBase()
  return backend
}

/** What a file system, or the desktop, puts at the top of a disk. */
const NOT_IN_USE = ['lost+found', '.DS_Store', 'System Volume Information', '.Trash-1000']

async function checkUnused(path: string, mayHold: readonly string[]): Promise<void> {
  let names: string[]
  try {
    names = await fs.readdir(path)
  } catch (error) {
    if (isAbsent(error)) return
    throw storageError(error, 'read', path)
  }
  const other = names.find((name) => !mayHold.includes(name) && !NOT_IN_USE.includes(name))
  if (other === undefined) return
  throw new HoldfastError('ALREADY_EXISTS', `${path} is not empty: ${other} is in it`, {
    hint: `name a folder that is empty or not there, such as ${join(path, 'holdfast')}`,
  })
}

/** Files 0600, directories 0700. Temporary files are in `tmp/`, so on the same file system as their place. */
class LocalBackend implements Backend {
  readonly location: string
  readonly #create: boolean
  readonly #directories: Directories

  constructor(path: string, create: boolean) {
    this.location = path
    this.#create = create
    this.#directories = new Directories(path, () => (create ? makeWithParents(path) : this.checkBase()))
  }

  /** Tell a repository without this file from a disk that is not mounted. */
  async checkBase(): Promise<void> {
    if (this.#create) return
    let problem = 'the directory is empty'
    try {
      if ((await fs.readdir(this.location)).length > 0) return
    } catch (error) {
      if (!isAbsent(error)) throw storageError(error, 'read', this.location)
      problem = 'there is no such directory'
    }
    throw new HoldfastError('NO_REPOSITORY', `no repository at ${this.location}: ${problem}`, {
      hint: 'check the path and that its disk is mounted, or make a repository with holdfast init',
    })
  }

  async get(name: string, signal?: AbortSignal): Promise<Buffer> {
    return this.#withFile(name, signal, async (handle, sizeBytes) => {
      if (sizeBytes > MAX_WHOLE_BYTES)
        throw new DamagedError(name, `it has ${sizeBytes} bytes, more than it can have`)
      return readExactly(handle, name, 0, sizeBytes)
    })
  }

  async getRange(
    name: string,
    offsetBytes: number,
    lengthBytes: number,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    checkRange(offsetBytes, lengthBytes, MAX_WHOLE_BYTES)
    return this.#withFile(name, signal, async (handle, sizeBytes) => {
      if (offsetBytes + lengthBytes > sizeBytes) throw tooShort(name, sizeBytes, offsetBytes, lengthBytes)
      return readExactly(handle, name, offsetBytes, lengthBytes)
    })
  }

  fillNow(name: string, offsetBytes: number, target: Buffer): boolean {
    checkName(name)
    checkRange(offsetBytes, target.length, MAX_WHOLE_BYTES)
    let fd: number | undefined
    try {
      fd = openSync(join(this.location, name), READ_FLAGS)
      return fstatSync(fd).isFile() && fillFrom(fd, target, offsetBytes) === target.length
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      return false
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  }

  async fillRange(name: string, offsetBytes: number, target: Buffer, signal?: AbortSignal): Promise<void> {
    checkRange(offsetBytes, target.length, MAX_WHOLE_BYTES)
    await this.#withFile(name, signal, async (handle, sizeBytes) => {
      if (offsetBytes + target.length > sizeBytes) throw tooShort(name, sizeBytes, offsetBytes, target.length)
      return await fill(handle, name, offsetBytes, target)
    })
  }

  async put(name: string, bytes: Uint8Array, options: PutOptions, signal?: AbortSignal): Promise<void> {
    await this.#write(name, bytes, options, signal, (file, path) => file.moveTo(path))
  }

  async putNew(name: string, bytes: Uint8Array, options: PutOptions, signal?: AbortSignal): Promise<void> {
    await this.#write(name, bytes, options, signal, (file, path) => file.linkTo(path))
  }

  async stage(owner: string): Promise<StagedFile> {
    const file = await this.#createTemporary(owner)
    return {
      append: (bytes) => file.append(bytes),
      discard: () => file.discard(),
      commit: async (name) => {
        try {
          checkName(name)
          await this.#directories.ready(directoryOf(name))
          await file.moveTo(join(this.location, name))
        } finally {
          await file.discard()
        }
      },
    }
  }

  async *list(directory: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    checkDirectory(directory)
    const waiting = [directory]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      checkAborted(signal)
      const entries = await this.#readDirectory(next)
      for (let at = 0; at < entries.length; at += STATS_AT_ONCE) {
        checkAborted(signal)
        const parent = next
        const found = entries.slice(at, at + STATS_AT_ONCE).map((entry) => this.#look(parent, entry))
        for (const item of await Promise.all(found)) {
          if (typeof item === 'string') waiting.push(item)
          else if (item !== undefined) yield item
        }
      }
    }
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    checkName(name)
    checkAborted(signal)
    const path = join(this.location, name)
    try {
      await fs.unlink(path)
    } catch (error) {
      if (isAbsent(error)) return this.checkBase()
      throw storageError(error, 'remove', path)
    }
    await syncDirectory(dirname(path))
  }

  async close(): Promise<void> {}

  async #withFile(
    name: string,
    signal: AbortSignal | undefined,
    read: (handle: FileHandle, sizeBytes: number) => Promise<Buffer>,
  ): Promise<Buffer> {
    checkName(name)
    checkAborted(signal)
    const path = join(this.location, name)
    try {
      const handle = await fs.open(path, READ_FLAGS)
      try {
        const status = await handle.stat()
        if (status.isFile()) return await read(handle, status.size)
      } finally {
        await handle.close()
      }
    } catch (error) {
      if (!isAbsent(error)) throw storageError(error, 'read', path)
      await this.checkBase()
    }
    throw new HoldfastError('NO_SUCH_FILE', `there is no file ${path}`)
  }

  async #write(
    name: string,
    bytes: Uint8Array,
    options: PutOptions,
    signal: AbortSignal | undefined,
    place: (file: DurableFile, path: string) => Promise<void>,
  ): Promise<void> {
    checkName(name)
    checkRange(0, bytes.length, MAX_WHOLE_BYTES)
    checkAborted(signal)
    const file = await this.#createTemporary(options.owner)
    try {
      await file.append(bytes)
      await this.#directories.ready(directoryOf(name))
      checkAborted(signal)
      await place(file, join(this.location, name))
    } finally {
      await file.discard()
    }
  }

  async #createTemporary(owner: string): Promise<DurableFile> {
    checkOwner(owner)
    const name = temporaryName(owner, randomBytes(8).toString('hex'))
    await this.#directories.ready(directoryOf(name))
    return createDurableFile(join(this.location, name))
  }

  async #readDirectory(directory: string): Promise<Dirent[]> {
    const path = join(this.location, directory)
    try {
      return await fs.readdir(path, { withFileTypes: true })
    } catch (error) {
      if (!isAbsent(error)) throw storageError(error, 'list', path)
      await this.checkBase()
      return []
    }
  }

  /** What an entry is: a stored file, the name of a directory to look into, or nothing of ours. Follows links. */
  async #look(directory: string, entry: Dirent): Promise<StoredFile | string | undefined> {
    const name = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (entry.isDirectory()) return isDirectory(name) ? name : undefined
    if (!isName(name) || !(entry.isFile() || entry.isSymbolicLink())) return undefined
    const path = join(this.location, name)
    try {
      const status = await fs.stat(path)
      if (status.isFile()) return { name, sizeBytes: status.size }
      return status.isDirectory() && isDirectory(name) ? name : undefined
    } catch (error) {
      if (!isAbsent(error) && systemCode(error) !== 'ELOOP') throw storageError(error, 'read', path)
      await this.checkBase()
      return undefined
    }
  }
}

/** Read into memory of its own. The length is known to be within the file, unless that shrinks meanwhile. */
async function readExactly(
  handle: FileHandle,
  name: string,
  offsetBytes: number,
  lengthBytes: number,
): Promise<Buffer> {
  return await fill(handle, name, offsetBytes, Buffer.allocUnsafeSlow(lengthBytes))
}

/** @returns the target */
async function fill(handle: FileHandle, name: string, offsetBytes: number, target: Buffer): Promise<Buffer> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await handle.read(target, done, target.length - done, offsetBytes + done)
    if (bytesRead === 0) throw tooShort(name, offsetBytes + done, offsetBytes, target.length)
    done += bytesRead
  }
  return target
}

function tooShort(name: string, sizeBytes: number, offsetBytes: number, lengthBytes: number): DamagedError {
  const problem = `it has ${sizeBytes} bytes, and ${lengthBytes} at ${offsetBytes} were asked for`
  return new DamagedError(name, problem)
}
