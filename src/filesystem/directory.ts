import { readdirSync } from 'node:fs'
import type { RawName } from '../encoding/index.ts'
import { nameFromBytes } from '../encoding/index.ts'

/** A character for each byte of a name: ordinary text order is then the order of names. */
export type NameKey = string

/** The keys of the names in a directory, in order, without `.` and `..`. Throws the system's errors. */
export function readNameKeys(directory: RawName): NameKey[] {
  return readdirSync(directory, { encoding: 'latin1' }).sort()
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
