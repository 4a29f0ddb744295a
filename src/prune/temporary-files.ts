import { parseSessionId, type SessionId } from '../encoding/index.ts'
import { hasCode } from '../errors/index.ts'
import {
  declareOver,
  listSessions,
  type Repository,
  TEMPORARY_DIRECTORY,
  temporaryOwner,
} from '../repository/index.ts'
import type { PruneOptions } from './options.ts'
import { DEFAULT_SESSION_AGE_MS, judgeSession } from './sessions.ts'

/**
 * Remove temporary files of sessions that have ended, and of those that nobody waits for any more: these are given up
 * on first, so that a backup which goes on after all finds out why its file is gone, and starts again. Files of no
 * session, such as a session file that was never finished, go once this client has seen them for as long as it waits for
 * a session; should one still be written, its command fails and can be given again.
 */
export async function removeTemporaryFiles(
  repository: Repository,
  own: SessionId,
  options: PruneOptions,
): Promise<void> {
  const { backend } = repository
  const names = new Map<SessionId, string[]>()
  const ownerless: string[] = []
  for await (const file of backend.list(TEMPORARY_DIRECTORY)) {
    // A session is listed before it writes its first file.
    const session = parseSessionId(temporaryOwner(file.name) ?? '')
    if (session === undefined) ownerless.push(file.name)
    else if (session !== own) names.set(session, [...(names.get(session) ?? []), file.name])
  }
  for (const name of findAged(repository, ownerless, options)) await backend.remove(name)
  if (names.size === 0) return
  const { alive, over } = await listSessions(backend)
  for (const [session, files] of names) {
    if (alive.has(session) && !over.has(session)) {
      const judged = await judgeSession(repository, session, options)
      if (judged?.isHopeless === false) continue
      if (judged !== undefined) await declareOver(backend, repository, session, own)
    }
    for (const name of files) await backend.remove(name)
  }
}

const SEEN = 'temporary-files-seen'
/** Writing such a file takes moments: one that is older was given up, whoever else is waited for. */
const LEAST_AGE_MS = 60_000

/** Those that this client saw first so long ago; the others are remembered. */
function findAged({ index }: Repository, names: readonly string[], options: PruneOptions): string[] {
  const { nowMs = Date.now(), sessionAgeMs = DEFAULT_SESSION_AGE_MS } = options
  const before = new Map(parseSeen(index.getCached(SEEN)))
  if (names.length === 0 && before.size === 0) return []
  const seen = names.map((name): Seen => [name, Math.min(before.get(name) ?? nowMs, nowMs)])
  const isAged = ([, firstMs]: Seen): boolean => nowMs - firstMs >= Math.max(sessionAgeMs, LEAST_AGE_MS)
  const waiting = seen.filter((one) => !isAged(one))
  try {
    index.putCached([[SEEN, Buffer.from(waiting.map(([name, firstMs]) => `${firstMs} ${name}\n`).join(''))]])
  } catch (error) {
    // A cache that cannot be written is no reason for a prune to fail: these files are seen for the first time again.
    if (!hasCode(error, 'IO')) throw error
  }
  return seen.filter(isAged).map(([name]) => name)
}

/** A name, and when it was seen first. */
type Seen = readonly [name: string, firstMs: number]

function parseSeen(bytes: Buffer | undefined): Seen[] {
  const lines = bytes?.toString('utf8').split('\n').slice(0, -1) ?? []
  return lines.map((line): Seen => {
    const [firstMs = '', name = ''] = line.split(' ')
    return [name, Number(firstMs)]
  })
}
