import { statSync } from 'node:fs'
import { join } from 'node:path'
import { chunkId, type FileId, toHex } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { createRowCheck } from './check.ts'
import {
  asBuffer,
  type Environment,
  headForWriting,
  openEnvironment,
  putHead,
  putRow,
  readRow,
  rottenRow,
  type View,
} from './environment.ts'
import { openGuarded } from './guard.ts'
import { defaultLimits, type LoadLimits, loadFacts, reserveNumbers } from './load.ts'
import { createPackCache, packRow, readPack, readPackNumber } from './pack-cache.ts'
import type { ChunkReader, ChunkRow, ClientIndex, IndexAddress, PackRow } from './places.ts'
import { createReader, listedChunk } from './reader.ts'
import {
  CHECK_BYTES,
  decodeFile,
  decodePack,
  encodePack,
  isSound,
  isWellFormed,
  mayBeGood,
  packKey,
  type StoredPack,
  type TableName,
  tableNames,
  unlistedPack,
} from './rows.ts'
import { DATA_NAME } from './sidecar.ts'

/** LMDB's keys have at most 1,978 bytes; names in a repository are much shorter. */
const MAXIMUM_NAME_BYTES = 500

export interface LmdbIndexOptions {
  /** The index's own directory; made when it is not there. Nothing else may be kept in it. */
  readonly directory: string
  /** At least 8 secret bytes of this repository. */
  readonly checkKey: Uint8Array
  /** Gets one line when a damaged index was thrown away. */
  readonly onNotice: (message: string) => void
  readonly limits?: LoadLimits
}

/**
 * Open the index of one repository, or begin an empty one. Costs the same whatever the index holds, unless its
 * last writer did not get to its end: then every page is looked at once, one to two seconds a million chunks.
 *
 * @throws HoldfastError UNSUPPORTED on a network file system; IO when no index can be made there
 */
export async function openLmdbIndex(options: LmdbIndexOptions): Promise<ClientIndex> {
  const check = createRowCheck(options.checkKey)
  const environment = await openGuarded(options.directory, check, options.onNotice)
  return createLmdbIndex(environment, options.directory, options.limits ?? defaultLimits)
}

/**
 * A reader for a worker thread of a process that has the index open; it never writes. `close` it before the
 * thread ends.
 *
 * @throws HoldfastError IO when what is there now is not the index that the process has open: other facts than those it
 *   has loaded would be relied on
 */
export function openIndexReader(
  { directory, inode, birth, version }: IndexAddress,
  checkKey: Uint8Array,
): ChunkReader & { close(): Promise<void> } {
  if (!isInPlace(directory, inode)) throw otherIndex(directory)
  const environment = openEnvironment(directory, createRowCheck(checkKey), { mayBegin: false })
  const { head } = environment.view()
  if (head.birth !== birth || head.version < version) {
    void environment.close()
    throw otherIndex(directory)
  }
  const { has, find, renew } = createReader(environment, createPackCache(environment))
  return { has, find, renew, close: () => environment.close() }
}

function isInPlace(directory: string, inode: string): boolean {
  const data = statSync(join(directory, DATA_NAME), { bigint: true, throwIfNoEntry: false })
  return data !== undefined && String(data.ino) === inode
}

function otherIndex(directory: string): HoldfastError {
  return new HoldfastError('IO', `the local index at ${directory} was taken away or made anew meanwhile`, {
    hint: 'run the command again; leave the folder alone while holdfast is at work',
  })
}

