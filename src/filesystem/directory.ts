import { opendirSync, readdirSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { nameFromBytes } from '../encoding/index.ts'

/** A character for each byte of a name: ordinary text order is then the order of names. */
export type NameKey = string

/** The keys of the names in a directory, in order, without `.` and `..`. Throws the system's errors. */
export function readNameKeys(directory: RawName): NameKey[] {
  return readdirSync(directory, { encoding: 'latin1' }).sort()
}

/**
 * The same in batches, for directories with so many names that a text for each would take much memory: until a batch
 * is asked for, names take their bytes and a few more. Reads the directory at once. Throws the system's errors.
 */
export function readNameBatches(directory: RawName): Iterator<NameKey[]> {
  let names: PackedNames
  try {
    names = packNames(directory)
  } catch {
    // Where a file system does not say what kind an entry is, Node asks for each by a name that it takes for a text,
    // and fails for one that is gone by then.
    return [readNameKeys(directory)].values()
  }
  const { bytes, starts } = names
  return unpackNames(
    bytes,
    starts.sort((left, right) => comparePacked(bytes, left, right)),
  )
}

const BATCH_NAMES = 8192

/** Names end to end, with a NUL after each, and where each begins. */
interface PackedNames {
  readonly bytes: Buffer
  readonly starts: Uint32Array
}

function packNames(directory: RawName): PackedNames {
  let bytes = Buffer.allocUnsafeSlow(1 << 20)
  let starts = new Uint32Array(1 << 16)
  let length = 0
  let count = 0
  const entries = opendirSync(directory, { encoding: 'latin1', bufferSize: 1024 })
  try {
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      const { name } = entry
      if (length + name.length + 1 > bytes.length) {
        bytes = Buffer.concat([bytes], Math.max(bytes.length * 2, length + name.length + 1))
      }
      if (count === starts.length) {
        const grown = new Uint32Array(count * 2)
        grown.set(starts)
        starts = grown
      }
      starts[count++] = length
      length += bytes.write(name, length, 'latin1')
      bytes[length++] = 0
    }
  } finally {
    entries.closeSync()
  }
  return { bytes, starts: starts.subarray(0, count) }
}

function comparePacked(bytes: Buffer, left: number, right: number): number {
  let at = 0
  while (bytes[left + at] === bytes[right + at] && bytes[left + at] !== 0) at++
  return bytes[left + at]! - bytes[right + at]!
}

function* unpackNames(bytes: Buffer, starts: Uint32Array): Generator<NameKey[]> {
  for (let from = 0; from < starts.length; from += BATCH_NAMES) {
    const names: NameKey[] = []
    for (const start of starts.subarray(from, from + BATCH_NAMES)) {
      names.push(bytes.toString('latin1', start, bytes.indexOf(0, start)))
    }
    yield names
  }
}

/** The name that a key stands for. */
export function nameOfKey(key: NameKey): RawName {
  return NOT_ASCII.test(key) ? nameFromBytes(Buffer.from(key, 'latin1')) : key
}

const NOT_ASCII = /[\x80-\xff]/

/** The names in a directory, in order of their raw bytes, without `.` and `..`. Throws the system's errors. */
export function readNames(directory: RawName): RawName[] {
  return readNameKeys(directory).map(nameOfKey)
}
