import { setImmediate } from 'node:timers/promises'
import type { FileId } from '../encoding/index.ts'
import { checkAborted, HoldfastError, systemCode } from '../errors/index.ts'
import { writeChunks } from './chunk-writer.ts'
import { blockStart, createEntryBuffer, MAXIMUM_ENTRIES } from './entries.ts'
import { type Environment, headForWriting, putHead, putRow, readRow, rottenRow } from './environment.ts'
import { CHUNK_ROW_BYTES, type IndexFacts, MAXIMUM_BLOCKS, type PackFacts } from './facts.ts'
import { readPack, readPackNumber } from './pack-cache.ts'
import type { UpdateResult } from './places.ts'
import {
  decodeFile,
  decodePack,
  encodeFile,
  encodeName,
  encodePack,
  type FileFlags,
  idKey,
  listedPack,
  mayBeGood,
  mergePacks,
  packKey,
  type StoredPack,
  unlistedPack,
} from './rows.ts'
import { createRunFile, type RunFile } from './runs.ts'

/** What a load keeps in memory at most. */
export interface LoadLimits {
  /** Entries of one run; at most MAXIMUM_ENTRIES. */
  readonly runEntries: number
  /** Entries of one transaction: LMDB keeps changed pages in memory, in a large index one of 4 KiB for each entry. */
  readonly transactionEntries: number
  /** Packs and condemnations. */
  readonly records: number
}

export const defaultLimits: LoadLimits = {
  runEntries: MAXIMUM_ENTRIES,
  transactionEntries: 8192,
  records: 50_000,
}
/** Most pack numbers: a home has 32 bits for one. */
const MAXIMUM_PACK_NUMBERS = 0xffff_ffff

/** Thrown inside a load when another process reset the index. */
const resetMeanwhile: Error = new Error('the index was reset by another process')

export interface LoadOptions {
  /** Where runs are sorted. */
  readonly directory: string
  readonly gone: readonly FileId[]
  readonly signal: AbortSignal | undefined
  readonly limits: LoadLimits
}

type IndexFiles = AsyncIterable<{ readonly file: FileId; readonly facts: IndexFacts }>

/**
 * Take in index files as one step of trust. Chunk rows may be written in many transactions before; nobody
 * relies on them until the last transaction lists their packs, and it is the same one that condemns packs and
 * says which files are in. Numbers are given out in transactions of their own or earlier, and never again.
 */
export async function loadFacts(
  environment: Environment,
  files: IndexFiles,
  options: LoadOptions,
): Promise<UpdateResult> {
  const { directory, gone, signal } = options
  const load = createLoad(environment, directory, options.limits)
  try {
    for await (const { file, facts } of files) {
      checkAborted(signal)
      load.add(file, facts)
    }
    checkAborted(signal)
    return await load.finish(gone, signal)
  } catch (error) {
    if (error === resetMeanwhile) return 'reset-meanwhile'
    if (error === rottenRow) return 'rebuild-needed'
    if (systemCode(error) !== 'ENOSPC') throw error
    throw new HoldfastError('IO', `cannot write the local index in ${directory}: the disk is full`, {
      hint: 'make room there, or choose another place with --cache-dir',
      cause: error,
    })
  } finally {
    load.close()
  }
}

interface Load {
  add(file: FileId, facts: IndexFacts): void
  finish(gone: readonly FileId[], signal: AbortSignal | undefined): Promise<UpdateResult>
  close(): void
}

