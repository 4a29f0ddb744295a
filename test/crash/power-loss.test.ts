import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openBackend } from '../../src/backend/index.ts'
import { createRandom } from '../model/random.ts'
import { checkAftermath } from './aftermath.ts'
import { type CrashCommand, commands } from './commands.ts'
import { Disk, type DiskCall, type Luck, recordDisk } from './disk.ts'
import { type CrashScene, createCrashScene, type Files, openClient } from './scene.ts'

// The power fails after every call on the disk: what was not synced is there, or not, or in part.

/** Crashes at each point whose outcome is drawn, beside the luckiest and the unluckiest. */
const DRAWN = process.env.HOLDFAST_LONG ? 6 : 1
/** Every so many points are looked at. */
const STRIDE = process.env.HOLDFAST_LONG ? 1 : 31

let scene: CrashScene
beforeAll(async () => {
  scene = await createCrashScene()
})
afterAll(() => scene.remove())

async function record(command: CrashCommand): Promise<{
  readonly start: Files
  readonly calls: readonly DiskCall[]
  readonly made: Awaited<ReturnType<CrashCommand['run']>>
}> {
  const start: Files = new Map(scene.files)
  command.prepare?.(scene, start)
  const base = mkdtempSync(join(tmpdir(), 'holdfast-power-'))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  for (const [name, bytes] of start) {
    mkdirSync(dirname(join(base, name)), { recursive: true })
    writeFileSync(join(base, name), bytes)
  }
  const recording = recordDisk(base)
  try {
    const made = await command.run(await openClient(await openBackend(base)), scene)
    return { start, calls: recording.calls, made }
  } finally {
    recording.end()
  }
}

// With another secret the checks could not open what is left; every call of key passwd is among those of key add and remove.
const checked = commands.filter(({ name }) => name !== 'key passwd')

describe.each(checked)('$name, and the power fails', (command) => {
  test('after any call on the disk: nothing is lost, and all goes on', { timeout: 600_000 }, async () => {
    const { start, calls, made } = await record(command)
    expect(calls.length).toBeGreaterThan(0)
    const disk = new Disk(start)
    let points = 0
    for (let done = 0; done <= calls.length; done++) {
      if (done > 0) disk.apply(calls[done - 1]!)
      const isLast = done === calls.length
      if (done % STRIDE > 0 && !isLast) continue
      const drawn = Array.from({ length: DRAWN }, (_, seed) => createRandom(done * 1000 + seed))
      for (const [at, luck] of (['all', 'none', ...drawn] satisfies Luck[]).entries()) {
        const files = disk.afterPowerLoss(luck)
        // What a command has reported is there whatever the luck.
        const mustBeThere = isLast && made !== undefined ? [made] : []
        try {
          await checkAftermath(scene, files, { ...command.allowed?.(scene), mustBeThere })
        } catch (error) {
          throw new Error(`after ${done} of ${calls.length} calls, outcome ${at}`, { cause: error })
        }
        points++
      }
    }
    console.info(`power losses: ${command.name}: ${points}`)
  })
})
