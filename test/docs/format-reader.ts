/**
 * A reader of repositories in a local directory, written from docs/format.md alone: imports nothing of the program.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Block, openPack, readBlocks } from './format-packs.ts'
import {
  HEADER_BYTES,
  hash,
  type Kind,
  opener,
  openKey,
  type Pack,
  record,
  type Secret,
  split,
  subkey,
  unpad,
} from './format-sealed.ts'
import { damaged, decode, FormatError, type Value } from './format-values.ts'

export interface Entry {
  readonly path: string
  readonly node: Value[]
  readonly content: Buffer | undefined
}

/** A repository in a local directory. */
export class FormatReader {
  readonly masterKey: Buffer
  readonly config: Value[]
  readonly packs = new Map<string, { readonly kind: Pack; readonly condemned: boolean }>()
  /** Of packs that the index lists. */
  private readonly salts = new Map<string, Buffer>()
  private readonly directory: string
  private readonly repositoryId: Buffer
  private readonly homes = new Map<string, { readonly pack: string; readonly kind: Pack }>()
  private readonly chunks = new Map<string, Buffer>()

  /** @param from where to learn what the packs hold */
  constructor(directory: string, secret: Secret, from: 'index' | 'footers' = 'index') {
    this.directory = directory
    const names = this.list('keys')
    if (names.length === 0) throw new FormatError('NO_REPOSITORY', 'no key is there')
    const opened = names
      .map((name) => openKey(readFileSync(join(directory, 'keys', name)), secret))
      .find((key) => key !== undefined)
    if (opened === undefined) throw new FormatError('WRONG_KEY', 'the secret fits no key')
    this.masterKey = opened.masterKey
    this.repositoryId = opened.config[0] as Buffer
    this.config = existsSync(join(directory, 'config'))
      ? record(this.value('config', 'config'), 8)
      : opened.config
    if ((this.config[1] as number) > 1 || (this.config[3] as Value[]).length > 0) {
      throw new FormatError('NEWER_FORMAT', 'a later version or an unknown feature')
    }
    if (from === 'index') this.loadIndex()
    else this.loadFooters()
  }

  /** Names below a directory that are not foreign. */
  list(kind: string): string[] {
    const path = join(this.directory, kind)
    if (!existsSync(path)) return []
    const pattern = kind === 'sessions' ? /^[0-9a-f]{32}(\.over)?$/ : /^[0-9a-f]{64}$/
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .map((name) => name.slice(name.lastIndexOf('/') + 1))
      .filter((name) => pattern.test(name))
  }

  /** The value in a file that has one message. */
  value(kind: Kind, name: string): Value {
    const bytes = readFileSync(join(this.directory, name))
    const id = name.slice(name.lastIndexOf('/') + 1)
    if (/^[0-9a-f]{64}$/.test(id) && hash(bytes).toString('hex') !== id)
      throw damaged(`${name} is not its hash`)
    const key = subkey(this.masterKey, `holdfast file ${kind}`)
    return decode(unpad(opener(kind, bytes, key, this.repositoryId)(0, bytes.subarray(HEADER_BYTES))))
  }

  /** Confirmed snapshots, by id. */
  snapshots(): Map<string, Value[]> {
    const ids = this.list('snapshots')
    const over = new Set(this.list('sessions').filter((name) => name.endsWith('.over')))
    const all = ids.map((id): [string, Value[]] => [
      id,
      record(this.value('snapshot', `snapshots/${id}`), 18),
    ])
    return new Map(all.filter(([, one]) => !over.has(`${(one[13] as Buffer).toString('hex')}.over`)))
  }

  /** Everything below a tree, directories before what is in them. */
  *walk(tree: Buffer, path = ''): Generator<Entry> {
    let last: Buffer = Buffer.alloc(0)
    for (const node of this.directoryNodes(tree, undefined)) {
      const name = node[1] as Buffer
      if (Buffer.compare(last, name) >= 0) throw damaged('nodes are not in order')
      if (name.includes(0x2f) || name.includes(0) || ['.', '..'].includes(name.toString('latin1'))) {
        throw damaged('a name that no file can have')
      }
      last = name
      const below = `${path}/${name.toString('latin1')}`
      yield { path: below, node, content: node[0] === 1 ? this.content(node) : undefined }
      if (node[0] === 2) yield* this.walk(node[11] as Buffer, below)
    }
  }

