// What somebody learns who sees sizes of stored files and the ranges that are read, but has no key: with Holdfast, and were
// each chunk compressed and sealed by itself. The table is in docs/security.md.
//
//   npm run build
//   node bench/leakage.bench.mjs FOLDER…
//
// Each file of at least a byte is a secret that the observer wants to recognise: they know every file of the folders and how
// long it would be when compressed. "Recognised" is a file that no other one looks like; "hidden among" is the median
// number of files that look the same. Needs room for a copy of the folders in the temporary folder.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChunker, parametersForAverage } from '../dist/chunker/index.js'
import { loadZstd } from '../dist/compression/index.js'
import { backup, createRepository, listSnapshots, walkTree } from '../dist/index.js'
import { padmeBytes, storedBlockBytes } from '../dist/pack/index.js'
import { readContent } from '../dist/tree/index.js'

const folders = process.argv.slice(2)
if (folders.length === 0) throw new Error('name at least one folder')
const MIB = 1024 * 1024
/** What other programs add to each sealed chunk: a nonce and a tag. */
const SEAL_BYTES = 32
/** Header, tag and trailer of a pack, and its footer in steps of 4 KiB. */
const PACK_BYTES = 48 + 16 + 4 + 4096

const zstd = loadZstd()
const compressedBytes = (bytes) => Math.min(zstd.compress(bytes, 3)?.length ?? bytes.length, bytes.length)

/** Counts files by how they look. */
class Crowd {
  looks = new Map()
  files = 0

  add(look, bytes) {
    const seen = this.looks.get(look) ?? { files: 0, bytes: 0 }
    seen.files++
    seen.bytes += bytes
    this.looks.set(look, seen)
    this.files++
  }

  summary() {
    const sizes = [...this.looks.values()].map(({ files }) => files).sort((left, right) => left - right)
    const alone = sizes.filter((files) => files === 1).length
    let passed = 0
    const median = sizes.find((files) => {
      passed += files
      return passed * 2 >= this.files
    })
    return { recognised: `${((100 * alone) / this.files).toFixed(1)} %`, hiddenAmong: median }
  }
}

function* filesIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else if (entry.isFile()) yield path
  }
}

const chunker = createChunker(parametersForAverage(MIB), Buffer.alloc(32, 7))

/** Stored lengths of a file's chunks of 1 MiB on average. */
function lengthsOfChunks(bytes) {
  const lengths = []
  let read = 0
  let filled = 0
  while (read < bytes.length || filled > 0) {
    const taken = Math.min(chunker.window.length - filled, bytes.length - read)
    chunker.window.set(bytes.subarray(read, read + taken), filled)
    read += taken
    filled += taken
    const count = chunker.cut(filled, read === bytes.length, 0)
    let start = 0
    for (let at = 0; at < count; at++) {
      lengths.push(compressedBytes(chunker.window.slice(start, chunker.ends[at])) + SEAL_BYTES)
      start = chunker.ends[at]
    }
    filled = chunker.keep(start, filled)
  }
  return lengths
}

const crowds = {
  'each chunk by itself, a file read back': new Crowd(),
  'each chunk by itself, a file added': new Crowd(),
  'Holdfast, a file read back': new Crowd(),
  'Holdfast, a file added': new Crowd(),
}

for (const folder of folders) {
  for (const path of filesIn(folder)) {
    const bytes = readFileSync(path)
    if (bytes.length === 0) continue
    const lengths = lengthsOfChunks(bytes)
    crowds['each chunk by itself, a file read back'].add(lengths.join(' '), bytes.length)
    crowds['each chunk by itself, a file added'].add(
      lengths.reduce((sum, length) => sum + length),
      bytes.length,
    )
    crowds['Holdfast, a file added'].add(
      padmeBytes(PACK_BYTES + storedBlockBytes(compressedBytes(bytes))),
      bytes.length,
    )
  }
}

const work = mkdtempSync(join(tmpdir(), 'holdfast-leakage-'))
try {
  const repository = await createRepository({
    location: join(work, 'repository'),
    secret: { kind: 'keyFile', bytes: Buffer.alloc(32, 1) },
    cacheDirectory: join(work, 'cache'),
  })
  await backup(repository, folders)
  const [snapshot] = (await listSnapshots(repository)).snapshots
  for await (const { node } of walkTree(repository, snapshot.tree)) {
    if (node.type !== 'file' || node.sizeBytes === 0n) continue
    const ranges = new Set()
    for await (const { ids } of readContent(repository, node.content)) {
      for (const id of ids) {
        const { block } = repository.index.find(id)
        ranges.add(`${block.pack} ${block.number}`)
      }
    }
    crowds['Holdfast, a file read back'].add([...ranges].sort().join(), Number(node.sizeBytes))
  }
  const packs = [...repository.index.packs()].filter(({ kind }) => kind === 'data')
  const target = packs.filter(({ sizeBytes }) => Math.abs(sizeBytes / MIB - 33) < 1.5).length
  console.log(`data packs: ${packs.length}, near the target size: ${target}`)
  await repository.close()
} finally {
  rmSync(work, { recursive: true, force: true })
}

console.log('| what is seen | files | recognised | hidden among |')
console.log('| --- | --- | --- | --- |')
for (const [name, crowd] of Object.entries(crowds)) {
  const { recognised, hiddenAmong } = crowd.summary()
  console.log(`| ${name} | ${crowd.files} | ${recognised} | ${hiddenAmong} |`)
}
