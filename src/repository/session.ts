import { randomBytes } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import type { Backend } from '../backend/index.ts'
import { Fields, parseSessionId, type SessionId, toHex, type Value } from '../encoding/index.ts'
import { hasCode, systemCode } from '../errors/index.ts'
import { overName, parseName, SESSIONS_DIRECTORY, sessionName } from './layout.ts'
import { openValue, type Sealing, sealValue } from './sealed-value.ts'
import { PROGRAM_VERSION } from './version.ts'

/** Who is at work, as a session file says it. */
export interface SessionInfo {
  readonly session: SessionId
  /** The command: `backup`, `prune`, … */
  readonly operation: string
  readonly host: string
  readonly user: string
  readonly pid: number
  readonly startedMs: number
  readonly version: string
}

/** Which sessions are listed, and which of them were given up on. */
export interface SessionList {
  readonly alive: ReadonlySet<SessionId>
  readonly over: ReadonlySet<SessionId>
}

/** Host and user of this process; the user is '' where the system has no name for it. */
export function whoAmI(): { readonly host: string; readonly user: string } {
  try {
    return { host: hostname(), user: userInfo().username }
  } catch {
    return { host: hostname(), user: '' }
  }
}

/** True when this machine has no process of this number, whoever it would be of. */
export function isProcessGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return systemCode(error) === 'ESRCH'
  }
}

/**
 * Announce a session under a random name that is never used again. Durable when the promise resolves, which
 * has to be before the index is loaded (rule R1).
 */
export async function startSession(
  backend: Backend,
  sealing: Sealing,
  operation: string,
  nowMs: number,
): Promise<SessionId> {
  const session = randomBytes(16).toString('hex') as SessionId
  const info: SessionInfo = {
    session,
    operation,
    ...whoAmI(),
    pid: process.pid,
    startedMs: nowMs,
    version: PROGRAM_VERSION,
  }
  const bytes = sealValue(sealing, 'session', sessionValue(info))
  // Not under its own name: a prune removes temporary files of sessions that are not listed, as this one is not yet.
  await backend.put(sessionName(session), bytes, { owner: 'session' })
  return session
}

/** The session has done what it had to do, or has taken it back. `.over`, if any, stays. */
export async function endSession(backend: Backend, session: SessionId): Promise<void> {
  await backend.remove(sessionName(session))
}

/** Give up on a session: durable before anything is concluded from it (rule R6). Never removes the session. */
export async function declareOver(
  backend: Backend,
  sealing: Sealing,
  session: SessionId,
  by: SessionId,
): Promise<void> {
  const value: Value = [Buffer.from(session, 'hex'), Buffer.from(by, 'hex')]
  await backend.put(overName(session), sealValue(sealing, 'session', value), { owner: by })
}

export async function isOver(backend: Backend, session: SessionId): Promise<boolean> {
  return (await listSessions(backend)).over.has(session)
}

/** List `sessions/`: every session that was there throughout the listing is in it. */
export async function listSessions(backend: Backend, signal?: AbortSignal): Promise<SessionList> {
  const alive = new Set<SessionId>()
  const over = new Set<SessionId>()
  for await (const file of backend.list(SESSIONS_DIRECTORY, signal)) {
    const name = parseName(file.name)
    if (name.what === 'session') alive.add(name.session)
    if (name.what === 'over') over.add(name.session)
  }
  return { alive, over }
}

/** Read who a session is; undefined when it has ended meanwhile. @throws DamagedError */
export async function readSession(
  backend: Backend,
  sealing: Sealing,
  session: SessionId,
): Promise<SessionInfo | undefined> {
  const name = sessionName(session)
  try {
    return openValue(sealing, 'session', name, await backend.get(name), parseSession)
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_FILE')) return undefined
    throw error
  }
}

function sessionValue(info: SessionInfo): Value {
  return [
    Buffer.from(info.session, 'hex'),
    info.operation,
    info.host,
    info.user,
    info.pid,
    BigInt(info.startedMs),
    info.version,
  ]
}

function parseSession(value: Value): SessionInfo {
  const fields = new Fields(value, 'session', 7)
  return {
    session: parseSessionId(toHex(fields.exactBytes(0, 16)))!,
    operation: fields.text(1, 64),
    host: fields.text(2),
    user: fields.text(3),
    pid: fields.uint(4),
    startedMs: fields.size(5),
    version: fields.text(6, 64),
  }
}
