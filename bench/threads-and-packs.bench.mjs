// What the number of threads, the size of their tasks and the size of packs cost and save in a first backup. Decides
// docs/adr/0006-threads-tasks-and-packs.md.
//
//   npm ci
//   node bench/threads-and-packs.bench.mjs FOLDER [--work DIR] [--runs N]
//
// The real program backs FOLDER up into a new repository for each variant, in turn, N times (default 3). Sizes of tasks
// are tried with copies of the built program in which the constant is another.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measure, run } from './harness/measure.mjs'

const MIB = 1024 * 1024
const program = dirname(dirname(fileURLToPath(import.meta.url)))
const TASK_COST = /const TASK_COST = \d+/

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { work: { type: 'string' }, runs: { type: 'string', default: '3' } },
})
const [folder] = positionals
if (folder === undefined) throw new Error('name a folder to back up')
const work = mkdtempSync(join(values.work ?? tmpdir(), 'threads-and-packs-'))

/** A copy of the program whose threads hand a task back after another cost. */
function programWithTasks(cost) {
  const copy = join(work, `program-${cost}`)
  mkdirSync(copy)
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(program, name), join(copy, name), { recursive: true })
  symlinkSync(join(program, 'node_modules'), join(copy, 'node_modules'))
  const chunks = join(copy, 'dist/chunks')
  let found = 0
  for (const name of readdirSync(chunks)) {
    const text = readFileSync(join(chunks, name), 'utf8')
    if (!TASK_COST.test(text)) continue
    found++
    writeFileSync(join(chunks, name), text.replace(TASK_COST, `const TASK_COST = ${cost}`))
  }
  if (found !== 1) throw new Error(`the constant was found in ${found} files`)
  return copy
}

const threads = [1, 2, 3, 4].map((count) => ({
  name: `${count} thread${count === 1 ? '' : 's'}`,
  backup: ['--read-concurrency', String(count)],
}))
const tasks = [512, 2048, 4096, 16_384].map((cost) => ({
  name: `tasks of ${cost}`,
  root: programWithTasks(cost),
}))
const packs = ['8M', '16M', '32M', '64M', '128M'].map((size) => ({
  name: `packs of ${size}`,
  init: ['--pack-size', size],
}))

async function measureVariant({ root = program, init = [], backup = [] }) {
  const place = join(work, 'side')
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place)
  const env = {
    PATH: process.env.PATH,
    HOME: place,
    HOLDFAST_REPOSITORY: join(place, 'repository'),
    HOLDFAST_KEY_FILE: join(place, 'key'),
    HOLDFAST_CACHE_DIR: join(place, 'cache'),
  }
  const argv = (...words) => [process.execPath, join(root, 'bin/holdfast.js'), '-q', ...words]
  await run({ argv: argv('init', ...init), env, cwd: place })
  const figures = await measure({ argv: argv('backup', ...backup, resolve(folder)), env, cwd: place })
  const files = readdirSync(env.HOLDFAST_REPOSITORY, { recursive: true, withFileTypes: true })
  const kept = await run({
    argv: ['du', '-s', '-B1', '--apparent-size', env.HOLDFAST_REPOSITORY],
    env,
    cwd: place,
  })
  return {
    ...figures,
    files: files.filter((entry) => entry.isFile()).length,
    repositoryBytes: Number.parseInt(kept, 10),
  }
}

const median = (numbers) => numbers.toSorted((left, right) => left - right)[numbers.length >> 1]

try {
  const variants = [...threads, ...tasks, ...packs]
  const measured = variants.map(() => [])
  for (let round = 0; round < Number(values.runs); round++) {
    for (const [at, variant] of variants.entries()) measured[at].push(await measureVariant(variant))
  }
  console.log(`${availableParallelism()} cores; medians of ${values.runs}`)
  console.log(
    '| variant | time | user + system | memory | repository | its files |\n| --- | --- | --- | --- | --- | --- |',
  )
  for (const [at, { name }] of variants.entries()) {
    const of = (pick) => median(measured[at].map(pick))
    const cells = [
      name,
      `${of((one) => one.wallSeconds).toFixed(2)} s`,
      `${of((one) => one.userSeconds + one.systemSeconds).toFixed(2)} s`,
      `${Math.round(of((one) => one.anonymousBytes) / MIB)} MiB`,
      `${(of((one) => one.repositoryBytes) / MIB).toFixed(1)} MiB`,
      of((one) => one.files),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
