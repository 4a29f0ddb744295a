import { randomBytes } from 'node:crypto'
import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { HoldfastError, hasCode, systemCode } from '../errors/index.ts'
import { makeDirectories } from '../filesystem/index.ts'
import { requireAddressSpace } from './address-space.ts'
import type { RowCheck } from './check.ts'
import { type Environment, isLmdbError, loadLmdb, openEnvironment } from './environment.ts'
import { refuseNetworkFileSystem } from './file-systems.ts'
import { inspectPages, newestTransaction } from './pages.ts'
import { reserveRoom } from './room.ts'
import { isSound, isWellFormed, type TableName, tableNames } from './rows.ts'
import { createSidecar, DATA_NAME, describeData, isMissing, LOCK_NAME, readSidecar } from './sidecar.ts'

/** Between two looks at a file that another process is writing. */
const PATIENCE_MS = 100
const ATTEMPTS = 4

type Verdict = 'sound' | 'new' | 'damaged' | 'other-version'

/**
 * Open the environment in a directory of its own, which is made when it is not there. LMDB ends the process when
 * its file is damaged, so a file that is not known to be as its last writer left it is looked through first; one
 * that is damaged, or of another version, is thrown away and begun anew.
 *
 * @param onNotice gets one line when an index was thrown away
 * @throws HoldfastError UNSUPPORTED on a network file system; IO when no index can be made there
 */
export async function openGuarded(
  directory: string,
  check: RowCheck,
  onNotice: (message: string) => void,
): Promise<Environment> {
  requireAddressSpace(directory)
  for (let attempt = 1; ; attempt++) {
    let problem: string
    try {
      const verdict = prepareDirectory(directory) ? await inspect(directory, check) : 'damaged'
      if (verdict === 'sound' || verdict === 'new') {
        loadLmdb()
        reserveRoom(directory)
        return openEnvironment(directory, check)
      }
      problem = verdict === 'damaged' ? 'was damaged' : 'is of another version of holdfast'
    } catch (error) {
      if (hasCode(error, 'UNSUPPORTED')) throw error
      const mayBeDamage = isLmdbError(error) || isMissing(error) || hasCode(error, 'DAMAGED')
      if (!mayBeDamage || attempt === ATTEMPTS) throw cannotOpen(directory, error)
      // Another process may have thrown it away just now.
      if (systemCode(error) === 'ENOENT') continue
      problem = 'was damaged'
    }
    try {
      discard(directory)
    } catch (error) {
      throw cannotOpen(directory, error)
    }
    onNotice(`the local index at ${directory} ${problem}: rebuilding it`)
  }
}

function cannotOpen(directory: string, cause: unknown): HoldfastError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new HoldfastError('IO', `cannot open the local index at ${directory}: ${reason}`, {
    hint: 'choose another place with --cache-dir, or use --no-cache',
    cause,
  })
}

/** False when something that is no directory stands in its place. */
function prepareDirectory(directory: string): boolean {
  try {
    makeDirectories(directory, 0o700)
  } catch (error) {
    if (systemCode(error) === 'EEXIST' && !lstatSync(directory).isDirectory()) return false
    throw error
  }
  refuseNetworkFileSystem(directory)
  return true
}

async function inspect(directory: string, check: RowCheck): Promise<Verdict> {
  const path = join(directory, DATA_NAME)
  let data = lstatSync(path, { throwIfNoEntry: false })
  const lock = lstatSync(join(directory, LOCK_NAME), { throwIfNoEntry: false })
  // Another process may be making both just now: the lock file comes first.
  for (let look = 1; !data?.size && lock !== undefined && look < ATTEMPTS; look++) {
    await setTimeout(PATIENCE_MS)
    data = lstatSync(path, { throwIfNoEntry: false })
  }
  // A lock file without its data file may be in use by a process that still has the old data file open.
  if (data === undefined) return lock === undefined ? 'new' : 'damaged'
  if (!data.isFile() || (lock !== undefined && !lock.isFile())) return 'damaged'
  for (;;) {
    const sidecar = readSidecar(directory)
    if (sidecar !== 'missing') return sidecar === 'matches' ? 'sound' : sidecar
    const before = describeData(directory)
    const report = await inspectPages(path, (table, key, value) => acceptsRow(check, table, key, value))
    if (report.problem === undefined) {
      if (before && before.text === describeData(directory)?.text) {
        createSidecar(directory, before.inode).write()
      }
      return 'sound'
    }
    // Pages of a state that is not the newest any more may be written over by a running writer.
    if (newestTransaction(path) === report.transaction) return 'damaged'
    await setTimeout(PATIENCE_MS)
  }
}

function acceptsRow(check: RowCheck, table: string, key: Buffer, value: Buffer): boolean {
  const name = tableNames.find((each) => each === table) as TableName | undefined
  return name !== undefined && isSound(check, name, key, value) && isWellFormed(name, key, value)
}

/**
 * Take the whole directory away at once, so that its data file and its lock file never meet others: a process
 * that has them open keeps a pair that fits.
 */
function discard(directory: string): void {
  const parent = dirname(directory)
  const prefix = `${basename(directory)}.damaged-`
  try {
    renameSync(directory, join(parent, prefix + randomBytes(8).toString('hex')))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true })
  }
}
