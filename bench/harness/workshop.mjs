import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Side } from './side.mjs'

/**
 * One folder below `work` with all data and repositories of a run, made when first asked for and removed together.
 * Nothing outside it is written.
 */
export class Workshop {
  #made = new Map()
  #empty = new Map()
  #sides = 0

  /** @param options `{ work, amounts, programs, histories, nodeModules }` */
  constructor(options) {
    mkdirSync(options.work, { recursive: true })
    this.folder = mkdtempSync(join(options.work, 'holdfast-bench-'))
    this.amounts = options.amounts
    this.programs = options.programs
    this.histories = options.histories
    this.nodeModules = options.nodeModules
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Make something once. @param make gets a path that is not there yet, in a folder that is; @returns what `make` does */
  async once(name, make) {
    if (!this.#made.has(name)) {
      const place = join(this.folder, 'data', name)
      mkdirSync(join(this.folder, 'data'), { recursive: true })
      this.#made.set(name, await make(place))
    }
    return this.#made.get(name)
  }

  /** Take something away that was made here, to have its room. */
  discard(name) {
    const made = this.#made.get(name)
    if (made instanceof Side) made.remove()
    else rmSync(join(this.folder, 'data', name), { recursive: true, force: true })
    this.#made.delete(name)
  }

  /** Discard everything whose name begins with none of these. */
  keepOnly(beginnings) {
    for (const name of [...this.#made.keys()]) {
      if (!beginnings.some((beginning) => name.startsWith(beginning))) this.discard(name)
    }
  }

  /** Give a new, empty repository of a program to `use`, and remove it then. @returns what `use` does */
  async withNewSide(program, use) {
    const side = await this.#newSide(program)
    try {
      return await use(side)
    } finally {
      side.remove()
    }
  }

  /** The same with a copy of another side. */
  async withCopy(side, use) {
    const copy = side.copy(this.#nextFolder())
    try {
      return await use(copy)
    } finally {
      copy.remove()
    }
  }

  /** A program's repository that questions share. @param fill puts into it what it is to have */
  async sharedSide(name, program, fill) {
    const key = `${name} in ${program.name}`
    if (!this.#made.has(key)) {
      const side = await this.#newSide(program)
      await fill(side)
      this.#made.set(key, side)
    }
    return this.#made.get(key)
  }

  /** A new folder to restore into, given to `use` and removed then. */
  async withTarget(use) {
    const target = this.#nextFolder()
    mkdirSync(target)
    try {
      return await use(target)
    } finally {
      rmSync(target, { recursive: true, force: true })
    }
  }

  /** A copy of one that was made empty: what making it takes is paid once. */
  async #newSide(program) {
    if (!this.#empty.has(program.name)) {
      this.#empty.set(program.name, await new Side(program, this.#nextFolder()).create())
    }
    return this.#empty.get(program.name).copy(this.#nextFolder())
  }

  #nextFolder() {
    return join(this.folder, `side-${this.#sides++}`)
  }
}
