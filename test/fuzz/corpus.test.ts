import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'

// The corpus, and inputs drawn anew from it: every parser refuses what it cannot take with an error
// of its own, and takes nothing that it gives back otherwise.

interface FuzzTarget {
  readonly parsers: Readonly<Record<string, (bytes: Buffer) => unknown>>
  fuzz(data: Uint8Array): void
}
const { parsers, fuzz } = (await import('./parsers.fuzz.mjs' as string)) as FuzzTarget
const folder = join(import.meta.dirname, 'corpus')
const corpus = readdirSync(folder)
  .filter((name) => !name.startsWith('.'))
  .map((name) => readFileSync(join(folder, name)))

test('every input of the corpus is taken, or refused as damage or bad usage', () => {
  const used = new Set(corpus.map((input) => Object.keys(parsers)[input[0]! % Object.keys(parsers).length]))
  expect(used.size).toBe(Object.keys(parsers).length)
  for (const input of corpus) fuzz(input)
})

test('so is what comes of it by changing, cutting and joining', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 })
  fc.assert(
    fc.property(
      fc.nat(corpus.length - 1),
      fc.nat(corpus.length - 1),
      changes,
      fc.nat(),
      fc.boolean(),
      (one, other, places, cut, isJoined) => {
        const left = corpus[one]!
        const whole = isJoined
          ? Buffer.concat([left.subarray(0, 1 + (cut % left.length)), corpus[other]!.subarray(1)])
          : Buffer.from(left.subarray(0, Math.max(2, left.length - (cut % 3))))
        for (const [at, byte] of places) whole[at % whole.length] = byte
        fuzz(whole)
      },
    ),
    { numRuns: process.env.HOLDFAST_LONG ? 100_000 : 3_000 },
  )
})
