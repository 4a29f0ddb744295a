import { Fields, type FileId, type SessionId, toHex, type Value } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { joinIds, splitFileIds } from './index-file.ts'

/** What a prune has condemned, and the sessions that have to end before it may be deleted. */
export interface Pending {
  readonly packs: readonly FileId[]
  /** Index files that were merged into another one. */
  readonly indexFiles: readonly FileId[]
  readonly sessions: readonly SessionId[]
}

const MAXIMUM_BYTES = 64 * 1024 * 1024

export function pendingValue(pending: Pending): Value {
  const sessions = Buffer.concat(pending.sessions.map((session) => Buffer.from(session, 'hex')))
  return [joinIds(pending.packs), joinIds(pending.indexFiles), sessions]
}

/** @throws HoldfastError DAMAGED */
export function parsePending(value: Value): Pending {
  const fields = new Fields(value, 'pending', 3)
  const sessionBytes = fields.bytes(2, MAXIMUM_BYTES)
  if (sessionBytes.length % 16 !== 0) throw new HoldfastError('DAMAGED', 'a list of sessions is cut')
  const sessions: SessionId[] = []
  for (let at = 0; at < sessionBytes.length; at += 16) {
    sessions.push(toHex(sessionBytes.subarray(at, at + 16)) as SessionId)
  }
  return {
    packs: splitFileIds(fields.bytes(0, MAXIMUM_BYTES)),
    indexFiles: splitFileIds(fields.bytes(1, MAXIMUM_BYTES)),
    sessions,
  }
}
