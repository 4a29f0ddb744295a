import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../../src/backend/index.ts'
import { HoldfastError } from '../../src/errors/index.ts'
import { checkAftermath } from '../crash/aftermath.ts'
import { type CrashCommand, commands } from '../crash/commands.ts'
import { type CrashScene, createCrashScene, type Files, openClient } from '../crash/scene.ts'
import { type DiskError, type Failure, failDisk } from './failing-disk.ts'

// Every call that a command makes on the repository's disk fails once, or all fail from one on, as on a full disk.

const codes: readonly DiskError[] = ['EIO', 'ENOSPC', 'EACCES', 'EMFILE', 'EROFS', 'EDQUOT']
/** Every so many calls are made to fail. */
const STRIDE = process.env.HOLDFAST_LONG ? 1 : 61

let scene: CrashScene
let base: string
beforeAll(async () => {
  scene = await createCrashScene()
  base = mkdtempSync(join(tmpdir(), 'holdfast-faults-'))
})
afterAll(() => {
  scene.remove()
  rmSync(base, { recursive: true, force: true })
})

/** Run a command on a disk that fails. @returns what it ended with, and what is stored then */
async function runFailing(
  command: CrashCommand,
  failure: Failure | undefined,
): Promise<{ error: unknown; files: Files; calls: number }> {
  const folder = mkdtempSync(join(base, 'repository-'))
  const start: Files = new Map(scene.files)
  command.prepare?.(scene, start)
  for (const [name, bytes] of start) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), bytes)
  }
  const repository = await openClient(await openBackend(folder))
  const disk = failDisk(failure)
  let error: unknown
  try {
    await command.run(repository, scene)
  } catch (thrown) {
    error = thrown
  } finally {
    disk.end()
  }
  const files: Files = new Map()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) files.set(path.slice(folder.length + 1), readFileSync(path))
  }
  rmSync(folder, { recursive: true })
  return { error, files, calls: disk.calls() }
}

// What key passwd leaves can be opened by either secret: the crash points look at that.
const checked = commands.filter(({ name }) => name !== 'key passwd')

describe.each(checked)('$name, on a disk that fails', (command) => {
  test('ends with an error that says so, and nothing is lost', { timeout: 600_000 }, async () => {
    const { calls, error } = await runFailing(command, undefined)
    expect(error).toBeUndefined()
    let faults = 0
    for (let at = 0; at < calls; at += STRIDE) {
      for (const isLasting of [false, true]) {
        const code = isLasting ? 'ENOSPC' : codes[at % codes.length]!
        const ended = await runFailing(command, { at, code, isLasting })
        try {
          // What fails while it is tidied up is no failure of the command.
          if (ended.error !== undefined) {
            expect(ended.error).toBeInstanceOf(HoldfastError)
            expect((ended.error as HoldfastError).message).not.toContain('internal')
          }
          await checkAftermath(scene, ended.files, command.allowed?.(scene))
        } catch (cause) {
          throw new Error(`${code} at call ${at} of ${calls}${isLasting ? ' and after it' : ''}`, { cause })
        }
        faults++
      }
    }
    console.info(`faults: ${command.name}: ${faults}`)
  })
})
