// Fuzzes the parsers, guided by coverage, for as long as it is told; what it finds of interest joins the corpus.
//
//   npm run fuzz               # a minute
//   npm run fuzz -- 1800       # half an hour
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeSeeds } from './seeds.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')
const corpus = join(here, 'corpus')
const seconds = Number(process.argv[2] ?? 60)

mkdirSync(corpus, { recursive: true })
await writeSeeds(corpus)
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/@jazzer.js/core/dist/cli.js'),
    join(here, 'parsers.fuzz.mjs'),
    corpus,
    '--includes=dist',
    '--excludes=node_modules',
    '--timeout=10000',
    '--',
    `-max_total_time=${seconds}`,
    '-max_len=16384',
    '-rss_limit_mb=2048',
    '-print_final_stats=1',
    `-artifact_prefix=${here}/`,
  ],
  { cwd: root, stdio: 'inherit' },
)
console.log(`corpus: ${readdirSync(corpus).length} inputs`)
process.exitCode = status ?? 1
