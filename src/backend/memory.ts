import { checkAborted, DamagedError, HoldfastError } from '../errors/index.ts'
import { checkDirectory, checkName, checkOwner, checkRange, temporaryName } from './names.ts'
import type { Backend, PutOptions, StagedFile, StoredFile } from './types.ts'
import { MAX_WHOLE_BYTES } from './types.ts'

export type MemoryOperation =
  | 'get'
  | 'getRange'
  | 'put'
  | 'putNew'
  | 'stage'
  | 'append'
  | 'commit'
  | 'discard'
  | 'list'
  | 'remove'

export interface MemoryOptions {
  /** The files by name, shared by all backends made over the same map: the clients of one repository. */
  readonly files?: Map<string, Buffer>
  /**
   * Awaited once at the start of every call, after its arguments are checked; the call then takes effect in one
   * synchronous step (list: takes its picture). When it rejects, the call rejects with that and has no effect,
   * but that a staged file ends.
   * `name`: the file's; for append and discard the temporary file's; for stage the owner; for list the directory.
   */
  readonly onCall?: (operation: MemoryOperation, name: string) => Promise<void>
}

/** A backend without a disk: same contract, nothing random, and for durability the life of the map. */
export function createMemoryBackend(options: MemoryOptions = {}): Backend {
  return new MemoryBackend(options.files ?? new Map(), options.onCall)
}

class MemoryBackend implements Backend {
  readonly location: string = 'memory'
  readonly #files: Map<string, Buffer>
  readonly #onCall: MemoryOptions['onCall']

  constructor(files: Map<string, Buffer>, onCall: MemoryOptions['onCall']) {
    this.#files = files
    this.#onCall = onCall
  }

  async get(name: string, signal?: AbortSignal): Promise<Buffer> {
    checkName(name)
    await this.#begin('get', name, signal)
    const file = this.#file(name)
    if (file.length > MAX_WHOLE_BYTES)
      throw new DamagedError(name, `it has ${file.length} bytes, more than it can have`)
    return copy(file)
  }

  async getRange(
    name: string,
    offsetBytes: number,
    lengthBytes: number,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    checkName(name)
    checkRange(offsetBytes, lengthBytes, MAX_WHOLE_BYTES)
    await this.#begin('getRange', name, signal)
    return copy(this.#range(name, offsetBytes, lengthBytes))
  }

  async fillRange(name: string, offsetBytes: number, target: Buffer, signal?: AbortSignal): Promise<void> {
    checkName(name)
    checkRange(offsetBytes, target.length, MAX_WHOLE_BYTES)
    await this.#begin('getRange', name, signal)
    this.#range(name, offsetBytes, target.length).copy(target)
  }

  #range(name: string, offsetBytes: number, lengthBytes: number): Buffer {
    const file = this.#file(name)
    if (offsetBytes + lengthBytes > file.length) {
      throw new DamagedError(
        name,
        `it has ${file.length} bytes, and ${lengthBytes} at ${offsetBytes} were asked for`,
      )
    }
    return file.subarray(offsetBytes, offsetBytes + lengthBytes)
  }

  async put(name: string, bytes: Uint8Array, options: PutOptions, signal?: AbortSignal): Promise<void> {
    checkPut(name, bytes, options)
    await this.#begin('put', name, signal)
    this.#files.set(name, copy(bytes))
  }

  async putNew(name: string, bytes: Uint8Array, options: PutOptions, signal?: AbortSignal): Promise<void> {
    checkPut(name, bytes, options)
    await this.#begin('putNew', name, signal)
    if (this.#files.has(name)) throw new HoldfastError('ALREADY_EXISTS', `${name} exists already`)
    this.#files.set(name, copy(bytes))
  }

  async stage(owner: string): Promise<StagedFile> {
    checkOwner(owner)
    await this.#begin('stage', owner, undefined)
    const temporary = this.#unusedName(owner)
    this.#files.set(temporary, Buffer.alloc(0))
    return this.#stagedFile(temporary)
  }

  async *list(directory: string, signal?: AbortSignal): AsyncGenerator<StoredFile> {
    checkDirectory(directory)
    await this.#begin('list', directory, signal)
    const prefix = directory === '' ? '' : `${directory}/`
    const picture: StoredFile[] = []
    for (const [name, file] of this.#files) {
      if (name.startsWith(prefix)) picture.push({ name, sizeBytes: file.length })
    }
    for (const file of picture) {
      checkAborted(signal)
      yield file
    }
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    checkName(name)
    await this.#begin('remove', name, signal)
    this.#files.delete(name)
  }

  async close(): Promise<void> {}

  #stagedFile(temporary: string): StagedFile {
    const pieces: Buffer[] = []
    let isOpen = true
    const checkOpen = () => {
      if (!isOpen) throw new Error(`${temporary} is committed or discarded`)
    }
    const discard = async () => {
      if (!isOpen) return
      isOpen = false
      await this.#begin('discard', temporary, undefined)
      this.#files.delete(temporary)
    }
    return {
      discard,
      append: async (bytes) => {
        checkOpen()
        try {
          await this.#begin('append', temporary, undefined)
        } catch (error) {
          isOpen = false
          this.#files.delete(temporary)
          throw error
        }
        pieces.push(copy(bytes))
      },
      commit: async (name) => {
        checkOpen()
        isOpen = false
        try {
          checkName(name)
          await this.#begin('commit', name, undefined)
          if (!this.#files.has(temporary))
            throw new HoldfastError('IO', `cannot write ${name}: ${temporary} is gone`)
          this.#files.set(name, Buffer.concat(pieces))
        } finally {
          this.#files.delete(temporary)
        }
      },
    }
  }

  async #begin(operation: MemoryOperation, name: string, signal: AbortSignal | undefined): Promise<void> {
    checkAborted(signal)
    await this.#onCall?.(operation, name)
    checkAborted(signal)
  }

  #file(name: string): Buffer {
    const file = this.#files.get(name)
    if (file === undefined) throw new HoldfastError('NO_SUCH_FILE', `there is no file ${name}`)
    return file
  }

  /** The first temporary name of this owner that no file has. */
  #unusedName(owner: string): string {
    for (let number = 0; ; number++) {
      const name = temporaryName(owner, number.toString(16).padStart(16, '0'))
      if (!this.#files.has(name)) return name
    }
  }
}

function checkPut(name: string, bytes: Uint8Array, options: PutOptions): void {
  checkName(name)
  checkOwner(options.owner)
  checkRange(0, bytes.length, MAX_WHOLE_BYTES)
}

/** In memory of its own: Buffer.from would take it from the pool. */
function copy(bytes: Uint8Array): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length)
  own.set(bytes)
  return own
}
