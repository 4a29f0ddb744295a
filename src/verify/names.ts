import { createHasher } from '../crypto/index.ts'
import { toHex } from '../encoding/index.ts'
import { checkAborted, hasCode } from '../errors/index.ts'
import { parseName, problemOf, type Repository } from '../repository/index.ts'
import type { FoundProblem } from './options.ts'

export interface NamesReport {
  readonly problems: readonly FoundProblem[]
  /** Names of files that are not this program's. */
  readonly foreign: readonly string[]
  readonly filesRead: number
  readonly bytesRead: number
}

export interface NamesOptions {
  readonly onProgress?: ((progress: { filesRead: number; bytesRead: number }) => void) | undefined
  readonly onProblem?: ((problem: FoundProblem) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

const RANGE_BYTES = 8 * 1024 * 1024

/**
 * Check without any key that stored files have the hash that is their name. Config, sessions and temporary
 * files have other names and are left out. Finds bit rot, not what is missing.
 */
export async function verifyNames(
  backend: Repository['backend'],
  options: NamesOptions = {},
): Promise<NamesReport> {
  const { onProgress, onProblem, signal } = options
  const problems: FoundProblem[] = []
  const foreign: string[] = []
  let filesRead = 0
  let bytesRead = 0
  for await (const { name, sizeBytes } of backend.list('', signal)) {
    const stored = parseName(name)
    if (stored.what === 'foreign') foreign.push(name)
    if (stored.what !== 'file') continue
    const problem = await checkName(backend, name, stored.id, sizeBytes, signal)
    filesRead++
    bytesRead += sizeBytes
    onProgress?.({ filesRead, bytesRead })
    if (problem === undefined) continue
    problems.push(problem)
    onProblem?.(problem)
  }
  return { problems, foreign, filesRead, bytesRead }
}

async function checkName(
  backend: Repository['backend'],
  file: string,
  id: string,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<FoundProblem | undefined> {
  const hasher = createHasher()
  try {
    for (let at = 0; at < sizeBytes; at += RANGE_BYTES) {
      checkAborted(signal)
      hasher.update(await backend.getRange(file, at, Math.min(RANGE_BYTES, sizeBytes - at), signal))
    }
  } catch (error) {
    checkAborted(signal)
    // A prune or a forget has removed it since it was listed.
    if (hasCode(error, 'NO_SUCH_FILE')) return undefined
    return { file, kind: hasCode(error, 'IO') ? 'unreadable' : 'damaged', detail: problemOf(error) }
  }
  if (toHex(hasher.digest()) === id) return undefined
  return { file, kind: 'damaged', detail: 'its bytes do not have the hash that is its name' }
}
