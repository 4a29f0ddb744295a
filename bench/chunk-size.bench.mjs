// What average chunk and what block size cost and save, on real files: cutting speed, bytes left after deduplication
// and solid zstd blocks, the number of chunks, the metadata they need, CPU time. Decides
// docs/adr/0001-chunk-and-block-size.md.
//
//   npm run build
//   node bench/chunk-size.bench.mjs system=/usr/share,/usr/lib/x86_64-linux-gnu vm
//
// Each argument is a data set: NAME=FOLDER[,FOLDER…] is walked in name order; `vm` is a made disk image of 512 MiB
// and then the same with 1 % of its 4 KiB pages changed. Sizes and counts are exact; seconds want a quiet machine.
import { randomFillSync } from 'node:crypto'
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { Blake3Hasher } from '@napi-rs/blake-hash'
import { Compressor } from 'zstd-napi'
import {
  createChunker,
  defaultParameters,
  parametersForAverage,
  segmentBytes,
} from '../dist/chunker/index.js'

const KIB = 1024
const MIB = 1024 * KIB
const BLOCK_BYTES = [MIB / 2, MIB, 2 * MIB, 4 * MIB]
const LEVEL = 3
const KEY = Buffer.alloc(32, 'chunk-size.bench')
const REFERENCE_BYTES = 32
const INDEX_ENTRY_BYTES = 40

/** Parameters by name: fixed averages, then averages that grow, then other bounds around one average. */
const options = [
  ...[8, 16, 32, 64, 128, 256].map((kib) => fixed(`${kib} KiB`, kib)),
  growing('16 KiB, doubled from 64 MiB and 4 GiB', 16, 64, 64, 2),
  growing('16 KiB, doubled from 64, 128, 256 MiB', 16, 64, 2, 3),
  bounded('16 KiB, from 1/2 to 2', 16, 2),
  bounded('16 KiB, from 1/8 to 8', 16, 8),
]

function fixed(name, averageKib) {
  const parameters = parametersForAverage(averageKib * KIB)
  return { name, parameters: { ...parameters, growth: { ...parameters.growth, doublings: 0 } } }
}

function growing(name, averageKib, fromMib, ratio, doublings) {
  const growth = { fromBytes: fromMib * MIB, ratio, doublings }
  return { name, parameters: { ...parametersForAverage(averageKib * KIB), growth } }
}

function bounded(name, averageKib, factor) {
  const { parameters } = fixed(name, averageKib)
  const { averageBytes } = parameters
  return {
    name,
    parameters: { ...parameters, minimumBytes: averageBytes / factor, maximumBytes: averageBytes * factor },
  }
}

/** Every regular file below a folder, in name order. */
function* walk(folder) {
  let entries
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'EACCES') return
    throw error
  }
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile()) yield fileSource(path)
  }
}

/** A source is its size and a function that fills a target from its place on; it returns fewer bytes at the end. */
function fileSource(path) {
  return {
    open() {
      const file = openSync(path, 'r')
      const sizeBytes = fstatSync(file).size
      return {
        sizeBytes,
        read: (target, at) => readSync(file, target, 0, target.length, at),
        close: () => closeSync(file),
      }
    },
  }
}

/** A disk image held in memory. */
function imageSource(image) {
  return {
    open: () => ({
      sizeBytes: image.length,
      read: (target, at) => image.copy(target, 0, at, Math.min(image.length, at + target.length)),
      close: () => {},
    }),
  }
}

/** The next of a fixed series of integers in [0, bound): xorshift, so that every run has the same image. */
function seeded(seed) {
  let state = seed
  return (bound) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}

