import { describe, expect, test } from 'vitest'
import type { SessionId } from '../../../src/encoding/index.ts'
import {
  declareOver,
  endSession,
  isOver,
  listSessions,
  overName,
  readSession,
  sessionName,
  startSession,
} from '../../../src/repository/index.ts'
import { createStore, flipBit } from './scene.ts'

async function scene() {
  const store = createStore()
  const repository = await store.create()
  const { backend } = repository
  const start = (): Promise<SessionId> => startSession(backend, repository, 'backup', 1234)
  return { store, repository, backend, start }
}

describe('sessions', () => {
  test('startSession() announces who is at work, under a name of its own', async () => {
    const { repository, backend, start } = await scene()
    const [first, second] = [await start(), await start()]
    expect(first).not.toBe(second)
    expect((await listSessions(backend)).alive).toEqual(new Set([first, second]))
    expect(await readSession(backend, repository, first)).toMatchObject({
      session: first,
      operation: 'backup',
      pid: process.pid,
      startedMs: 1234,
    })
  })

  test('endSession() takes it away; a mark stays', async () => {
    const { repository, backend, start } = await scene()
    const [session, other] = [await start(), await start()]
    await declareOver(backend, repository, session, other)
    await endSession(backend, session)
    const { alive, over } = await listSessions(backend)
    expect([alive, over]).toEqual([new Set([other]), new Set([session])])
    expect(await readSession(backend, repository, session)).toBeUndefined()
  })

  test('declareOver() leaves the session itself alone, also when it is said twice', async () => {
    const { store, repository, backend, start } = await scene()
    const [session, other] = [await start(), await start()]
    expect(await isOver(backend, session)).toBe(false)
    await declareOver(backend, repository, session, other)
    await declareOver(backend, repository, session, other)
    expect(await isOver(backend, session)).toBe(true)
    expect(await isOver(backend, other)).toBe(false)
    expect(store.files.has(sessionName(session))).toBe(true)
    expect(store.files.has(overName(session))).toBe(true)
  })

  test('a damaged session counts as alive, and cannot be read', async () => {
    const { store, repository, backend, start } = await scene()
    const session = await start()
    flipBit(store.files, sessionName(session), 80)
    expect((await listSessions(backend)).alive).toEqual(new Set([session]))
    await expect(readSession(backend, repository, session)).rejects.toMatchObject({
      code: 'DAMAGED',
      file: sessionName(session),
    })
  })

  test('foreign names in sessions/ are no sessions', async () => {
    const { store, backend } = await scene()
    for (const name of ['sessions/x', `sessions/${'0'.repeat(33)}`, 'sessions/.over', 'sessions/a/b'])
      store.files.set(name, Buffer.alloc(0))
    expect(await listSessions(backend)).toEqual({ alive: new Set(), over: new Set() })
  })
})
