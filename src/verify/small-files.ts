import { checkHeader, type FileKind, HEADER_BYTES } from '../crypto/index.ts'
import type { FileId } from '../encoding/index.ts'
import { checkAborted, hasCode } from '../errors/index.ts'
import {
  CONFIG_NAME,
  checkSessionFile,
  fileName,
  listKeys,
  openValue,
  type Pending,
  parseConfig,
  parsePending,
  parseSettings,
  type Repository,
  readKeyFiles,
} from '../repository/index.ts'
import { parseSnapshot } from '../snapshot/index.ts'
import type { SmallFile } from './listing.ts'
import type { ReportBuilder } from './report.ts'

/** Files read at once. */
const READS = 16

export interface PendingFile extends Pending {
  readonly file: string
}

/** What the small files say that is needed further on. */
export interface SmallFiles {
  readonly pending: readonly PendingFile[]
  readonly damagedSnapshots: readonly FileId[]
}

/** Open every file that is neither a pack nor an index file; from storage, never from the cache. */
export async function checkSmallFiles(
  repository: Repository,
  files: readonly SmallFile[],
  report: ReportBuilder,
  onFile: () => void,
  signal?: AbortSignal,
): Promise<SmallFiles> {
  const pending: PendingFile[] = []
  const damagedSnapshots: FileId[] = []
  await checkKeys(repository, report)
  for (let from = 0; from < files.length; from += READS) {
    checkAborted(signal)
    const batch = files.slice(from, from + READS).map(async ({ name, stored }) => {
      const isSound = await checkFile(repository, name, kindOf(stored), report, async () => {
        const found = await readFile(repository, stored)
        if (found !== undefined) pending.push({ file: name, ...found })
      })
      if (!isSound && stored.what === 'file' && stored.kind === 'snapshot') {
        damagedSnapshots.push(stored.id)
        report.touch(name, stored.id, '/')
      }
      onFile()
    })
    await Promise.all(batch)
  }
  return { pending, damagedSnapshots }
}

/**
 * Read a file, and say in the report when that fails.
 *
 * @returns false when something is wrong with the file; one that is gone by now is none of the report's matter
 */
export async function checkFile(
  repository: Repository,
  name: string,
  kind: FileKind,
  report: ReportBuilder,
  read: () => Promise<void>,
): Promise<boolean> {
  try {
    await read()
    return true
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_FILE')) return true
    report.addError(name, error)
    if (!hasCode(error, 'IO')) await explainHeader(repository, name, kind, report)
    return false
  }
}

/** Say also what is wrong with the header, where something is: it tells other kinds and versions from bit rot. */
async function explainHeader(
  repository: Repository,
  name: string,
  kind: FileKind,
  report: ReportBuilder,
): Promise<void> {
  try {
    checkHeader(kind, await repository.backend.getRange(name, 0, HEADER_BYTES))
  } catch (error) {
    if (!hasCode(error, 'NO_SUCH_FILE')) report.addError(name, error)
  }
}

function kindOf(stored: SmallFile['stored']): FileKind {
  if (stored.what === 'file') return stored.kind
  return stored.what === 'config' ? 'config' : 'session'
}

async function readFile(repository: Repository, stored: SmallFile['stored']): Promise<Pending | undefined> {
  if (stored.what === 'config')
    openValue(repository, 'config', CONFIG_NAME, await repository.backend.get(CONFIG_NAME), parseConfig)
  else if (stored.what !== 'file') await checkSessionFile(repository, stored.session, stored.what)
  else if (stored.kind === 'settings') await repository.getValue('settings', stored.id, parseSettings)
  else if (stored.kind === 'snapshot') await repository.getValue('snapshot', stored.id, parseSnapshot)
  else if (stored.kind === 'pending') return await repository.getValue('pending', stored.id, parsePending)
  return undefined
}

async function checkKeys(repository: Repository, report: ReportBuilder): Promise<void> {
  const { damaged } = await readKeyFiles(repository.backend)
  for (const { name, error } of damaged) {
    const file = fileName('key', name)
    report.addError(file, error)
    await explainHeader(repository, file, 'key', report)
  }
  for (const key of await listKeys(repository)) {
    const file = fileName('key', key.id)
    if (!key.isDamaged || report.has(file)) continue
    const detail =
      key.info === undefined
        ? 'it is not a key of this repository, or what it says of itself is damaged'
        : 'its bytes do not have the hash that is its name; a whole copy in it still opens the repository'
    report.add(file, 'damaged', detail)
    await explainHeader(repository, file, 'key', report)
  }
}
