import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkAborted } from '../errors/index.ts'

const WORDS = 4096
const SMALL_BYTES = 4 * 1024
const LARGE_BYTES = 1024 * 1024
const FILES_A_FOLDER = 100

/** Numbers from 0 up to, not with, `limit`; the same for a seed wherever it runs (xorshift32). */
export type Random = (limit: number) => number

export function createRandom(seed: number): Random {
  let state = seed | 1
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}

/** Text of made words, some much more frequent than others: compresses to about a third. */
export function makeText(random: Random, lengthBytes: number): Buffer {
  const words = Array.from({ length: WORDS }, () => {
    const letters = Array.from({ length: 2 + random(9) }, () => String.fromCharCode(97 + random(26)))
    return letters.join('')
  })
  const text = Buffer.alloc(lengthBytes)
  for (let at = 0; at < lengthBytes; ) {
    at += text.write(`${words[random(random(WORDS) + 1)]!}${random(12) === 0 ? '\n' : ' '}`, at, 'latin1')
  }
  return text
}

/** Bytes that do not compress. */
export function makeNoise(random: Random, lengthBytes: number): Buffer {
  const noise = Buffer.alloc(lengthBytes)
  for (let at = 0; at + 4 <= lengthBytes; at += 4) noise.writeUInt32LE(random(2 ** 32), at)
  return noise
}

export interface MadeFiles {
  readonly files: number
  readonly bytes: number
}

/**
 * Fill a folder: half of the bytes in text files of up to 4 KiB, the rest in files of up to 1 MiB, every fourth of
 * which is noise. The same for a size wherever it runs.
 */
export function makeFiles(directory: string, sizeBytes: number, signal?: AbortSignal): MadeFiles {
  const random = createRandom(1)
  const text = makeText(random, 2 * LARGE_BYTES)
  const noise = makeNoise(random, 2 * LARGE_BYTES)
  let files = 0
  let bytes = 0
  let folder = directory
  const add = (source: Buffer, longestBytes: number): void => {
    if (files % FILES_A_FOLDER === 0) {
      checkAborted(signal)
      folder = join(directory, `folder-${files / FILES_A_FOLDER}`)
      mkdirSync(folder)
    }
    const length = 1 + random(longestBytes)
    const from = random(source.length - length)
    writeFileSync(join(folder, `file-${files}`), source.subarray(from, from + length))
    files++
    bytes += length
  }
  while (bytes < sizeBytes / 2) add(text, SMALL_BYTES)
  while (bytes < sizeBytes) add(random(4) === 0 ? noise : text, LARGE_BYTES)
  return { files, bytes }
}
