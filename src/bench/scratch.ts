import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Work in a new folder below `directory`, which is removed however the work ends. */
export function* withScratch<Item>(
  directory: string,
  work: (scratch: string) => Generator<Item>,
): Generator<Item> {
  const scratch = makeScratch(directory)
  try {
    yield* work(scratch)
  } finally {
    removeScratch(scratch)
  }
}

export function makeScratch(directory: string): string {
  return mkdtempSync(join(directory, 'holdfast-bench-'))
}

export function removeScratch(scratch: string): void {
  rmSync(scratch, { recursive: true, force: true })
}
