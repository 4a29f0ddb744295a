import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { createChunker, defaultParameters } from '../chunker/index.ts'
import {
  createKeyedHasher,
  createMasterKey,
  createOpener,
  createSalt,
  createSealer,
  defaultCost,
  deriveSubkeys,
  deriveWrappingKey,
  hashImplementation,
} from '../crypto/index.ts'
import { checkAborted } from '../errors/index.ts'
import { DATA_BLOCK_BYTES, loadZstd } from '../repository/worker.ts'
import { createRandom, makeFiles, makeNoise, makeText } from './made-data.ts'
import type { BenchOptions, Measurement } from './options.ts'
import { withScratch } from './scratch.ts'

const MIB = 1024 * 1024
const CHUNK_BYTES = 16 * 1024
/** Each is repeated for about this long after one run to warm up. */
const SPAN_MS = 250
const LEVELS = [1, 2, 3, 7]
const SMALL_FILES_BYTES = 4 * MIB
const LARGE_FILE_BYTES = 64 * MIB

/** Each step of a backup by itself, on one core, and what the disk below `directory` does. */
export async function* measurePrimitives(options: BenchOptions): AsyncGenerator<Measurement> {
  for (const measure of [measureContent, measureStorage]) {
    for (const one of measure(options)) {
      checkAborted(options.signal)
      yield one
      // Lets a signal arrive: everything between is synchronous.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  options.onProgress?.({ name: 'password' })
  const began = performance.now()
  await deriveWrappingKey({ kind: 'password', password: 'bench' }, createSalt(), defaultCost)
  yield { name: 'password', detail: 'scrypt', value: performance.now() - began, unit: 'ms' }
}

function* measureContent({ onProgress }: BenchOptions): Generator<Measurement> {
  const text = makeText(createRandom(1), DATA_BLOCK_BYTES)
  const noise = makeNoise(createRandom(1), DATA_BLOCK_BYTES)
  const subkeys = deriveSubkeys(createMasterKey())
  const throughput = (name: string, detail: string, bytes: number, work: () => void): Measurement => {
    onProgress?.({ name })
    return { name, detail, value: bytes / MIB / (millisecondsOf(work) / 1000), unit: 'MiB/s' }
  }

  const chunker = createChunker(defaultParameters, subkeys.chunker)
  chunker.window.set(noise)
  yield throughput('cut', chunker.engine, DATA_BLOCK_BYTES, () => chunker.cut(DATA_BLOCK_BYTES, true, 0))

  const hasher = createKeyedHasher(subkeys.dataIds)
  const hashAll = (): void => {
    for (let at = 0; at < noise.length; at += CHUNK_BYTES) hasher.hash(noise.subarray(at, at + CHUNK_BYTES))
  }
  yield throughput('hash', `BLAKE3, ${hashImplementation().name}, 16 KiB`, DATA_BLOCK_BYTES, hashAll)

  const zstd = loadZstd()
  for (const level of LEVELS) {
    const compress = (): void => void zstd.compress(text, level)
    yield throughput('compress', `zstd level ${level}`, DATA_BLOCK_BYTES, compress)
  }
  const frame = zstd.compress(text, 3)!
  const decompress = (): void => void zstd.decompress(frame, text.length)
  yield throughput('decompress', 'zstd', DATA_BLOCK_BYTES, decompress)

  const sealer = createSealer('data', subkeys.files.data, new Uint8Array())
  let sealed = sealer.seal(noise)
  const opener = createOpener('data', sealer.header, subkeys.files.data, new Uint8Array())
  yield throughput('decrypt', 'AES-256-GCM', DATA_BLOCK_BYTES, () => void opener.open(0, sealed))
  yield throughput('encrypt', 'AES-256-GCM', DATA_BLOCK_BYTES, () => {
    sealed = sealer.seal(noise)
  })
}

function* measureStorage({ directory, onProgress, signal }: BenchOptions): Generator<Measurement> {
  yield* withScratch(directory, function* (scratch) {
    onProgress?.({ name: 'files' })
    const { files } = makeFiles(scratch, SMALL_FILES_BYTES, signal)
    const paths = readdirSync(scratch, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    const scan = (): void => {
      for (const path of paths) lstatSync(path, { bigint: true })
    }
    yield { name: 'scan', detail: 'lstat', value: files / (millisecondsOf(scan) / 1000), unit: 'files/s' }
    const buffer = Buffer.alloc(MIB)
    const read = (): void => {
      for (const path of paths) readWhole(path, buffer)
    }
    const detail = 'open, fstat, read, close'
    yield { name: 'read', detail, value: files / (millisecondsOf(read) / 1000), unit: 'files/s' }

    onProgress?.({ name: 'write' })
    const noise = makeNoise(createRandom(2), 4 * MIB)
    const began = performance.now()
    const fd = openSync(join(scratch, 'large'), 'w')
    try {
      for (let at = 0; at < LARGE_FILE_BYTES; at += noise.length) writeSync(fd, noise)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    const seconds = (performance.now() - began) / 1000
    yield { name: 'write', detail: 'with fsync', value: LARGE_FILE_BYTES / MIB / seconds, unit: 'MiB/s' }
  })
}

function readWhole(path: string, buffer: Buffer): void {
  const fd = openSync(path, 'r')
  try {
    fstatSync(fd, { bigint: true })
    while (readSync(fd, buffer) > 0);
  } finally {
    closeSync(fd)
  }
}

/** The mean time of one run. */
function millisecondsOf(work: () => void): number {
  work()
  const began = performance.now()
  let runs = 0
  do {
    work()
    runs++
  } while (performance.now() - began < SPAN_MS)
  return (performance.now() - began) / runs
}
