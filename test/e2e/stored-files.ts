import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sandbox } from './harness.ts'

/** Paths of the files below a folder of a sandbox's repository, such as `data`, in order of names. */
export function storedFiles(sandbox: Sandbox, folder: string): string[] {
  return readdirSync(join(sandbox.repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** Change one bit in the middle of a file. */
export function flipBit(path: string): void {
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(path, bytes)
}