function createLoad(environment: Environment, directory: string, limits: LoadLimits): Load {
  const { generation } = environment.view().head
  const entries = createEntryBuffer(limits.runEntries)
  /** Pack ids by the numbers that stand for them until they have one. */
  let ids: FileId[] = []
  let places = new Map<FileId, number>()
  let records: StoredPack[] = []
  /** Packs of this load whose chunks are among `entries` or in `runs`, as far as remembered. */
  let taken = new Set<FileId>()
  const files = new Map<FileId, FileFlags>()
  let runs: RunFile | undefined

  const placeOf = (id: FileId): number => {
    const found = places.get(id)
    if (found !== undefined) return found
    places.set(id, ids.length)
    return ids.push(id) - 1
  }
  const record = (pack: StoredPack) => {
    placeOf(pack.id)
    if (records.push(pack) >= limits.records) spill()
  }
  const addChunks = (pack: PackFacts) => {
    pack.blocks.forEach((block, number) => {
      for (let cursor = blockStart; cursor.row * CHUNK_ROW_BYTES < block.chunks.length; ) {
        if (entries.count === limits.runEntries) spill()
        cursor = entries.addBlock(placeOf(pack.id), number, block, cursor)
      }
    })
  }
  const spill = () => {
    if (runs === undefined) {
      runs = createRunFile(directory)
      environment.beginWrites()
    }
    const numbers = environment.write(() => reserveNumbers(environment, generation, ids))
    entries.renumber(numbers)
    runs.addRun(entries.bytes, entries.sort())
    for (const pack of records) {
      const row = encodePack(pack)
      runs.addRecord(Buffer.concat([packKey(numbers[places.get(pack.id)!]!), row]))
    }
    entries.clear()
    ids = []
    places = new Map()
    records = []
    taken = new Set()
  }
  const commit = (gone: readonly FileId[], packs: Iterable<[number, StoredPack]>): UpdateResult => {
    if (!mayForget(environment, files, gone)) return 'rebuild-needed'
    let losses = 0
    for (const [number, pack] of packs) if (putPack(environment, number, pack)) losses++
    for (const [file, flags] of files) putFile(environment, file, flags)
    for (const file of gone) dropFile(environment, file)
    const head = headForWriting(environment)
    putHead(environment, { ...head, version: head.version + 1, losses: head.losses + losses })
    return 'updated'
  }
  const finishAtOnce = (gone: readonly FileId[]) =>
    environment.write(() => {
      const numbers = reserveNumbers(environment, generation, ids)
      entries.renumber(numbers)
      writeChunks(environment, entries.inOrder(entries.sort()), Number.POSITIVE_INFINITY)
      return commit(
        gone,
        records.map((pack) => [numbers[places.get(pack.id)!]!, pack]),
      )
    })
  const finishRuns = async (file: RunFile, gone: readonly FileId[], signal: AbortSignal | undefined) => {
    const merged = file.merge()
    for (let more = true; more; ) {
      checkAborted(signal)
      more = environment.write(() => {
        requireGeneration(environment, generation)
        return writeChunks(environment, merged, limits.transactionEntries)
      })
      await setImmediate()
    }
    return environment.write(() => {
      requireGeneration(environment, generation)
      return commit(gone, numberedPacks(file))
    })
  }

  return {
    add(file, facts) {
      for (const pack of facts.packs) {
        if (pack.blocks.length > MAXIMUM_BLOCKS) throw new Error(`pack ${pack.id} has too many blocks`)
        if (taken.has(pack.id) || isListed(environment, pack.id)) continue
        addChunks(pack)
        taken.add(pack.id)
        record(listedPack(pack))
      }
      for (const id of facts.condemned) record({ ...unlistedPack(id), condemned: true })
      for (const id of facts.replaces)
        files.set(id, { applied: files.get(id)?.applied ?? false, replaced: true })
      files.set(file, { applied: true, replaced: files.get(file)?.replaced ?? false })
    },
    async finish(gone, signal) {
      if (files.size === 0 && gone.length === 0) return 'updated'
      if (runs === undefined && entries.count <= limits.transactionEntries) return finishAtOnce(gone)
      spill()
      return await finishRuns(runs!, gone, signal)
    },
    close() {
      if (runs === undefined) return
      runs.close()
      environment.endWrites()
    },
  }
}

/** True when the pack's chunks need not be taken in again, unless a reset comes in between. */
function isListed(environment: Environment, id: FileId): boolean {
  const view = environment.view()
  const number = readPackNumber(environment, view, id)
  return number !== undefined && readPack(environment, view, number)?.listed === true
}

function requireGeneration(environment: Environment, generation: number): void {
  if (headForWriting(environment).generation !== generation) throw resetMeanwhile
}

/** The numbers of these packs, given out now where they have none. */
export function reserveNumbers(
  environment: Environment,
  generation: number,
  ids: readonly FileId[],
): number[] {
  requireGeneration(environment, generation)
  const head = headForWriting(environment)
  let next = head.packNumbers
  const numbers = ids.map((id) => {
    const found = readPackNumber(environment, undefined, id)
    if (found !== undefined) return found
    if (next > MAXIMUM_PACK_NUMBERS) throw new Error('the local index has no pack numbers left')
    putRow(environment, 'names', idKey(id), encodeName(next))
    return next++
  })
  if (next !== head.packNumbers) putHead(environment, { ...head, packNumbers: next })
  return numbers
}

/** Add what is known of a pack to its row. Inside `write` only. @returns true when it is good no more */
function putPack(environment: Environment, number: number, pack: StoredPack): boolean {
  const before = readPack(environment, undefined, number)
  const merged = before === undefined ? pack : mergePacks(before, pack)
  putRow(environment, 'packs', packKey(number), encodePack(merged))
  return !mayBeGood(merged) && (before === undefined || mayBeGood(before))
}

/** True when each file that is gone was replaced by one that was taken in. */
function mayForget(
  environment: Environment,
  files: ReadonlyMap<FileId, FileFlags>,
  gone: readonly FileId[],
): boolean {
  return gone.every((id) => {
    const stored = readRow(environment, 'files', idKey(id))
    const flags = stored && decodeFile(stored)
    const applied = flags?.applied || files.get(id)?.applied
    return !applied || flags?.replaced || files.get(id)?.replaced
  })
}

/** Add flags to a file's row. */
function putFile(environment: Environment, id: FileId, flags: FileFlags): void {
  const key = idKey(id)
  const stored = readRow(environment, 'files', key)
  const before = stored ? decodeFile(stored) : { applied: false, replaced: false }
  const applied = before.applied || flags.applied
  putRow(environment, 'files', key, encodeFile({ applied, replaced: before.replaced || flags.replaced }))
}

/** The file is gone; that it was replaced stays known, since a file it replaced may go later. */
function dropFile(environment: Environment, id: FileId): void {
  const key = idKey(id)
  const stored = readRow(environment, 'files', key)
  if (stored) putRow(environment, 'files', key, encodeFile({ ...decodeFile(stored), applied: false }))
}

function* numberedPacks(runs: RunFile): Generator<[number, StoredPack]> {
  for (const record of runs.records()) yield [record.readUInt32BE(0), decodePack(record.subarray(4))]
}
