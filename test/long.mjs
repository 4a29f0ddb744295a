// Everything that looks for losses, for as long as it takes: fuzzing on one core while the tests run, the long ones too.
//
//   npm run test:long                   # under an hour on two cores
//   npm run test:long -- 60             # with a minute of fuzzing
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const fuzzSeconds = process.argv[2] ?? '1800'
const environment = {
  ...process.env,
  HOLDFAST_LONG: '1',
  HOLDFAST_SCHEDULES: process.env.HOLDFAST_SCHEDULES ?? '150000',
}

function run(args) {
  const child = spawn(process.execPath, args, { cwd: root, env: environment, stdio: 'inherit' })
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)))
}

const codes = await Promise.all([
  run(['test/fuzz/run.mjs', fuzzSeconds]),
  run(['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/config/vitest.config.ts']),
])
process.exitCode = Math.max(...codes)
