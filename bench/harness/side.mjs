import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sizeOf } from '../data/trees.mjs'
import { addMeasurements, measure, run } from './measure.mjs'

/**
 * One program with a repository, a cache and a home of its own below a folder, which `remove` takes away. It reads and
 * writes nothing of the user's.
 */
export class Side {
  #hasPassword = false

  constructor(program, folder) {
    this.program = program
    this.folder = folder
    this.place = {
      home: join(folder, 'home'),
      repository: join(folder, 'repository'),
      cache: join(folder, 'cache'),
      password: join(folder, 'password'),
    }
  }

  /** Make the folder and, unless the program has none, a repository in it. */
  async create() {
    mkdirSync(this.place.home, { recursive: true })
    writeFileSync(this.place.password, 'correct horse battery staple\n')
    if (this.program.commands.create !== undefined) await this.prepare('create')
    return this
  }

  /** Another one that has the same repository and cache. */
  copy(folder) {
    cpSync(this.folder, folder, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
    const copy = new Side(this.program, folder)
    copy.#hasPassword = this.#hasPassword
    return copy
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Run a command that is no part of what is measured. */
  async prepare(name, ...args) {
    for (const command of await this.#commandsOf(name, args, 'key-file')) await run(command)
  }

  /** Run a command and measure it. @param options `{ secret: 'key-file' or 'password' }`, for programs with both */
  async measure(name, options, ...args) {
    if (options.secret === 'password') await this.#addPassword()
    const measurements = []
    // What earlier work left to be written is not this command's.
    spawnSync('sync', ['-f', this.folder])
    for (const command of await this.#commandsOf(name, args, options.secret)) {
      measurements.push(await measure(command))
    }
    return addMeasurements(measurements)
  }

  /** Programs with key files have no password before. */
  async #addPassword() {
    if (this.program.commands.addPassword === undefined || this.#hasPassword) return
    await this.prepare('addPassword')
    this.#hasPassword = true
  }

  /** Oldest first. */
  async snapshotIds() {
    const { argv, parse } = this.program.snapshotIds
    return parse(await run(this.#whole(argv, 'key-file')))
  }

  repositoryBytes() {
    return sizeOf(this.place.repository)
  }

  async #commandsOf(name, args, secret) {
    const { latest, commands } = this.program
    const place = { ...this.place }
    if (latest?.usedBy.includes(name)) {
      place.latest = latest.parse(await run(this.#whole(latest.argv, secret)))
    }
    return commands[name](place, ...args).map((command) => this.#whole(command, secret))
  }

  /** With the environment that is all the program sees. */
  #whole(command, secret) {
    const { argv, cwd = this.folder } = Array.isArray(command) ? { argv: command } : command
    const own = this.program.environment(this.place, secret)
    return { argv, cwd, env: { PATH: process.env.PATH, HOME: this.place.home, TZ: 'UTC', ...own } }
  }
}
