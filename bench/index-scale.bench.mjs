// What a repository of ten million chunks costs: the rebuild of the local index, then one command after the other
// with the index there, each beside the same command on a repository of ten thousand chunks.
//
//   npm run build
//   node bench/index-scale.bench.mjs [--chunks 10000000] [--work FOLDER]
//
// Prints JSON: seconds, CPU seconds, and peak memory as the kernel counts it, anonymous pages (RssAnon) apart from
// those of mapped files. Linux only. Needs about 1.2 GB below the work folder, which is left as it was.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createKeyFile } from '../dist/index.js'
import { makeSyntheticRepository } from './synthetic-index.mjs'

const binary = fileURLToPath(new URL('../bin/holdfast.js', import.meta.url))
const SMALL_CHUNKS = 10_000
const SAMPLE_MS = 10
const FILES = 20
const KIB_PER_MB = 1024
const TICKS_A_SECOND = 100

const { values } = parseArgs({
  options: { chunks: { type: 'string', default: '10000000' }, work: { type: 'string', default: tmpdir() } },
})
const work = mkdtempSync(join(values.work, 'holdfast-index-scale-'))
try {
  const source = join(work, 'source')
  mkdirSync(source)
  for (let number = 0; number < FILES; number++) writeFileSync(join(source, `${number}`), `file ${number}\n`)
  const small = await makeSide('small', SMALL_CHUNKS)
  const large = await makeSide('large', Number(values.chunks))

  const rebuild = await measure(large, ['backup', source])
  const indexBytes = statSync(join(large.cache, large.id, 'data.mdb')).size
  await measure(small, ['backup', source])
  const commands = [
    ['snapshots'],
    ['ls', 'latest'],
    ['backup', source],
    ['restore', 'latest', '--target', join(work, 'restored'), '--dry-run'],
    ['stats'],
    ['verify'],
    ['prune', '--dry-run'],
  ]
  const rows = []
  for (const words of commands) {
    rows.push({ command: words[0], small: await measure(small, words), large: await measure(large, words) })
  }
  rmSync(join(large.cache, large.id, 'clean'))
  const afterUncleanEnd = await measure(large, ['snapshots'])
  const chunks = Number(values.chunks)
  console.log(
    JSON.stringify(
      { chunks, rebuild, indexMb: Math.round(indexBytes / 1e6), commands: rows, afterUncleanEnd },
      null,
      2,
    ),
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}

/** A repository, its key and a cache of its own. */
async function makeSide(name, chunks) {
  const location = join(work, name)
  const key = `${location}.key`
  const { id } = await makeSyntheticRepository({
    location,
    secret: createKeyFile(key),
    chunks,
    seed: `index-scale ${name}`,
  })
  return { location, key, cache: `${location}.cache`, id }
}

/** Run one command to its end. @returns seconds, CPU seconds and peaks in MB */
async function measure({ location, key, cache }, words) {
  const options = ['--repo', location, '--key-file', key, '--cache-dir', cache, '--quiet']
  const startMs = performance.now()
  const child = spawn(process.execPath, [binary, ...words, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const peak = { cpuSeconds: 0, anonymousMb: 0, fileMb: 0 }
  const sampler = setInterval(() => samplePeak(child.pid, peak), SAMPLE_MS)
  const code = await new Promise((resolve) => child.on('close', resolve))
  clearInterval(sampler)
  if (code !== 0) throw new Error(`holdfast ${words.join(' ')} ended with ${code}`)
  return { seconds: round((performance.now() - startMs) / 1000), ...peak }
}

function samplePeak(pid, peak) {
  let status
  let times
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1')
    times = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return
  }
  const megabytes = (name) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / KIB_PER_MB)
  peak.anonymousMb = Math.max(peak.anonymousMb, megabytes('RssAnon'))
  peak.fileMb = Math.max(peak.fileMb, megabytes('RssFile'))
  // The program's name, in brackets, is followed by its state; user and system time are the 12th and 13th after it.
  const fields = times.slice(times.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  if (ticks > 0) peak.cpuSeconds = round(ticks / TICKS_A_SECOND)
}

function round(number) {
  return Math.round(number * 100) / 100
}
