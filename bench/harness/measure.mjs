import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { sampleMemory } from './memory.mjs'

/** Linux counts in these on every machine Node runs on (sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100

/**
 * The shell waits for the program, so its own accounts then hold what the program and all its children used, exactly,
 * however early a child ended.
 */
const ACCOUNTANT = '"$@" 3>&-; code=$?; cat /proc/$$/stat /proc/$$/io >&3; exit $code'

/**
 * Run a program to its end and say what it took. Its output goes to /dev/null.
 * @param command `{ argv, env, cwd }`; the environment is whole, nothing is inherited
 * @returns `{ wallSeconds, userSeconds, systemSeconds, anonymousBytes, fileBytes, readBytes }`; readBytes counts
 *   everything that was read by calls, its own program text too
 */
export async function measure(command) {
  const nowhere = openSync('/dev/null', 'r+')
  const begin = performance.now()
  const child = spawn('/bin/sh', ['-c', ACCOUNTANT, 'sh', ...command.argv], {
    cwd: command.cwd,
    env: command.env,
    stdio: [nowhere, nowhere, 'pipe', 'pipe'],
  })
  const stopSampling = sampleMemory(child.pid)
  const [complaints, accounts] = [collect(child.stderr), collect(child.stdio[3])]
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  const wallSeconds = Math.round((performance.now() - begin) * 10) / 10_000
  const memory = stopSampling()
  closeSync(nowhere)
  if (code !== 0) {
    throw new Error(`${command.argv.join(' ')} ended with ${code}:\n${(await complaints).slice(-2000)}`)
  }
  return { wallSeconds, ...readAccounts(await accounts), ...memory }
}

async function collect(stream) {
  const parts = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

/** The shell's own lines of /proc: CPU time of its ended children, bytes read by them. */
function readAccounts(text) {
  const fields = text.slice(text.indexOf(') ') + 2).split(' ')
  const [userTicks, systemTicks] = [Number(fields[13]), Number(fields[14])]
  return {
    userSeconds: userTicks / TICKS_PER_SECOND,
    systemSeconds: systemTicks / TICKS_PER_SECOND,
    readBytes: Number(text.match(/^rchar: (\d+)/m)[1]),
  }
}

/** Run a program that is no part of what is measured. @returns what it printed */
export async function run(command) {
  const child = spawn(command.argv[0], command.argv.slice(1), {
    cwd: command.cwd,
    env: command.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [printed, complaints] = [collect(child.stdout), collect(child.stderr)]
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw new Error(`${command.argv.join(' ')} ended with ${code}:\n${await complaints}`)
  return await printed
}

/** One figure for commands that are one piece of work: sums, and of memory the peak. */
export function addMeasurements(measurements) {
  const sum = (name) => measurements.reduce((total, one) => total + one[name], 0)
  const peak = (name) => Math.max(...measurements.map((one) => one[name]))
  return {
    wallSeconds: sum('wallSeconds'),
    userSeconds: sum('userSeconds'),
    systemSeconds: sum('systemSeconds'),
    readBytes: sum('readBytes'),
    anonymousBytes: peak('anonymousBytes'),
    fileBytes: peak('fileBytes'),
  }
}
