import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createRepositorySandbox, createSandbox, type Sandbox } from './harness.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Prints a line for each module that the import of another, or a `require`, loads. */
const hooks = `
  import { writeSync } from 'node:fs'
  export async function load(url, context, next) {
    if (url.startsWith('file:')) writeSync(2, 'loaded ' + url.slice('file://'.length) + '\\n')
    return await next(url, context)
  }`
const watch = `
  import { createRequire, register } from 'node:module'
  import { writeSync } from 'node:fs'
  register(${JSON.stringify(dataUrl(hooks))})
  process.on('exit', () => {
    for (const path of Object.keys(createRequire('/').cache)) writeSync(2, 'loaded ' + path + '\\n')
  })`

function dataUrl(script: string): string {
  return `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`
}

interface Loaded {
  /** Files of dist, relative to it. */
  readonly files: readonly string[]
  /** Rooms with a module in these files. */
  readonly rooms: readonly string[]
  readonly packages: readonly string[]
}

/** What a command loads. */
async function loadedBy({ ok }: Sandbox, args: readonly string[]): Promise<Loaded> {
  const { stderr } = await ok(args, { env: { NODE_OPTIONS: `--import ${dataUrl(watch)}` } })
  const paths = [...stderr.matchAll(/^loaded (.*)$/gm)].map((match) => match[1]!)
  const files = paths
    .filter((path) => path.startsWith(`${root}dist/`))
    .map((path) => path.slice(root.length + 5))
  const rooms = files.flatMap((file) => [
    ...(file.startsWith('chunks/') ? [] : [file.slice(0, file.indexOf('/'))]),
    ...modulesIn(file).map((path) => path.slice(0, path.indexOf('/'))),
  ])
  const packages = paths.flatMap((path) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])
  return {
    files: files.toSorted(),
    rooms: [...new Set(rooms)].toSorted(),
    packages: [...new Set(packages)].toSorted(),
  }
}

/** The bundler names each module above its code. */
function modulesIn(file: string): string[] {
  const text = readFileSync(`${root}dist/${file}`, 'utf8')
  return [...text.matchAll(/^\/\/ ([a-z]+\/[\w/-]+\.js)$/gm)].map((match) => match[1]!)
}

describe('what is loaded', () => {
  test('by --version: the version', async () => {
    for (const option of ['--version', '-V']) {
      const loaded = await loadedBy(createSandbox(), [option])
      expect(loaded).toEqual({ files: ['cli/version.js'], rooms: ['cli'], packages: [] })
    }
  })

  test('by --help: the command line and the parser', async () => {
    const { files, rooms, packages } = await loadedBy(createSandbox(), ['--help'])
    expect(rooms).toEqual(['cli', 'errors'])
    expect(packages).toEqual(['commander'])
    expect(files.length).toBeLessThan(8)
  })

  test('by snapshots: few files, and of the native parts those that it uses', async () => {
    const { files, packages } = await loadedBy(await createRepositorySandbox(), ['snapshots'])
    expect(files.length).toBeLessThan(30)
    // All that the library has is more than twice as much.
    const lengths = files.map((file) => readFileSync(`${root}dist/${file}`, 'utf8').length)
    expect(lengths.reduce((sum, length) => sum + length)).toBeLessThan(320_000)
    expect(packages).toContain('lmdb')
    for (const name of ['koffi', 'zstd-napi', 'ignore', 'blake3-wasm']) expect(packages).not.toContain(name)
  })
})

test('every program is bundled: the command line in few files, each thread in one', () => {
  const threads = readdirSync(`${root}dist`, { recursive: true, encoding: 'utf8' }).filter(
    // The repository's is a door for other rooms' threads, and what commands share may be called like them.
    (path) => /^(?!repository|chunks).*\/worker\.js$/.test(path),
  )
  expect(threads).toContain('backup/worker.js')
  expect(readFileSync(`${root}dist/cli/index.js`, 'utf8')).toContain('../chunks/')
  for (const thread of threads) {
    const code = readFileSync(`${root}dist/${thread}`, 'utf8')
    expect(code, thread).toContain('// threads/serve.js')
    expect(code, thread).not.toMatch(/\b(?:from|import)\s*\(?\s*["']\.{1,2}\//)
  }
})
