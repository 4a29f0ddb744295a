import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createSandbox, type Sandbox } from '../e2e/harness.ts'
import { createRandom, type Random } from '../model/random.ts'

// The real program, many times at once on one repository: backups, prunes, forgets and restores, some of them stopped
// for longer than a whole prune and then let go on.

const SECONDS = Number(process.env.HOLDFAST_RACE_SECONDS ?? (process.env.HOLDFAST_LONG ? 240 : 5))
const SEED = Number(process.env.HOLDFAST_SEED ?? Date.now() % 1_000_000)
const BACKUPS = 4
const PRUNES = 2
/** Longer than a prune of this repository takes. */
const STOPPED_MS = process.env.HOLDFAST_LONG ? 8000 : 2500

/** What was counted, for the report. */
const counts = { backups: 0, prunes: 0, forgets: 0, restores: 0, stops: 0 }

/** One machine: a home, a cache and sources of its own, the repository of all. */
function createMachine(first: Sandbox | undefined): Sandbox {
  const sandbox = createSandbox()
  if (first === undefined) return sandbox
  const env = { HOLDFAST_REPOSITORY: first.repository, HOLDFAST_KEY_FILE: first.keyFile }
  const run: Sandbox['run'] = (args, options = {}) =>
    sandbox.run(args, { ...options, env: { ...env, ...options.env } })
  return { ...sandbox, repository: first.repository, keyFile: first.keyFile, run }
}

function changeSource(source: string, random: Random): void {
  mkdirSync(source, { recursive: true })
  for (let change = 0; change < 3; change++) {
    const path = join(source, `file-${random.below(8)}`)
    if (random.chance(0.2)) rmSync(path, { force: true })
    else
      writeFileSync(
        path,
        random.chance(0.5)
          ? 'one of few contents '.repeat(random.below(50))
          : randomBytes(random.below(400_000)),
      )
  }
}

/** Stop the process once, at a moment that is drawn, and let it go on. */
function stopForAWhile(child: ChildProcess, random: Random): void {
  void sleep(random.below(500)).then(async () => {
    if (!child.kill('SIGSTOP')) return
    counts.stops++
    await sleep(STOPPED_MS)
    child.kill('SIGCONT')
  })
}

test(`four backups, two prunes, forgets and restores at once for ${SECONDS} s lose nothing (seed ${SEED})`, {
  timeout: (SECONDS + 120) * 1000,
}, async () => {
  const first = createMachine(undefined)
  const init = await first.run(['init'])
  expect(init.code, init.stderr).toBe(0)
  const until = Date.now() + SECONDS * 1000
  /** Run a command again and again, as long as there is time. */
  const loop = async (
    number: number,
    step: (machine: Sandbox, random: Random) => Promise<void>,
  ): Promise<void> => {
    const random = createRandom(SEED + number)
    const machine = createMachine(first)
    while (Date.now() < until) await step(machine, random)
  }
  const mayStop = (random: Random) =>
    random.chance(0.15) ? { started: (child: ChildProcess) => stopForAWhile(child, random) } : {}

  const backups = Array.from({ length: BACKUPS }, (_, at) =>
    loop(at, async (machine, random) => {
      changeSource(machine.source, random)
      const ended = await machine.run(['backup', '--host', `machine-${at}`, machine.source], mayStop(random))
      expect(ended.code, ended.stderr).toBe(0)
      counts.backups++
    }),
  )
  const prunes = Array.from({ length: PRUNES }, (_, at) =>
    loop(100 + at, async (machine, random) => {
      // Half of them give up on whoever has been at work for a second.
      const age = random.chance(0.5) ? ['--session-age', '0h'] : []
      const ended = await machine.run(['prune', '--max-unused', '0', ...age], mayStop(random))
      expect(ended.code, ended.stderr).toBe(0)
      counts.prunes++
    }),
  )
  const forgets = loop(200, async (machine, random) => {
    await sleep(random.below(1500))
    const ended = await machine.run(['forget', '--keep-last', '2', '--group-by', 'host'])
    expect([0, 3], ended.stderr).toContain(ended.code)
    counts.forgets++
  })
  const restores = loop(300, async (machine, random) => {
    const target = join(machine.home, `target-${random.below(1_000_000)}`)
    const listed = JSON.parse((await machine.run(['snapshots', '--json'])).stdout || '[]') as { id: string }[]
    if (listed.length === 0) return
    const { id } = random.pick(listed)
    const ended = await machine.run(['restore', id, '--target', target], mayStop(random))
    rmSync(target, { recursive: true, force: true })
    if (ended.code === 0) {
      counts.restores++
      return
    }
    // The only excuse: it was forgotten meanwhile, or is of a backup that was given up on.
    const left = JSON.parse((await machine.run(['snapshots', '--json'])).stdout) as {
      id: string
      unconfirmed?: boolean
    }[]
    expect(
      left.some((one) => one.id === id && !one.unconfirmed),
      ended.stderr,
    ).toBe(false)
  })
  await Promise.all([...backups, ...prunes, forgets, restores])

  const verified = await first.run(['verify', '--read-data'])
  expect(verified.code, verified.stderr).toBe(0)
  for (let round = 0; round < 2; round++) {
    const ended = await first.run(['prune', '--max-unused', '0', '--session-age', '0h'])
    expect(ended.code, ended.stderr).toBe(0)
  }
  const after = await first.run(['verify', '--read-data'])
  expect(after.code, after.stderr).toBe(0)
  expect(counts.backups).toBeGreaterThanOrEqual(BACKUPS)
  expect(counts.prunes).toBeGreaterThanOrEqual(PRUNES)
  console.info(`races: ${JSON.stringify(counts)}`)
})