  /** Bytes of a chunk from any pack, good ones first. */
  chunk(kind: Pack, id: Buffer): Buffer {
    const known = this.chunks.get(`${kind} ${id.toString('hex')}`)
    if (known !== undefined) return known
    const home = this.homes.get(`${kind} ${id.toString('hex')}`)
    if (home === undefined) throw damaged(`chunk ${id.toString('hex')} is nowhere`)
    const file = readFileSync(this.packPath(home.kind, home.pack))
    const salt = this.salts.get(home.pack)
    if (salt !== undefined && !salt.equals(file.subarray(16, HEADER_BYTES)))
      throw damaged("a salt is not the header's")
    const pack = openPack(file, this.masterKey)
    for (const block of pack.blocks) {
      const plain = pack.open(block).chunks
      block.chunks.forEach((chunk, at) => {
        this.chunks.set(`${kind} ${chunk.id.toString('hex')}`, plain[at]!)
      })
    }
    return this.chunk(kind, id)
  }

  /** Pages of a directory or a chunk list from the root down: level, entries. */
  page(id: Buffer, level: number | undefined): { readonly level: number; readonly entries: Value } {
    const [own, entries] = record(decode(this.chunk('tree', id)), 2)
    if (level !== undefined && own !== level) throw damaged('a page has a wrong level')
    return { level: own as number, entries: entries! }
  }

  /** The ids of a file's chunks. */
  contentIds(node: Value[]): Buffer[] {
    const ids = split(node[18], 32)
    const depth = node[17] as number
    return depth === 0 ? ids : this.pageIds(ids[0]!, depth - 1)
  }

  private content(node: Value[]): Buffer {
    const bytes = Buffer.concat(this.contentIds(node).map((id) => this.chunk('data', id)))
    if (BigInt(bytes.length) !== node[14]) throw damaged('a file has another size than its chunks')
    return bytes
  }

  private pageIds(id: Buffer, level: number): Buffer[] {
    const ids = split(this.page(id, level).entries, 32)
    return level === 0 ? ids : ids.flatMap((child) => this.pageIds(child, level - 1))
  }

  private *directoryNodes(id: Buffer, expected: number | undefined): Generator<Value[]> {
    const { level, entries } = this.page(id, expected)
    for (const entry of entries as Value[]) {
      if (level === 0) yield entry as Value[]
      else yield* this.directoryNodes(record(entry, 2)[1] as Buffer, level - 1)
    }
  }

  private packPath(kind: Pack, id: string): string {
    return join(this.directory, kind === 'data' ? 'data' : 'trees', id.slice(0, 2), id)
  }

  private loadIndex(): void {
    const condemned = new Set<string>()
    const found: Value[][] = []
    for (const name of this.list('index')) {
      const facts = record(this.value('index', `index/${name}`), 3)
      for (const pack of facts[0] as Value[]) found.push(record(pack, 6))
      for (const id of split(facts[1], 32)) condemned.add(id.toString('hex'))
    }
    for (const [id, isTree, , , salt, blocks] of found) {
      const name = (id as Buffer).toString('hex')
      this.salts.set(name, salt as Buffer)
      this.add(name, isTree ? 'tree' : 'data', condemned.has(name), readBlocks(blocks))
    }
  }

  private loadFooters(): void {
    for (const kind of ['data', 'tree'] as const) {
      for (const name of this.list(kind === 'data' ? 'data' : 'trees')) {
        this.add(name, kind, false, openPack(readFileSync(this.packPath(kind, name)), this.masterKey).blocks)
      }
    }
  }

  private add(pack: string, kind: Pack, condemned: boolean, blocks: readonly Block[]): void {
    if (condemned && !existsSync(this.packPath(kind, pack))) return
    this.packs.set(pack, { kind, condemned })
    for (const { id } of blocks.flatMap((block) => block.chunks)) {
      const name = `${kind} ${id.toString('hex')}`
      const home = this.homes.get(name)
      if (home === undefined || this.packs.get(home.pack)?.condemned) this.homes.set(name, { pack, kind })
    }
  }
}
