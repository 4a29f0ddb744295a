import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

const SCALES = ['tiny', 'small', 'full']

export const usage = `npm run bench -- [question...] [options]

  --scale tiny|small|full  how much data (default: full)
  --pairs N                timed runs of each program, in turn (default: 5)
  --work DIR               where data and repositories are made (default: /dev/shm, else the temporary folder)
  --programs NAME,...      the programs to compare: holdfast, restic, borg, borg-zstd (default: all that are there)
  --secret NAME            only with a key-file, or only with a password (default: short commands with both)
  --no-warm-up             no untimed run before the timed ones
  --history DIR            a folder with one folder for each version of a package; may be repeated
  --node-modules DIR       a node_modules folder to back up
  --results DIR            where results go (default: bench/results at full scale, else they are only printed)
  --write-docs             measure nothing; write tables and chart from bench/results
  --check-docs             measure nothing; fail when they say something else than bench/results
  --list                   name the questions`

/** @returns what was asked for; throws with a line for the user */
export function parseArguments(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      scale: { type: 'string', default: 'full' },
      pairs: { type: 'string', default: '5' },
      work: { type: 'string', default: existsSync('/dev/shm') ? '/dev/shm' : tmpdir() },
      programs: { type: 'string' },
      secret: { type: 'string' },
      'no-warm-up': { type: 'boolean', default: false },
      history: { type: 'string', multiple: true, default: [] },
      'node-modules': { type: 'string' },
      results: { type: 'string' },
      'check-docs': { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (!SCALES.includes(values.scale)) throw new Error(`--scale is one of ${SCALES.join(', ')}`)
  if (!['key-file', 'password', undefined].includes(values.secret)) {
    throw new Error('--secret is key-file or password')
  }
  const pairs = Number(values.pairs)
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error('--pairs is a whole number from 1')
  return {
    questions: positionals,
    scale: values.scale,
    pairs,
    work: resolve(values.work),
    programs: values.programs?.split(','),
    secret: values.secret,
    warmsUp: !values['no-warm-up'],
    histories: values.history.map((folder) => resolve(folder)),
    nodeModules: values['node-modules'] && resolve(values['node-modules']),
    results: values.results && resolve(values.results),
    checksDocs: values['check-docs'],
    writesDocs: values['write-docs'],
    lists: values.list,
    helps: values.help,
  }
}
