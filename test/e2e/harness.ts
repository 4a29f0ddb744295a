import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const binary = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** What comes in on stdin; null keeps it open without a byte. Default: nothing. */
  readonly input?: string | Uint8Array | null
  /** Added to the sandbox's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Run as this user and group. Only root can. */
  readonly uid?: number
  /** Called with the process once it has started. */
  readonly started?: (child: ChildProcess) => void
}

/** A home of its own for the program: nothing of the machine's user is read or written. */
export interface Sandbox {
  readonly home: string
  /** Where `HOLDFAST_REPOSITORY` points, unless a run removes it. */
  readonly repository: string
  readonly keyFile: string
  readonly cache: string
  /** A place for files to back up. */
  readonly source: string
  readonly env: Readonly<Record<string, string>>
  /** Run the real program to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>
  /** Run it, and fail unless it ends with 0. */
  ok(args: readonly string[], options?: RunOptions): Promise<Ended>
  /** Run it with --json, fail unless it ends with 0. @returns the objects on stdout */
  json<Result = Record<string, unknown>>(args: readonly string[], options?: RunOptions): Promise<Result[]>
}

/** Takes what cleans up at the end. */
type AtEnd = (cleanUp: () => void) => void

/** Removed when the test that made it ends, or when `atEnd` says. */
export function createSandbox(atEnd: AtEnd = onTestFinished): Sandbox {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'))
  atEnd(() => rmSync(home, { recursive: true, force: true }))
  const [repository, keyFile, cache, source] = ['repository', 'test.key', 'cache', 'source'].map((name) =>
    join(home, name),
  ) as [string, string, string, string]
  mkdirSync(source)
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    TZ: 'UTC',
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_DATA_HOME: join(home, '.local/share'),
    XDG_CONFIG_HOME: join(home, '.config'),
    HOLDFAST_REPOSITORY: repository,
    HOLDFAST_KEY_FILE: keyFile,
    HOLDFAST_CACHE_DIR: cache,
  }
  const run = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
    runProgram(args, { ...options, cwd: options.cwd ?? home, env: { ...env, ...options.env } })
  const ok = async (args: readonly string[], options?: RunOptions): Promise<Ended> => {
    const ended = await run(args, options)
    if (ended.code !== 0)
      throw new Error(
        `holdfast ${args.join(' ')} ended with ${ended.code}:\n${ended.stderr}\n${ended.stdout}`,
      )
    return ended
  }
  return {
    home,
    repository,
    keyFile,
    cache,
    source,
    env,
    run,
    ok,
    json: async <Result>(args: readonly string[], options?: RunOptions) => {
      const { stdout } = await ok([...args, '--json'], options)
      return parseLines<Result>(stdout)
    },
  }
}

/** A sandbox with an empty repository that a key file opens. */
export async function createRepositorySandbox(atEnd?: AtEnd): Promise<Sandbox> {
  const sandbox = createSandbox(atEnd)
  await sandbox.ok(['init'])
  return sandbox
}

/** Write files below a folder: path to content. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** One object for each line. */
export function parseLines<Result = Record<string, unknown>>(text: string): Result[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Result)
}

function runProgram(args: readonly string[], options: RunOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const identity = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }
    const child = spawn(process.execPath, [binary, ...args], {
      cwd: options.cwd,
      env: options.env as NodeJS.ProcessEnv,
      // A session of its own: there is no terminal to ask on.
      detached: true,
      ...identity,
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (data: Buffer) => stdout.push(data))
    child.stderr.on('data', (data: Buffer) => stderr.push(data))
    child.stdin.on('error', () => {})
    if (options.input !== null) child.stdin.end(options.input)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === null) return reject(new Error(`holdfast ${args.join(' ')} was ended by ${signal}`))
      resolve({
        code,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      })
    })
    options.started?.(child)
  })
}
