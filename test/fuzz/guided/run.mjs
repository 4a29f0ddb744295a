// Fuzz the parsers, guided by what of dist/ an input reaches: `npm run test:fuzz`, or `node test/fuzz/guided/run.mjs SECONDS`. Inputs
// that reach more than the corpus did join it. Ends with 1, and the input named, where one is neither taken nor refused.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fitBinary } from './older-libc.mjs'

const here = import.meta.dirname
const root = join(here, '../../..')
const corpus = join(here, '../corpus')
const modules = join(here, 'node_modules')
const seconds = Number(process.argv[2] ?? 1800)

if (!existsSync(modules))
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, stdio: 'inherit' })
const env = { ...process.env, ...fitBinary(modules) }
const work = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'))

function jazzer(folders, options) {
  const target = join(here, '../parsers.fuzz.mjs')
  const program = join(modules, '@jazzer.js/core/dist/cli.js')
  const args = [program, target, ...folders, '-i', join(root, 'dist'), '--', ...options]
  execFileSync('node', args, { cwd: work, env, stdio: 'inherit' })
}

try {
  const grown = join(work, 'grown')
  cpSync(corpus, grown, { recursive: true })
  jazzer(
    [grown],
    [
      `-max_total_time=${seconds}`,
      '-max_len=65536',
      '-timeout=10',
      '-rss_limit_mb=3072',
      '-print_final_stats=1',
    ],
  )
  // Only what reaches something that no smaller input does.
  const merged = join(work, 'merged')
  mkdirSync(merged)
  jazzer([merged, corpus, grown], ['-merge=1', '-rss_limit_mb=3072'])
  cpSync(merged, corpus, { recursive: true })
} catch (error) {
  console.error(`what the fuzzer found is in ${work}`)
  throw error
}
rmSync(work, { recursive: true })