function createLmdbIndex(environment: Environment, directory: string, limits: LoadLimits): ClientIndex {
  const packs = createPackCache(environment)
  const reader = createReader(environment, packs)
  let files: { readonly version: number; readonly ids: ReadonlySet<FileId> } | undefined

  function* heldRows(table: TableName): Generator<Row> {
    const view = environment.hold()
    try {
      yield* rowsOf(environment, table, view)
    } finally {
      view.release()
    }
  }
  function* storedPacks(): Generator<[number, StoredPack]> {
    for (const { key, value } of heldRows('packs')) yield [key.readUInt32BE(0), decodePack(value)]
  }
  /** Where a row is rotten the next command finds that out, and begins the index anew. */
  const writeOrRebuild = (action: () => void) => {
    try {
      environment.write(action)
    } catch (error) {
      if (error !== rottenRow) throw error
      throw new HoldfastError('IO', `the local index at ${directory} is damaged`, {
        hint: 'run the command again: the index is rebuilt from the repository',
      })
    }
  }
  const changeLost = (ids: readonly FileId[], lost: boolean) => {
    if (ids.length === 0) return
    writeOrRebuild(() => {
      const head = headForWriting(environment)
      const numbers = reserveNumbers(environment, head.generation, ids)
      let losses = 0
      for (const [place, id] of ids.entries()) {
        const number = numbers[place]!
        const pack = readPack(environment, undefined, number) ?? unlistedPack(id)
        if (lost && mayBeGood(pack)) losses++
        putRow(environment, 'packs', packKey(number), encodePack({ ...pack, lost }))
      }
      const version = head.version + 1
      putHead(environment, { ...headForWriting(environment), version, losses: head.losses + losses })
    })
  }

  return {
    ...reader,
    files() {
      const view = environment.view()
      if (files?.version !== view.head.version) {
        const ids = new Set<FileId>()
        for (const { key, value } of rowsOf(environment, 'files', view)) {
          if (decodeFile(value).applied) ids.add(toHex(key) as FileId)
        }
        files = { version: view.head.version, ids }
      }
      return files.ids
    },
    update: (added, gone = [], signal) => loadFacts(environment, added, { directory, gone, signal, limits }),
    get chunkNumbers() {
      return environment.view().head.chunkNumbers
    },
    get losses() {
      return environment.view().head.losses
    },
    get generation() {
      return environment.view().head.generation
    },
    *packs() {
      for (const [number, pack] of storedPacks()) if (pack.listed) yield packRow(number, pack)
    },
    pack(id): PackRow | undefined {
      const view = environment.view()
      const number = readPackNumber(environment, view, id)
      return number === undefined ? undefined : packs.read(view, number)?.row
    },
    isCondemned(id) {
      const view = environment.view()
      const number = readPackNumber(environment, view, id)
      return number !== undefined && readPack(environment, view, number)?.condemned === true
    },
    *condemned() {
      for (const [, pack] of storedPacks()) if (pack.condemned) yield pack.id
    },
    *chunks(): Generator<ChunkRow> {
      const view = environment.hold()
      try {
        for (const { key, value } of rowsOf(environment, 'chunks', view)) {
          const chunk = listedChunk(packs, view, chunkId(key), value)
          if (chunk !== undefined) yield chunk
        }
      } finally {
        view.release()
      }
    },
    blocks: (packNumber) => packs.read(environment.view(), packNumber)?.blocks ?? [],
    markLost: (ids) => changeLost(ids, true),
    markFound: (ids) => changeLost(ids, false),
    getCached(name) {
      const row = readRow(environment, 'cached', nameKey(name), environment.view().options)
      return row && Buffer.from(row.subarray(0, row.length - CHECK_BYTES))
    },
    putCached(entries) {
      environment.write(() => {
        for (const [name, bytes] of entries) {
          putRow(environment, 'cached', nameKey(name), Buffer.concat([bytes, Buffer.alloc(CHECK_BYTES)]))
        }
      })
    },
    removeCached(names) {
      environment.write(() => {
        for (const name of names) environment.tables.cached.removeSync(nameKey(name))
      })
    },
    *cachedNames() {
      for (const { key } of heldRows('cached')) yield key.toString('utf8')
    },
    async reset() {
      environment.write(() => {
        const head = headForWriting(environment)
        // One transaction: other readers have everything, then nothing, never a part.
        for (const name of tableNames) if (name !== 'head') environment.tables[name].clearSync()
        const { generation, version, losses } = head
        const next = { generation: generation + 1, version: version + 1, losses: losses + 1 }
        putHead(environment, { ...head, ...next })
      })
    },
    address() {
      const inode = String(environment.inode)
      const { birth, version } = environment.view().head
      return isInPlace(directory, inode) ? { directory, inode, birth, version } : undefined
    },
    close: () => environment.close(),
  }
}

interface Row {
  readonly key: Buffer
  readonly value: Buffer
}

/** Every sound row of a table by key; owned by the caller. */
function* rowsOf(environment: Environment, table: TableName, view: View): Generator<Row> {
  for (const { key, value } of environment.tables[table].getRange({ ...view.options })) {
    const row = {
      key: asBuffer(key),
      value: asBuffer(value),
    }
    const isRow =
      isSound(environment.check, table, row.key, row.value) && isWellFormed(table, row.key, row.value)
    if (isRow) yield row
  }
}

function nameKey(name: string): Buffer {
  const key = Buffer.from(name, 'utf8')
  if (key.length === 0 || key.length > MAXIMUM_NAME_BYTES)
    throw new Error(`not a name of a cached file: ${name}`)
  return key
}
