import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMemoryBackend } from '../../src/backend/index.ts'
import { chunkerConfig } from '../../src/backup/index.ts'
import { hasCode } from '../../src/errors/index.ts'
import { addKey, createRepository, openRepository } from '../../src/repository/index.ts'
import { cheapCost } from '../unit/repository/scene.ts'
import { checkAftermath } from './aftermath.ts'
import { type CrashCommand, commands, otherSecret } from './commands.ts'
import {
  type CrashScene,
  createCrashScene,
  type Files,
  NOW_MS,
  openClient,
  openFiles,
  secret,
} from './scene.ts'
import { type Stop, stopBackend } from './stopping-backend.ts'

// The world stops at every storage call that changes something: before it, in its middle, after it.

/** Every so many calls are stopped at. */
const STRIDE = process.env.HOLDFAST_LONG ? 1 : 7

let scene: CrashScene
beforeAll(async () => {
  scene = await createCrashScene()
})
afterAll(() => scene.remove())

/** Run a command until it ends or the world stops. @returns what is stored then, and how many calls were made */
async function runUntil(
  command: CrashCommand,
  stop: Stop | undefined,
): Promise<{ files: Files; calls: number }> {
  const files: Files = new Map(scene.files)
  command.prepare?.(scene, files)
  const { backend, stopped, calls } = stopBackend(createMemoryBackend({ files }), stop)
  const run = openClient(backend).then((repository) => command.run(repository, scene))
  await Promise.race([run, stopped])
  return { files, calls: calls() }
}

/** As other clients find it: with the secret that was there, or the one that the command set. */
async function openAny(files: Files): Promise<void> {
  const opened = await Promise.allSettled(
    [secret, otherSecret].map((one) =>
      openRepository(createMemoryBackend({ files }), { secret: one, cacheDirectory: null }),
    ),
  )
  expect(opened.some(({ status }) => status === 'fulfilled')).toBe(true)
}

/** The first of the secrets again, so that the rest of the checks can use it. */
async function giveFirstSecret(files: Files): Promise<void> {
  try {
    await openFiles(files)
  } catch (error) {
    if (!hasCode(error, 'WRONG_KEY')) throw error
    const repository = await openRepository(createMemoryBackend({ files }), {
      secret: otherSecret,
      cacheDirectory: null,
    })
    await addKey(repository, secret, { nowMs: NOW_MS, cost: cheapCost })
  }
}

describe.each(commands)('$name, stopped', (command) => {
  test('at each of its calls: nothing is lost, and all goes on', { timeout: 300_000 }, async () => {
    const { calls } = await runUntil(command, undefined)
    expect(calls).toBeGreaterThan(0)
    let points = 0
    for (let at = 0; at < calls; at += STRIDE) {
      for (const when of ['before', 'middle', 'after'] as const) {
        const { files } = await runUntil(command, { at, when })
        try {
          await openAny(files)
          await giveFirstSecret(files)
          await checkAftermath(scene, files, command.allowed?.(scene))
        } catch (error) {
          throw new Error(`stopped ${when} call ${at} of ${calls}`, { cause: error })
        }
        points++
      }
    }
    expect(points).toBe(Math.ceil(calls / STRIDE) * 3)
    console.info(`crash points: ${command.name}: ${points}`)
  })
})

test('init, stopped at each of its calls, can be given again or has made the repository', async () => {
  const create = (backend = createMemoryBackend({ files: new Map() })) =>
    createRepository(backend, {
      secret,
      cacheDirectory: null,
      chunker: chunkerConfig(),
      nowMs: NOW_MS,
      cost: cheapCost,
    })
  const counting = stopBackend(createMemoryBackend({ files: new Map() }), undefined)
  await create(counting.backend)
  expect(counting.calls()).toBeGreaterThan(2)
  for (let at = 0; at < counting.calls(); at++) {
    for (const when of ['before', 'middle', 'after'] as const) {
      const files: Files = new Map()
      const { backend, stopped } = stopBackend(createMemoryBackend({ files }), { at, when })
      await Promise.race([create(backend), stopped])
      const again = await create(createMemoryBackend({ files })).catch((error: unknown) => error)
      if (again instanceof Error) expect(again).toMatchObject({ code: 'ALREADY_EXISTS' })
      const repository = await openFiles(files)
      expect(repository.settings.counter).toBeGreaterThanOrEqual(0)
    }
  }
})
