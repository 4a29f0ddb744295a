import { Fields, parseSessionId, type SessionId, toHex, type Value } from '../encoding/index.ts'
import { DamagedError } from '../errors/index.ts'
import { overName, sessionName } from './layout.ts'
import type { Repository } from './repository.ts'
import { openValue } from './sealed-value.ts'
import { readSession } from './session.ts'

/**
 * Check that a session's file can be read and is this session's own: its name is random, so no hash tells.
 *
 * @throws DamagedError, or HoldfastError NO_SUCH_FILE for a mark that is gone
 */
export async function checkSessionFile(
  repository: Repository,
  session: SessionId,
  what: 'session' | 'over',
): Promise<void> {
  const found =
    what === 'session'
      ? (await readSession(repository.backend, repository, session))?.session
      : await readOver(repository, session)
  if (found === undefined || found === session) return
  const name = what === 'session' ? sessionName(session) : overName(session)
  throw new DamagedError(name, `it is of session ${found}`)
}

async function readOver(repository: Repository, session: SessionId): Promise<SessionId | undefined> {
  const name = overName(session)
  return openValue(repository, 'session', name, await repository.backend.get(name), parseOver)
}

/** The record of a mark: the session given up on, and the one that gave up. */
function parseOver(value: Value): SessionId | undefined {
  const fields = new Fields(value, 'over', 2)
  fields.exactBytes(1, 16)
  return parseSessionId(toHex(fields.exactBytes(0, 16)))
}
