import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { displayName, joinName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { makePrivateDirectory } from './create.ts'
import type { FolderAddress } from './folder-address.ts'
import type { HeldDirectory } from './held-directory.ts'
import { checkName } from './names.ts'

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY
const FOLDER_ITSELF = FOLDER | constants.O_NOFOLLOW

/**
 * Hold a folder by descriptor: `/proc/self/fd/N/name` is then what openat(N, name) would reach. At most `maxOpen`
 * descriptors are open; the one not used for longest goes first. A folder opened again has to be the one that
 * was entered, by device and inode.
 */
export function holdByDescriptor(path: RawName, maxOpen: number): HeldDirectory {
  return new Folder(path, openSync(path, FOLDER), undefined, new OpenFolders(maxOpen - 1))
}

/** The open folders below one top, the least recently used first. */
class OpenFolders {
  readonly #order = new Set<Folder>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  use(folder: Folder): void {
    this.#order.delete(folder)
    this.#order.add(folder)
    for (const oldest of this.#order) {
      if (this.#order.size <= this.#max) break
      oldest.close()
    }
  }

  forget(folder: Folder): void {
    this.#order.delete(folder)
  }

  closeAll(): void {
    for (const folder of this.#order) folder.close()
  }
}

class Folder implements HeldDirectory {
  readonly #name: RawName
  readonly #parent: Folder | undefined
  readonly #open: OpenFolders
  readonly #device: bigint
  readonly #inode: bigint
  #fd: number | undefined
  #prefix = ''
  /** Not closed for others, and not counted with them, while above 0. */
  #pins = 0

  /** Takes over the descriptor. `name`: in the parent, or the path of the top. */
  constructor(name: RawName, fd: number, parent: Folder | undefined, open: OpenFolders) {
    this.#name = name
    this.#parent = parent
    this.#open = open
    const { dev, ino } = fstatSync(fd, { bigint: true })
    this.#device = dev
    this.#inode = ino
    this.#keep(fd)
  }

  get displayPath(): RawName {
    const names: RawName[] = []
    let folder: Folder = this
    for (; folder.#parent !== undefined; folder = folder.#parent) names.push(folder.#name)
    return names.reduceRight(joinName, folder.#name)
  }

  path(): RawName {
    // A link of /proc alone would be the link to those who do not follow; with `/.` it is the folder.
    return `${this.#address()}.`
  }

  pathOf(name: RawName): RawName {
    checkName(name)
    return this.#child(name)
  }

  enter(name: RawName): Folder {
    return new Folder(name, openSync(this.pathOf(name), FOLDER_ITSELF), this, this.#open)
  }

  makeDirectory(name: RawName): Folder {
    makePrivateDirectory(this.pathOf(name))
    return this.enter(name)
  }

  pin(): FolderAddress {
    this.#address()
    if (this.#pins++ === 0) this.#open.forget(this)
    return { fd: this.#fd, path: this.#prefix }
  }

  unpin(): void {
    if (--this.#pins === 0 && this.#fd !== undefined && this.#parent !== undefined) this.#open.use(this)
  }

  close(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
    this.#open.forget(this)
    if (this.#parent === undefined) this.#open.closeAll()
  }

  #child(name: RawName): RawName {
    const prefix = this.#address()
    return typeof name === 'string' ? prefix + name : joinName(prefix, name)
  }

  /** `/proc/self/fd/N/`, with N open. */
  #address(): string {
    if (this.#fd === undefined) this.#reopen()
    else if (this.#parent !== undefined && this.#pins === 0) this.#open.use(this)
    return this.#prefix
  }

  #keep(fd: number): void {
    this.#fd = fd
    this.#prefix = `/proc/self/fd/${fd}/`
    if (this.#parent !== undefined) this.#open.use(this)
  }

  /** Down from the nearest folder that is open. A loop, since folders can be nested deeper than the stack is. */
  #reopen(): void {
    const closed: Folder[] = []
    let folder: Folder | undefined = this
    for (; folder !== undefined && folder.#fd === undefined; folder = folder.#parent) closed.push(folder)
    if (folder === undefined) throw new Error(`${displayName(this.displayPath)} is closed`)
    for (const next of closed.reverse()) {
      const fd = openSync(next.#parent!.#child(next.#name), FOLDER_ITSELF)
      const { dev, ino } = fstatSync(fd, { bigint: true })
      if (dev !== next.#device || ino !== next.#inode) {
        closeSync(fd)
        throw new HoldfastError('IO', `${displayName(next.displayPath)} has been replaced meanwhile`, {
          hint: 'make sure that nothing else changes the folder, then run the command again',
        })
      }
      next.#keep(fd)
    }
  }
}
