import type { ChunkId, FileId, SessionId } from '../encoding/index.ts'
import { checkAborted, hasCode } from '../errors/index.ts'
import {
  endSession,
  fileName,
  isOver,
  markLostPacks,
  overName,
  type Repository,
  RunWriter,
  type RunWriterOptions,
  startSession,
} from '../repository/index.ts'
import { isTreeWhole } from './reachable.ts'
import { checkSnapshot, type SnapshotRecord, snapshotValue } from './record.ts'

export interface SessionOptions extends RunWriterOptions {
  /** The command, for people who look at who is at work. */
  readonly operation: string
  /** When the command began. */
  readonly nowMs: number
  readonly signal?: AbortSignal | undefined
}

/** What a build gives: everything of the snapshot but its session. Undefined commits nothing. */
export type SnapshotDraft = Omit<SnapshotRecord, 'session'> | undefined

/**
 * Write one snapshot by the writer's side of the prune protocol (docs/architecture.md, "Prune"):
 * session durable, then the index loaded, then chunks looked up and stored, then packs, index files and at
 * last the snapshot durable, then a look for a mark that somebody gave up on this session.
 *
 * @param build stores what the snapshot names through the writer. Called again, with a new session, when the
 *   session was given up on and the snapshot had lost chunks by then; what is stored already is reused.
 * @returns the snapshot's id; undefined when the build gave none
 * @throws HoldfastError USAGE for a record that could not be read back; what the build and the repository throw
 */
export async function commitSnapshot(
  repository: Repository,
  options: SessionOptions,
  build: (writer: RunWriter) => Promise<SnapshotDraft>,
): Promise<FileId | undefined> {
  repository.checkWritable()
  const beganMs = Date.now()
  const announce: Announce = () =>
    startSession(repository.backend, repository, options.operation, options.nowMs + Date.now() - beganMs)
  for (;;) {
    const outcome = await attempt(repository, announce, options, build)
    if (outcome !== GIVEN_UP && outcome !== REBUILT) return outcome
    repository.onNotice(`${outcome}: starting again; what is stored is reused`)
  }
}

/** Why an attempt has to be made again. */
const GIVEN_UP = 'a prune gave up waiting for this backup'
const REBUILT = 'the local index was rebuilt while this ran'
type Outcome = typeof GIVEN_UP | typeof REBUILT

/** Start a session that is as old as it is: a prune gives up on old ones. */
type Announce = () => Promise<SessionId>

async function attempt(
  repository: Repository,
  announce: Announce,
  options: SessionOptions,
  build: (writer: RunWriter) => Promise<SnapshotDraft>,
): Promise<FileId | undefined | Outcome> {
  const { backend } = repository
  const { signal } = options
  const session = await announce()
  let writer: RunWriter | undefined
  let draft: SnapshotDraft
  let isIndexOther = false
  try {
    writer = new RunWriter(repository, session, options)
    await repository.loadIndex({ signal })
    const generation = repository.loadedGeneration
    await markLostPacks(repository, signal)
    draft = await build(writer)
    if (draft !== undefined) checkSnapshot({ ...draft, session })
    await writer.finish()
    checkAborted(signal)
    repository.index.renew()
    isIndexOther = repository.index.generation !== generation
  } catch (error) {
    // No snapshot names this session, so nobody has to wait for it. What fails on this way out tells less than
    // what led here: a session that stays is given up on by a prune.
    await Promise.allSettled([writer?.discard()])
    // A prune that gives up on a session removes its temporary files, and the pack under way with them.
    const isGivenUp = hasCode(error, 'IO') && (await isOver(backend, session).catch(() => false))
    await Promise.allSettled([endSession(backend, session)])
    if (isGivenUp) return GIVEN_UP
    throw error
  }
  if (isIndexOther) {
    // Another command rebuilt the local index: chunks may have been looked up by what it had loaded by then.
    await endSession(backend, session)
    return REBUILT
  }
  if (draft === undefined) {
    await endSession(backend, session)
    return undefined
  }
  // From here on the session file stays when anything fails: the snapshot may have become durable all the same.
  let id: FileId
  try {
    id = await repository.putValue('snapshot', snapshotValue({ ...draft, session }), session)
  } catch (error) {
    if (!hasCode(error, 'IO') || !(await isOver(backend, session).catch(() => false))) throw error
    // Its temporary file was removed with the session. Should it come to be all the same, the mark says what it is worth.
    await endSession(backend, session)
    return GIVEN_UP
  }
  return await settle(repository, announce, session, id, draft.tree)
}

/** Find out, after the snapshot is durable, whether somebody gave up on the session meanwhile (rule R7). */
async function settle(
  repository: Repository,
  announce: Announce,
  session: SessionId,
  id: FileId,
  tree: ChunkId,
): Promise<FileId | Outcome> {
  const { backend } = repository
  while (await isOver(backend, session)) {
    if (!(await isWholeByNewLoad(repository, announce, tree))) {
      await backend.remove(fileName('snapshot', id))
      await endSession(backend, session)
      return GIVEN_UP
    }
    await backend.remove(overName(session))
  }
  await endSession(backend, session)
  return id
}

/**
 * Merged index files are deleted without waiting for a session that is over: a listing of its own, page by page,
 * could miss both them and their union. So another session keeps them while the index is loaded.
 */
async function isWholeByNewLoad(repository: Repository, announce: Announce, tree: ChunkId): Promise<boolean> {
  const { backend } = repository
  const guard = await announce()
  try {
    await repository.loadIndex()
    const { index, loadedGeneration } = repository
    const isWhole = await isTreeWhole(repository, tree)
    index.renew()
    return isWhole && index.generation === loadedGeneration && !(await isOver(backend, guard))
  } finally {
    await endSession(backend, guard)
  }
}
