import { randomBytes } from 'node:crypto'
import { chmodSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { HoldfastError } from '../errors/index.ts'
import type { RowCheck } from './check.ts'
import {
  decodeHead,
  encodeHead,
  HEAD_KEY,
  type Head,
  isSound,
  isWellFormed,
  SCHEMA,
  seal,
  type TableName,
  tableNames,
} from './rows.ts'
import { createSidecar, DATA_NAME, LOCK_NAME } from './sidecar.ts'

const require = createRequire(import.meta.url)

/** Address space set aside for the file: room for about 500 million chunks; LMDB maps more when it must. */
export const MAP_BYTES: number = 2 ** 37
const MAXIMUM_READERS = 512

interface Transaction {
  done(): void
}

interface ReadOptions {
  readonly transaction?: Transaction
}

/** The part of lmdb's database class that is used here, with the options its declarations leave out. */
interface Table {
  /** The value is overwritten by the next read of any table. */
  getBinaryFast(key: Uint8Array, options?: ReadOptions): Buffer | undefined
  get(key: Uint8Array, options?: ReadOptions): Buffer | undefined
  /** `append` only inside a transaction and for keys above all others. */
  putSync(key: Uint8Array, value: Uint8Array, options?: { append: boolean }): void
  removeSync(key: Uint8Array): void
  getRange(options: ReadOptions): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>
  getKeys(options: { readonly reverse: boolean; readonly limit: number }): Iterable<Uint8Array>
  clearSync(): void
}

interface RootTable {
  openDB(name: string, options: object): Table
  transactionSync<T>(action: () => T): T
  useReadTransaction(): Transaction
  resetReadTxn(): void
  readerCheck(): number
  close(): Promise<void>
}

/** One consistent state of all tables. */
export interface View {
  readonly head: Head
  /** To be passed to every read. */
  readonly options: ReadOptions
}

/** An LMDB environment with its tables. Reads and writes are synchronous. */
export interface Environment {
  readonly tables: Readonly<Record<TableName, Table>>
  readonly check: RowCheck
  /** The current view; it ends with `renew`, with a write, or when the thread turns to its event loop. */
  view(): View
  renew(): void
  /** A view of the caller's own, for an iteration; `release` it, or the file cannot reuse its pages. */
  hold(): View & { release(): void }
  /** One durable transaction, all or nothing. Reads inside see its own writes, and take no options. */
  write<T>(action: () => T): T
  /** Writes until `endWrites` count as one burst: the sidecar is gone meanwhile. May nest. */
  beginWrites(): void
  endWrites(): void
  /** Of the data file that is open. */
  readonly inode: bigint
  close(): Promise<void>
}

/** Thrown inside `write` where a row that would be written over is rotten: what it said must not get lost. */
export const rottenRow: Error = new Error('a row of the local index is rotten')

/** Loaded when it is first used. */
export function loadLmdb(): typeof import('lmdb') {
  return require('lmdb') as typeof import('lmdb')
}

/**
 * Open LMDB. The files must have passed the guard: LMDB ends the process when they are damaged.
 * Every thread opens its own; threads of one process share the mapped file.
 *
 * @param options.mayBegin default: an environment without a head gets one
 * @throws whatever LMDB throws; HoldfastError DAMAGED when the head row is rotten
 */
export function openEnvironment(
  directory: string,
  check: RowCheck,
  { mayBegin = true }: { readonly mayBegin?: boolean } = {},
): Environment {
  const root = loadLmdb().open({
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize: MAP_BYTES,
    maxDbs: tableNames.length,
    maxReaders: MAXIMUM_READERS,
    // Commits are durable when they return: the sidecar is written after them.
    overlappingSync: false,
  }) as unknown as RootTable
  const data = join(directory, DATA_NAME)
  restrict(directory, 0o700)
  for (const path of [data, join(directory, LOCK_NAME)]) restrict(path, 0o600)
  const inode = statSync(data, { bigint: true }).ino
  const sidecar = createSidecar(directory, inode)
  root.readerCheck()
  const tables = Object.fromEntries(
    tableNames.map((name) => [name, root.openDB(name, { encoding: 'binary', keyEncoding: 'binary' })]),
  ) as Record<TableName, Table>

  let current: { readonly view: View; readonly transaction: Transaction } | undefined
  let ending: NodeJS.Immediate | undefined
  let bursts = 0
  let failed = false

  const open = () => {
    const transaction = root.useReadTransaction()
    const options = { transaction }
    const head = readHead(tables.head, check, options)
    if (head !== undefined) return { view: { head, options }, transaction }
    transaction.done()
    throw new HoldfastError('DAMAGED', `the local index at ${directory} is damaged`, {
      hint: 'run the command again: the index is rebuilt from the repository',
    })
  }
  const endView = () => {
    if (current === undefined) return
    clearImmediate(ending)
    current.transaction.done()
    current = undefined
  }
  const renew = () => {
    endView()
    root.resetReadTxn()
  }
  const beginWrites = () => {
    if (bursts++ === 0) sidecar.remove()
  }
  const endWrites = () => {
    if (--bursts === 0 && !failed) sidecar.write()
  }

  const environment: Environment = {
    tables,
    check,
    view() {
      if (current === undefined) {
        current = open()
        ending = setImmediate(endView)
      }
      return current.view
    },
    renew,
    hold() {
      root.resetReadTxn()
      const { view, transaction } = open()
      return { ...view, release: () => transaction.done() }
    },
    write(action) {
      beginWrites()
      try {
        return root.transactionSync(action)
      } catch (error) {
        if (error === rottenRow) failed = true
        if (!isLmdbError(error)) throw error
        failed = true
        throw new HoldfastError('IO', `cannot write the local index at ${directory}: ${error.message}`, {
          hint: 'make room there, or choose another place with --cache-dir',
          cause: error,
        })
      } finally {
        renew()
        endWrites()
      }
    },
    beginWrites,
    endWrites,
    inode,
    async close() {
      endView()
      await root.close()
    },
  }
  try {
    if (mayBegin && tables.head.get(HEAD_KEY) === undefined) initialise(environment)
    environment.view()
  } catch (error) {
    void root.close()
    throw error
  }
  return environment
}

/** A row whose check holds, copied; undefined when it is missing or rotten. */
export function readRow(
  environment: Environment,
  table: TableName,
  key: Uint8Array,
  options?: ReadOptions,
): Buffer | undefined {
  const value = environment.tables[table].get(key, options)
  if (value === undefined) return undefined
  const row = asBuffer(value)
  return isSound(environment.check, table, key, row) && isWellFormed(table, key, row) ? row : undefined
}

/** The same inside `write`, for a row that is written over. Throws `rottenRow` where it is not sound. */
export function readRowToChange(
  environment: Environment,
  table: TableName,
  key: Uint8Array,
): Buffer | undefined {
  const row = readRow(environment, table, key)
  if (row === undefined && environment.tables[table].get(key) !== undefined) throw rottenRow
  return row
}

/** The same bytes. Asking a short array for its `buffer` moves it out of the heap, which costs a malloc for each row. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Put a row whose last four bytes are free for the check. Inside `write` only. */
export function putRow(environment: Environment, table: TableName, key: Uint8Array, value: Buffer): void {
  environment.tables[table].putSync(key, seal(environment.check, table, key, value))
}

/** Change the head. Inside `write` only. */
export function putHead(environment: Environment, head: Head): void {
  putRow(environment, 'head', HEAD_KEY, encodeHead(head))
}

/** The head inside a transaction. */
export function headForWriting(environment: Environment): Head {
  const head = readHead(environment.tables.head, environment.check)
  if (head === undefined) throw new HoldfastError('DAMAGED', 'the local index is damaged')
  return head
}

/** True for an error thrown by LMDB itself: its code is a number. */
export function isLmdbError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'number'
}

function readHead(table: Table, check: RowCheck, options?: ReadOptions): Head | undefined {
  const value = table.get(HEAD_KEY, options)
  if (value === undefined) return undefined
  const row = asBuffer(value)
  if (!isSound(check, 'head', HEAD_KEY, row) || !isWellFormed('head', HEAD_KEY, row)) return undefined
  const head = decodeHead(row)
  return head.schema === SCHEMA ? head : undefined
}

function initialise(environment: Environment): void {
  environment.write(() => {
    // Another process may have been first.
    if (environment.tables.head.get(HEAD_KEY) !== undefined) return
    const none = { packNumbers: 0, chunkNumbers: 0, losses: 0 }
    const birth = randomBytes(16).toString('hex')
    putHead(environment, { schema: SCHEMA, generation: 1, version: 1, birth, ...none })
  })
}

/** Only where it is needed: a change of mode moves the ctime that the sidecar goes by. */
function restrict(path: string, mode: number): void {
  if ((statSync(path).mode & 0o777) !== mode) chmodSync(path, mode)
}
