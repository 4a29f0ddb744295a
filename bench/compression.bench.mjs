// What zstd's levels and search tables, and the size of a block, cost and save on real files. Decides
// docs/adr/0005-compression.md.
//
//   npm ci
//   node bench/compression.bench.mjs FOLDER…  [--every N]
//
// The files of each folder are joined in name order (a file seen before is left out) and cut into blocks; with
// --every N only each Nth block is measured. MiB of input a second of CPU time of one core, then what is left of it.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import zstd from 'zstd-napi/binding.js'

const { CCtx, CParameter, ResetDirective } = zstd
const MIB = 1024 * 1024
/** A block is stored as it is where compression saves less. */
const LEAST_SAVING = 0.01
const FAST = 1
const DFAST = 2

const variants = [
  ...[1, 2, 3, 4].map((level) => ({ name: `level ${level}`, parameters: { compressionLevel: level } })),
  ...[
    [16, 14, 5],
    [16, 14, 6],
    [17, 14, 5],
    [17, 15, 5],
  ].map(([hashLog, chainLog, minMatch]) => search(DFAST, { hashLog, chainLog, minMatch })),
  ...[
    [15, 7],
    [16, 6],
    [16, 7],
    [17, 6],
  ].map(([hashLog, minMatch]) => search(FAST, { hashLog, minMatch })),
]

function search(strategy, tables) {
  const name = Object.entries(tables).map(([key, value]) => `${key} ${value}`)
  const parameters = { compressionLevel: strategy === FAST ? 1 : 3, windowLog: 21, ...tables, strategy }
  return { name: `${strategy === FAST ? 'fast' : 'dfast'}, ${name.join(', ')}`, parameters }
}

function* filesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true })
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else if (entry.isFile()) yield path
  }
}

function readBlocks(folder, blockBytes, every) {
  const seen = new Set()
  const blocks = []
  const open = Buffer.alloc(blockBytes)
  let filled = 0
  let count = 0
  for (const path of filesIn(folder)) {
    const bytes = readFileSync(path)
    const hash = createHash('sha1').update(bytes).digest('latin1')
    if (seen.has(hash)) continue
    seen.add(hash)
    for (let from = 0; from < bytes.length; ) {
      const length = Math.min(blockBytes - filled, bytes.length - from)
      bytes.copy(open, filled, from, from + length)
      filled += length
      from += length
      if (filled < blockBytes) continue
      if (count++ % every === 0) blocks.push(Buffer.from(open))
      filled = 0
    }
  }
  return blocks
}

function measure(blocks, parameters) {
  const context = new CCtx()
  const target = Buffer.alloc(blocks[0].length + MIB)
  const started = process.cpuUsage()
  let left = 0
  for (const block of blocks) {
    context.reset(ResetDirective.sessionAndParameters)
    for (const [name, value] of Object.entries(parameters)) context.setParameter(CParameter[name], value)
    const length = context.compress2(target, block)
    left += length > block.length * (1 - LEAST_SAVING) ? block.length : length
  }
  const { user, system } = process.cpuUsage(started)
  const bytes = blocks.length * blocks[0].length
  return { speed: bytes / MIB / ((user + system) / 1e6), share: left / bytes }
}

const everyAt = process.argv.indexOf('--every')
const every = everyAt < 0 ? 1 : Number(process.argv[everyAt + 1])
const folders = process.argv.slice(2, everyAt < 0 ? undefined : everyAt)
if (folders.length === 0) throw new Error('give at least one folder')
for (const folder of folders) {
  for (const blockMib of [1, 2, 4]) {
    const blocks = readBlocks(folder, blockMib * MIB, every)
    if (blocks.length === 0) continue
    console.log(`\n${folder}: ${blocks.length} blocks of ${blockMib} MiB`)
    for (const { name, parameters } of variants) {
      const { speed, share } = measure(blocks, parameters)
      console.log(
        `  ${name.padEnd(38)} ${speed.toFixed(0).padStart(5)} MiB/s  ${(share * 100).toFixed(2).padStart(6)} %`,
      )
    }
  }
}
