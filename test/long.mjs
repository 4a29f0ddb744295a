// All that docs/reliability.md lists, in its long form: `npm run test:long`. The fuzzer has one core for half an hour, the
// tests have what is left; together less than an hour on two cores.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const fuzzLog = join(tmpdir(), `holdfast-fuzz-${process.pid}.log`)
const fuzzOutput = openSync(fuzzLog, 'w')

const start = (args, env, output) =>
  spawn('node', args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', output, output] })

async function codeOf(child) {
  const [code] = await once(child, 'exit')
  return code ?? 1
}

const fuzzing = codeOf(
  start(['test/fuzz/guided/run.mjs', process.env.HOLDFAST_FUZZ_SECONDS ?? '1800'], {}, fuzzOutput),
)
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/config/vitest.config.ts']
const tests = await codeOf(start(vitest, { HOLDFAST_LONG: '1' }, 'inherit'))
const fuzz = await fuzzing
const lines = readFileSync(fuzzLog, 'utf8').split('\n')
// All of it where it failed: the input that did it stands there.
console.log(lines.filter((line) => fuzz !== 0 || /^(Done |stat::|SUMMARY)/.test(line)).join('\n'))
console.log(
  `tests: ${tests === 0 ? 'passed' : 'FAILED'}; fuzzer: ${fuzz === 0 ? 'found nothing' : `FAILED, see ${fuzzLog}`}`,
)
process.exitCode = tests === 0 && fuzz === 0 ? 0 : 1