/** 512 MiB in runs of 1 to 64 pages: empty, text of a small vocabulary, records with counters, random bytes. */
function makeImage() {
  const next = seeded(0x1234567)
  const pageBytes = 4 * KIB
  const image = Buffer.alloc(512 * MIB)
  const words = Array.from({ length: 4096 }, () =>
    Buffer.from(Array.from({ length: 2 + next(9) }, () => 97 + next(26)).concat(32)),
  )
  for (let at = 0; at < image.length; ) {
    const kind = next(10)
    const end = Math.min(image.length, at + (1 + next(64)) * pageBytes)
    if (kind < 3) at = end
    else if (kind < 6)
      while (at < end) at += words[Math.min(next(4096), next(4096))].copy(image, at, 0, end - at)
    else if (kind < 8) {
      for (let row = next(1 << 20); at < end; at += 16) {
        image.writeUInt32LE(row++, at)
        image.writeUInt32LE(next(1000), at + 4)
        image.writeUInt32LE(0x3f800000, at + 8)
      }
    } else for (; at < end; at += 4) image.writeUInt32LE(next(2 ** 32), at)
  }
  return image
}

/** Random bytes into 1 % of the pages, spread evenly at random. */
function changePages(image) {
  const next = seeded(0x7654321)
  const pages = image.length / (4 * KIB)
  for (let count = Math.round(pages / 100); count > 0; count--) {
    const at = next(pages) * 4 * KIB
    for (let offset = 0; offset < 4 * KIB; offset += 4) image.writeUInt32LE(next(2 ** 32), at + offset)
  }
}

/** Collects new chunks into blocks of one size, and the bytes and seconds that these compress to and in. */
function createBlocks(blockBytes, compressor) {
  const block = Buffer.alloc(Math.max(blockBytes, 4 * MIB))
  let filled = 0
  const blocks = { blockBytes, storedBytes: 0, seconds: 0, add, flush }
  function add(chunk) {
    if (filled > 0 && filled + chunk.length > blockBytes) flush()
    block.set(chunk, filled)
    filled += chunk.length
  }
  function flush() {
    if (filled === 0) return
    const before = process.cpuUsage()
    blocks.storedBytes += compressor.compress(block.subarray(0, filled)).length
    blocks.seconds += cpuSeconds(before)
    filled = 0
  }
  return blocks
}

