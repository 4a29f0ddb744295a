import { afterAll, beforeAll, expect, test } from 'vitest'
import { verifyNames } from '../../src/verify/index.ts'
import { findingsOf, rejection, verifyShelf } from './expected.ts'
import { buildShelf, flipped, openShelf, type Shelf, withFiles } from './shelf.ts'

const FLIPS = process.env.HOLDFAST_LONG ? 1000 : 250
const SEED = 20_240_607

let shelf: Shelf

beforeAll(async () => {
  shelf = await buildShelf()
})

afterAll(() => shelf.remove())

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test(`each of ${FLIPS} flipped bits is found, and put to the file it is in and to no other`, async () => {
  const random = createRandom(SEED)
  const names = [...shelf.files.keys()]
  const pick = (count: number): number => Math.floor(random() * count)
  for (let flip = 0; flip < FLIPS; flip++) {
    const name = names[pick(names.length)]!
    const bytes = shelf.files.get(name)!
    const at = pick(bytes.length)
    const bits = 1 << pick(8)
    const what = `${name}, byte ${at}, bits ${bits}`
    await withFiles(shelf, { [name]: flipped(bytes, at, bits) }, async () => {
      let files: string[] | undefined
      const error = await rejection(
        verifyShelf(shelf, { readData: true }).then((report) => {
          files = Object.keys(findingsOf(shelf, report))
        }),
      )
      if (error === undefined) expect(files, what).toEqual([name])
      else
        expect([error.code, at, /^(config|settings\/.*)$/.test(name)], what).toEqual([
          'NEWER_FORMAT',
          8,
          true,
        ])
    })
  }
  expect((await verifyShelf(shelf, { readData: true })).problems).toEqual([])
}, 120_000)

test('without a key, flips are found in every file that is named by its hash, and in no other', async () => {
  const { backend } = await openShelf(shelf)
  expect((await verifyNames(backend)).problems).toEqual([])
  for (const name of [...shelf.files.keys()]) {
    const bytes = shelf.files.get(name)!
    const change = { [name]: flipped(bytes, bytes.length >> 1) }
    const { problems } = await withFiles(shelf, change, () => verifyNames(backend))
    const isNamed = name !== 'config' && !name.startsWith('sessions/')
    expect(problems.map(({ file }) => file)).toEqual(isNamed ? [name] : [])
  }
})
