import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRepositorySandbox, createSandbox, type Sandbox } from '../e2e/harness.ts'
import { createRandom, type Random } from '../model/random.ts'

// The real program is ended by SIGKILL at a random moment, again and again, on one repository; between the rounds
// everything that was reported has to be there, whole.

const ROUNDS = Number(process.env.HOLDFAST_KILLS ?? (process.env.HOLDFAST_LONG ? 200 : 20))
const SEED = Number(process.env.HOLDFAST_SEED ?? Date.now() % 1_000_000)
const KEPT = 3

/** What a folder holds: the hash of each file's content, by its path below the folder. */
function contentsOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  return Object.fromEntries(
    paths.map((path) => [
      path.slice(folder.length),
      createHash('sha256').update(readFileSync(path)).digest('hex'),
    ]),
  )
}

/** Run the program, and end it after a while. @returns true when it came to its own end before, which was a good one */
async function runAndKill(
  sandbox: Sandbox,
  args: readonly string[],
  afterMs: number,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<boolean> {
  try {
    const { code, stderr } = await sandbox.run(args, {
      env,
      started: (child) => void setTimeout(() => child.kill('SIGKILL'), afterMs),
    })
    expect(code, stderr).toBe(0)
    return true
  } catch (error) {
    expect(String(error)).toMatch(/was ended by SIGKILL/)
    return false
  }
}

/** Files come, change and go, some of them large enough for packs of several blocks. */
function changeSource({ source }: Sandbox, random: Random): void {
  for (let change = 0; change < 4; change++) {
    const path = join(source, `folder-${random.below(3)}`, `file-${random.below(12)}`)
    mkdirSync(join(path, '..'), { recursive: true })
    if (random.chance(0.2)) rmSync(path, { force: true })
    else writeFileSync(path, randomBytes(random.below(random.pick([200, 300_000, 3_000_000]))))
  }
}

interface SnapshotLine {
  readonly id: string
  readonly tags?: readonly string[]
}

/** A repository that is killed at, and what was promised of it. */
class Victim {
  readonly sandbox: Sandbox
  readonly random: Random
  /** What the source held when a backup of this tag was made. */
  private readonly held = new Map<string, Record<string, string>>()
  /** Tags of backups that have reported success, oldest first. */
  private reported: string[] = []
  private rounds = 0

  constructor(sandbox: Sandbox, random: Random) {
    this.sandbox = sandbox
    this.random = random
  }

  async backup(afterMs: number): Promise<boolean> {
    changeSource(this.sandbox, this.random)
    const tag = `round-${this.rounds++}`
    this.held.set(tag, contentsOf(this.sandbox.source))
    const hasEnded = await runAndKill(this.sandbox, ['backup', '--tag', tag, this.sandbox.source], afterMs)
    if (hasEnded) this.reported.push(tag)
    return hasEnded
  }

  async prune(afterMs: number): Promise<boolean> {
    const args = ['forget', '--keep-last', `${KEPT}`, '--prune', '--max-unused', '0']
    // Whatever becomes of it, the newest stay: those that were put before their backup was killed count too.
    const kept = new Set((await this.list()).slice(-KEPT).map((one) => one.tags?.[0]))
    this.reported = this.reported.filter((tag) => kept.has(tag))
    return await runAndKill(this.sandbox, args, afterMs)
  }

  /** A restore that was killed and is given again ends with the right files. */
  async restore(afterMs: number): Promise<boolean> {
    const { sandbox } = this
    const snapshots = await this.list()
    if (snapshots.length === 0) return true
    const { id, tags } = this.random.pick(snapshots)
    const target = join(sandbox.home, 'target')
    const args = ['restore', `${id}:${sandbox.source}`, '--target', target]
    const hasEnded = await runAndKill(sandbox, args, afterMs)
    if (!hasEnded) await sandbox.ok(args)
    expect(contentsOf(target)).toEqual(this.held.get(tags![0]!))
    rmSync(target, { recursive: true, force: true })
    return hasEnded
  }

  async check(): Promise<void> {
    const { sandbox } = this
    const found = await this.list()
    const tags = found.map((one) => one.tags?.[0])
    expect(tags).toEqual(expect.arrayContaining(this.reported))
    const verified = await sandbox.run(['verify', '--read-data'])
    expect(verified.code, verified.stderr).toBe(0)
    // One that was killed after its snapshot was put is there too, and as whole as the others.
    await this.restore(60_000)
  }

  private async list(): Promise<SnapshotLine[]> {
    const { stdout } = await this.sandbox.ok(['snapshots', '--json'])
    return JSON.parse(stdout) as SnapshotLine[]
  }
}

test(`backups, prunes and restores killed in ${ROUNDS} rounds lose nothing (seed ${SEED})`, {
  timeout: 60_000 + ROUNDS * 20_000,
}, async () => {
  const random = createRandom(SEED)
  const victim = new Victim(await createRepositorySandbox(), random)
  await victim.backup(60_000)
  let kills = 0
  // How long each takes here, so that the moments are spread over all of it.
  const span = { backup: 400, prune: 500, restore: 300 }
  for (let round = 0; round < ROUNDS; round++) {
    const what = random.pick(['backup', 'backup', 'prune', 'restore'] as const)
    const hasEnded = await victim[what](random.below(span[what]))
    if (hasEnded) span[what] *= 0.9
    else {
      kills++
      span[what] *= 1.05
    }
    await victim.check()
  }
  expect(kills).toBeGreaterThan(ROUNDS / 4)
  console.info(`kills: ${kills} of ${ROUNDS} rounds`)
})

const SMALL_ROUNDS = Math.ceil(ROUNDS / 5)

test(`init killed in ${SMALL_ROUNDS} rounds can be given again`, {
  timeout: 60_000 + SMALL_ROUNDS * 10_000,
}, async () => {
  const random = createRandom(SEED + 1)
  for (let round = 0; round < SMALL_ROUNDS; round++) {
    const sandbox = createSandbox()
    writeFileSync(join(sandbox.source, 'file'), 'content')
    await runAndKill(sandbox, ['init'], random.below(250))
    const again = await sandbox.run(['init'])
    if (again.code !== 0) expect(again.stderr).toContain('already')
    await sandbox.ok(['backup', sandbox.source])
    await sandbox.ok(['verify', '--read-data'])
  }
})

test(`key passwd killed in ${SMALL_ROUNDS} rounds leaves the old password, the new one, or both`, {
  timeout: 60_000 + SMALL_ROUNDS * 20_000,
}, async () => {
  const random = createRandom(SEED + 2)
  const sandbox = createSandbox()
  const withPassword = (password: string) => ({
    HOLDFAST_KEY_FILE: undefined,
    HOLDFAST_PASSWORD: password,
  })
  let password = 'first'
  await sandbox.ok(['init'], { env: withPassword(password) })
  for (let round = 0; round < SMALL_ROUNDS; round++) {
    const next = `password ${round}`
    const file = join(sandbox.home, 'next')
    writeFileSync(file, next)
    const args = ['key', 'passwd', '--new-password-file', file]
    const hasEnded = await runAndKill(sandbox, args, 400 + random.below(900), withPassword(password))
    const opens = async (one: string): Promise<boolean> =>
      (await sandbox.run(['snapshots'], { env: withPassword(one) })).code === 0
    const isNew = await opens(next)
    if (hasEnded) expect(isNew).toBe(true)
    if (!isNew) expect(await opens(password)).toBe(true)
    else password = next
  }
})