function cpuSeconds(before) {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** One repository being filled: `add` a source; totals are read at any time. */
function createStore(parameters) {
  const chunker = createChunker(parameters, KEY)
  const hasher = new Blake3Hasher()
  const compressor = new Compressor()
  compressor.setParameters({ compressionLevel: LEVEL })
  const known = new Set()
  const store = {
    chunker,
    files: 0,
    sourceBytes: 0,
    newBytes: 0,
    references: 0,
    known,
    blocks: BLOCK_BYTES.map((bytes) => createBlocks(bytes, compressor)),
    add,
  }
  function take(chunk) {
    hasher.reset()
    const id = hasher.update(chunk).digestBuffer().toString('latin1')
    store.references++
    if (known.has(id)) return
    known.add(id)
    store.newBytes += chunk.length
    for (const blocks of store.blocks) blocks.add(chunk)
  }
  function add(source) {
    const opened = source.open()
    const { window, ends } = chunker
    store.files++
    for (let segmentAt = 0; segmentAt < opened.sizeBytes; segmentAt += segmentBytes) {
      const segmentEnd = Math.min(opened.sizeBytes, segmentAt + segmentBytes)
      let filled = 0
      for (let at = segmentAt; at < segmentEnd; ) {
        const got = opened.read(
          window.subarray(filled, Math.min(window.length, filled + segmentEnd - at)),
          at,
        )
        at = got === 0 ? segmentEnd : at + got
        filled += got
        const count = chunker.cut(filled, at === segmentEnd, segmentAt)
        for (let i = 0, start = 0; i < count; start = ends[i++]) take(window.subarray(start, ends[i]))
        store.sourceBytes += count === 0 ? 0 : ends[count - 1]
        filled = chunker.keep(count === 0 ? 0 : ends[count - 1], filled)
      }
    }
    opened.close()
  }
  return store
}

function stored(store) {
  for (const blocks of store.blocks) blocks.flush()
  const metadataBytes = store.references * REFERENCE_BYTES + store.known.size * INDEX_ENTRY_BYTES
  return { payloadBytes: store.blocks.map((blocks) => blocks.storedBytes), metadataBytes }
}

function printRow(name, store, cutSeconds, since) {
  const { payloadBytes, metadataBytes } = stored(store)
  const mib = (bytes) => (bytes / MIB).toFixed(1)
  const compressing = store.blocks.map((blocks, at) => blocks.seconds - (since?.seconds[at] ?? 0))
  const cells = [
    name,
    mib(store.sourceBytes - (since?.sourceBytes ?? 0)),
    mib(store.newBytes - (since?.newBytes ?? 0)),
    ...payloadBytes.map((bytes, at) => mib(bytes - (since?.payloadBytes[at] ?? 0))),
    store.references - (since?.references ?? 0),
    store.known.size - (since?.chunks ?? 0),
    mib(metadataBytes - (since?.metadataBytes ?? 0)),
    cutSeconds.toFixed(1),
    compressing.map((seconds) => seconds.toFixed(1)).join(' / '),
  ]
  console.log(`| ${cells.join(' | ')} |`)
  return {
    payloadBytes,
    metadataBytes,
    sourceBytes: store.sourceBytes,
    newBytes: store.newBytes,
    references: store.references,
    chunks: store.known.size,
    seconds: store.blocks.map((blocks) => blocks.seconds),
  }
}

/** Run `fill` on the store; CPU seconds it took beside compression: reading, cutting, hashing, looking up. */
function timeCutting(store, fill) {
  const compressingBefore = store.blocks.reduce((sum, blocks) => sum + blocks.seconds, 0)
  const before = process.cpuUsage()
  fill()
  return (
    cpuSeconds(before) - (store.blocks.reduce((sum, blocks) => sum + blocks.seconds, 0) - compressingBefore)
  )
}

function measure(argument) {
  const [name, folders] = argument.split('=')
  console.log(
    `\n${argument}, zstd level ${LEVEL}, blocks of ${BLOCK_BYTES.map((bytes) => bytes / KIB).join(', ')} KiB\n`,
  )
  console.log(
    '| average | source MiB | unique MiB | 512 KiB | 1 MiB | 2 MiB | 4 MiB | chunks named | chunks stored | metadata MiB | CPU s but zstd | CPU s zstd |',
  )
  console.log('|---|---|---|---|---|---|---|---|---|---|---|---|')
  for (const { name: option, parameters } of options) {
    const store = createStore(parameters)
    if (name === 'vm' && folders === undefined) {
      const image = makeImage()
      const first = timeCutting(store, () => store.add(imageSource(image)))
      const since = printRow(option, store, first)
      changePages(image)
      const second = timeCutting(store, () => store.add(imageSource(image)))
      printRow(`${option}: added`, store, second, since)
    } else {
      const seconds = timeCutting(store, () => {
        for (const folder of folders.split(',')) for (const source of walk(folder)) store.add(source)
      })
      printRow(option, store, seconds)
    }
  }
}

/** MiB/s of `cut` alone with the default parameters, median and best of 50 windows of random bytes. */
function measureCut() {
  const chunker = createChunker(defaultParameters, KEY)
  const { window } = chunker
  const speeds = Array.from({ length: 50 }, () => {
    randomFillSync(window)
    const before = process.hrtime.bigint()
    chunker.cut(window.length, true, 0)
    return window.length / MIB / (Number(process.hrtime.bigint() - before) / 1e9)
  }).sort((left, right) => left - right)
  console.log(
    `cut alone, ${chunker.engine}: median ${speeds[25].toFixed(0)}, best ${speeds[49].toFixed(0)} MiB/s`,
  )
}

console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}`)
measureCut()
for (const argument of process.argv.slice(2)) measure(argument)
