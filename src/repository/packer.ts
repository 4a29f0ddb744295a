import type { Backend, StagedFile } from '../backend/index.ts'
import type { Subkeys } from '../crypto/index.ts'
import type { SessionId } from '../encoding/index.ts'
import type { PackFacts } from '../index/index.ts'
import { PackWriter, type PlainBlock } from '../pack/index.ts'
import { fileName, type PackKind } from './layout.ts'
import { packTargetBytesOf, type Settings } from './settings.ts'
import { WriteQueue } from './write-queue.ts'

export interface PackerOptions {
  readonly backend: Backend
  readonly subkeys: Subkeys
  readonly session: SessionId
  readonly settings: Pick<Settings, 'packTargetBytes'>
  /** Called when packs have become durable, one call at a time; resolves when they are listed durably. */
  readonly onPacks: (packs: readonly PackFacts[]) => Promise<void>
}

/** Bytes of payload that may wait to be written before callers should. */
const QUEUE_BYTES = 32 * 1024 * 1024
/** An index file is due when durable packs list this many bytes of chunks, or this many packs wait. */
const LISTED_BYTES = 4 * 1024 * 1024
const LISTED_PACKS = 4

interface OpenPack {
  readonly writer: PackWriter
  readonly staged: StagedFile
}

/** Puts blocks into packs, one open pack of each kind, in the order they come. */
export class Packer {
  private readonly options: PackerOptions
  private readonly open: Partial<Record<PackKind, OpenPack>> = {}
  private tail: Promise<void> = Promise.resolve()
  private queuedBytes = 0
  /** What waits here, and what threads have on its way here. */
  readonly queue: WriteQueue = new WriteQueue()
  private failure: { readonly error: unknown } | undefined
  private unlisted: PackFacts[] = []
  private unlistedBytes = 0
  /** Stored bytes of finished packs of each kind. */
  readonly packedBytes: Record<PackKind, number> = { data: 0, tree: 0 }

  constructor(options: PackerOptions) {
    this.options = options
  }

  /** Queue one block. The packer owns it from now on. A failure shows at the next `drained` or `finish`. */
  add(kind: PackKind, block: PlainBlock): void {
    const { length } = block.payload
    this.queuedBytes += length
    this.queue.add(length)
    this.enqueue(() => this.write(kind, block))
    this.tail = this.tail.then(() => {
      this.queuedBytes -= length
      this.queue.remove(length)
      block.release?.()
    })
  }

  /** Resolves when there is room for more. */
  async drained(): Promise<void> {
    while (this.queuedBytes > QUEUE_BYTES && this.failure === undefined) await this.tail
    this.throwFailure()
  }

  /** Close what is open. Everything added is durable, and listed durably, when this resolves. */
  async finish(): Promise<void> {
    this.enqueue(async () => {
      for (const kind of ['data', 'tree'] as const) await this.closePack(kind, true)
      await this.list()
    })
    await this.tail
    this.throwFailure()
  }

  /**
   * Drop what is open: its temporary files are removed. Packs that are whole are listed as far as that still works, so
   * that the next run finds what this one has stored.
   */
  async discard(): Promise<void> {
    this.failure ??= { error: new Error('the packer was discarded') }
    await this.tail
    await Promise.allSettled([this.list()])
    for (const kind of ['data', 'tree'] as const) {
      await this.open[kind]?.staged.discard()
      delete this.open[kind]
    }
  }

  private enqueue(work: () => Promise<void>): void {
    this.tail = this.tail.then(async () => {
      if (this.failure !== undefined) return
      try {
        await work()
      } catch (error) {
        this.failure = { error }
      }
    })
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.error
  }

  private async write(kind: PackKind, block: PlainBlock): Promise<void> {
    const open = this.open[kind] ?? (await this.openPack(kind))
    await open.writer.append(block)
    const target = packTargetBytesOf(this.options.settings, kind)
    if (open.writer.sizeBytes >= target || open.writer.isFull) await this.closePack(kind, false)
    if (this.unlistedBytes >= LISTED_BYTES || this.unlisted.length >= LISTED_PACKS) await this.list()
  }

  private async openPack(kind: PackKind): Promise<OpenPack> {
    const { backend, subkeys, session } = this.options
    const staged = await backend.stage(session)
    const writer = new PackWriter(kind, subkeys.files[kind], session, staged)
    this.open[kind] = { writer, staged }
    return this.open[kind]
  }

  private async closePack(kind: PackKind, isLast: boolean): Promise<void> {
    const open = this.open[kind]
    if (open === undefined) return
    const pack = await open.writer.finish(isLast)
    await open.staged.commit(fileName(kind, pack.id))
    delete this.open[kind]
    this.packedBytes[kind] += pack.sizeBytes
    this.unlisted.push({ ...pack, kind, session: this.options.session })
    this.unlistedBytes += pack.blocks.reduce((sum, block) => sum + block.chunks.length, 0)
  }

  private async list(): Promise<void> {
    if (this.unlisted.length === 0) return
    const packs = this.unlisted
    this.unlisted = []
    this.unlistedBytes = 0
    await this.options.onPacks(packs)
  }
}
