import type { SessionId } from '../encoding/index.ts'
import { hasCode } from '../errors/index.ts'
import { isProcessGone, type Repository, readSession, type SessionInfo, whoAmI } from '../repository/index.ts'
import type { PruneOptions } from './options.ts'

export const DEFAULT_SESSION_AGE_MS: number = 14 * 24 * 3600 * 1000

/** A session that is listed, as a prune sees it. */
export interface JudgedSession {
  /** Who it is, as far as the session file says. */
  readonly description: string
  /** Nobody has to wait for it: it is too old, or its process is gone, or its file is damaged. */
  readonly isHopeless: boolean
}

/**
 * Find out whether a session is worth waiting for. A wrong verdict costs a backup one more pass, never data.
 *
 * @returns undefined when it has ended meanwhile
 */
export async function judgeSession(
  repository: Repository,
  session: SessionId,
  options: PruneOptions,
): Promise<JudgedSession | undefined> {
  let info: SessionInfo | undefined
  try {
    info = await readSession(repository.backend, repository, session)
  } catch (error) {
    if (!hasCode(error, 'DAMAGED')) throw error
    return { description: error.message, isHopeless: true }
  }
  if (info === undefined) return undefined
  const ageMs = (options.nowMs ?? Date.now()) - info.startedMs
  const since = new Date(info.startedMs).toISOString()
  return {
    description: `${info.operation} of ${info.user}@${info.host}, process ${info.pid}, since ${since}`,
    isHopeless: ageMs > (options.sessionAgeMs ?? DEFAULT_SESSION_AGE_MS) || isDeadHere(info),
  }
}

/**
 * True when the session was this machine's and its process is gone. Should a container share the machine's name but not
 * its processes, a backup at work there is merely made to look again, and finds its snapshot whole or starts anew.
 */
function isDeadHere(info: SessionInfo): boolean {
  return info.host === whoAmI().host && isProcessGone(info.pid)
}
