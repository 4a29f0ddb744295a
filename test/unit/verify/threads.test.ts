import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FoundProblem, VerifyReport } from '../../../src/verify/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { buildShelf, flipped, openShelf, type Shelf, withFiles } from '../../damage/shelf.ts'

let shelf: Shelf

beforeAll(async () => {
  shelf = await buildShelf()
})

afterAll(() => shelf.remove())

const packNames = (): string[] =>
  [...shelf.files.keys()].filter((name) => /^(data|trees)\//.test(name)).sort()

/** The report, and what was told on the way, in order. */
async function verifyIn(threads: number): Promise<{ report: VerifyReport; told: FoundProblem[] }> {
  const repository = await openShelf(shelf)
  const told: FoundProblem[] = []
  try {
    const report = await verify(repository, {
      readData: true,
      threads,
      onProblem: (problem) => told.push(problem),
    })
    return { report, told }
  } finally {
    await repository.close()
  }
}

test('a sound repository is the same in any number of threads', async () => {
  const { report } = await verifyIn(0)
  expect(report.problems).toEqual([])
  for (const threads of [1, 2, 7]) expect((await verifyIn(threads)).report).toEqual(report)
})

test('what is damaged is told in the same words and order in any number of threads', async () => {
  const damaged = Object.fromEntries(
    packNames().map((name, number) => {
      const bytes = shelf.files.get(name)!
      if (number % 4 === 3) return [name, undefined]
      return [name, number % 4 === 2 ? bytes.subarray(0, -100) : flipped(bytes, bytes.length >> 1)]
    }),
  )
  await withFiles(shelf, damaged, async () => {
    const here = await verifyIn(0)
    expect(here.report.problems.length).toBeGreaterThan(5)
    for (const threads of [1, 2, 7]) expect(await verifyIn(threads)).toEqual(here)
  })
})

test('an abort ends a verify in threads', async () => {
  const repository = await openShelf(shelf)
  const abort = new AbortController()
  const attempt = verify(repository, {
    readData: true,
    threads: 2,
    onProgress: ({ phase }) => phase === 'packs' && abort.abort(),
    signal: abort.signal,
  })
  await expect(attempt).rejects.toMatchObject({ code: 'INTERRUPTED' })
  await repository.close()
})
