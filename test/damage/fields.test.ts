import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HEADER_BYTES, TAG_BYTES } from '../../src/crypto/index.ts'
import { CONFIG_NAME, fileName, type PackFacts } from '../../src/repository/index.ts'
import {
  dataLosses,
  detailsOf,
  type Findings,
  findingsOf,
  harmlessly,
  indexLosses,
  type Loss,
  plainFiles,
  rejection,
  shelfPaths,
  snapshotLosses,
  treeLosses,
  verifyShelf,
  wholly,
} from './expected.ts'
import { buildShelf, flipped, openShelf, packFacts, type Shelf, withFiles } from './shelf.ts'

const NOT_ITS_NAME = 'its bytes do not have the hash that is its name'
const NOT_AUTHENTIC = 'a sealed message is not authentic'

let shelf: Shelf
let facts: readonly (readonly PackFacts[])[]

beforeAll(async () => {
  shelf = await buildShelf()
  const repository = await openShelf(shelf)
  facts = await Promise.all(shelf.runs.map(({ indexFile }) => packFacts(repository, indexFile)))
  await repository.close()
})

afterAll(() => shelf.remove())

const read = (name: string): Buffer => shelf.files.get(name)!

interface Outcome {
  readonly findings: Findings
  readonly details: readonly string[]
}

/** What verify says while one byte of a file is changed. */
async function outcomeOf(name: string, at: number, bits = 0x01): Promise<Outcome> {
  const bytes = read(name)
  const offset = at < 0 ? bytes.length + at : at
  return await withFiles(shelf, { [name]: flipped(bytes, offset, bits) }, async () => {
    const report = await verifyShelf(shelf, { readData: true })
    return { findings: findingsOf(shelf, report), details: detailsOf(report, name) }
  })
}

/** The fields every sealed file begins with, a flip in each, and what the header then is said to be. */
const headerFields: readonly [field: string, at: number, bits: number, says: RegExp | undefined][] = [
  ['first byte of the magic', 0, 0x01, /does not begin with HOLDFAST/],
  ['last byte of the magic', 7, 0x80, /does not begin with HOLDFAST/],
  ['version, to a higher one', 8, 0x02, /format version 3 is newer than this program reads/],
  ['version, to 0', 8, 0x01, /format version 0 is not valid/],
  ['kind', 9, 0x40, /is not of the kind/],
  ['first reserved byte', 10, 0x01, /reserved bytes of the header are not zero/],
  ['last reserved byte', 15, 0x01, /reserved bytes of the header are not zero/],
  ['first byte of the salt', 16, 0x01, undefined],
  ['last byte of the salt', HEADER_BYTES - 1, 0x80, undefined],
]

/** The rest of a file that is one sealed value. */
const valueFields: readonly [field: string, at: number][] = [
  ['first byte of the ciphertext', HEADER_BYTES],
  ['last byte of the ciphertext', -TAG_BYTES - 1],
  ['first byte of the tag', -TAG_BYTES],
  ['last byte of the tag', -1],
]

describe('files of one value, named by their hash', () => {
  const losses = (): Loss[] => [
    ...indexLosses(shelf).slice(0, 4),
    ...snapshotLosses(shelf),
    { name: fileName('index', shelf.condemnation), isNeeded: false, touched: {} },
    ...shelf.pending.map((id) => ({ name: fileName('pending', id), isNeeded: undefined, touched: {} })),
  ]

  test.each(headerFields)('header: %s', async (_field, at, bits, says) => {
    for (const loss of losses()) {
      const { findings, details } = await outcomeOf(loss.name, at, bits)
      expect(findings).toEqual(wholly('damaged', loss))
      expect(details).toEqual(
        says === undefined ? [NOT_ITS_NAME] : [NOT_ITS_NAME, expect.stringMatching(says)],
      )
    }
  })

  test.each(valueFields)('%s', async (_field, at) => {
    for (const loss of losses()) {
      const { findings, details } = await outcomeOf(loss.name, at)
      expect(findings).toEqual(wholly('damaged', loss))
      expect(details).toEqual([NOT_ITS_NAME])
    }
  })
})

describe('sessions, and marks of those given up on', () => {
  const names = (): string[] => [...plainFiles(shelf).session, ...plainFiles(shelf).over]

  test.each(headerFields)('header: %s', async (_field, at, bits, says) => {
    for (const name of names()) {
      const { findings, details } = await outcomeOf(name, at, bits)
      const kind = bits === 0x02 && at === 8 ? 'newer' : 'damaged'
      expect(findings).toEqual(harmlessly(kind, name, undefined))
      expect(details).toEqual([says === undefined ? NOT_AUTHENTIC : expect.stringMatching(says)])
    }
  })

  test.each(valueFields)('%s', async (_field, at) => {
    for (const name of names()) {
      const { findings, details } = await outcomeOf(name, at)
      expect(findings).toEqual(harmlessly('damaged', name, undefined))
      expect(details).toEqual([NOT_AUTHENTIC])
    }
  })
})

describe('config and settings', () => {
  const names = (): string[] => [CONFIG_NAME, ...plainFiles(shelf).settings]
  const others = headerFields.filter(([field]) => field !== 'version, to a higher one')

  test.each(others)('header: %s', async (_field, at, bits) => {
    for (const name of names()) {
      expect((await outcomeOf(name, at, bits)).findings).toEqual(harmlessly('damaged', name, undefined))
    }
  })

  test.each(valueFields)('%s', async (_field, at) => {
    for (const name of names()) {
      expect((await outcomeOf(name, at)).findings).toEqual(harmlessly('damaged', name, undefined))
    }
  })

  test('a higher version of the config is left to a newer program', async () => {
    const error = await rejection(outcomeOf(CONFIG_NAME, 8, 0x02))
    expect(error?.code).toBe('NEWER_FORMAT')
    expect(error?.hint).toMatch(/newer holdfast/)
  })
})

describe('keys', () => {
  /** Both copies lie behind the header: payload, then its hash. */
  const half = (name: string): number => (read(name).length - HEADER_BYTES) / 2

  test.each(headerFields)('header: %s: still opens, and is named', async (_field, at, bits) => {
    for (const id of shelf.keys) {
      const name = fileName('key', id)
      expect((await outcomeOf(name, at, bits)).findings).toEqual(harmlessly('damaged', name, undefined))
    }
  })

  test.each([
    ['first', 0],
    ['second', 1],
  ])('the %s copy, anywhere: still opens, and is named', async (_which, copy) => {
    for (const id of shelf.keys) {
      const name = fileName('key', id)
      const length = half(name)
      const from = HEADER_BYTES + copy * length
      for (const at of [0, 1, 40, 120, 300, length - 33, length - 32, length - 1]) {
        const { findings, details } = await outcomeOf(name, from + at)
        expect(findings).toEqual(harmlessly('damaged', name, undefined))
        expect(details).toEqual([`${NOT_ITS_NAME}; a whole copy in it still opens the repository`])
      }
    }
  })

  test('both copies: another key is named, the own one opens no more', async () => {
    const [own, other] = shelf.keys.map((id) => fileName('key', id)) as [string, string]
    const broken = (name: string): Record<string, Buffer> => {
      const first = flipped(read(name), HEADER_BYTES + 50)
      return { [name]: flipped(first, HEADER_BYTES + half(name) + 60) }
    }
    const findings = await withFiles(shelf, broken(other), async () =>
      findingsOf(shelf, await verifyShelf(shelf)),
    )
    expect(findings).toEqual(harmlessly('damaged', other, undefined))
    const error = await withFiles(shelf, broken(own), () => rejection(verifyShelf(shelf)))
    expect(error?.code).toBe('WRONG_KEY')
    expect(error?.hint).toMatch(/damaged/)
    const worst = { ...broken(own), ...broken(other) }
    const last = await withFiles(shelf, worst, () => rejection(verifyShelf(shelf)))
    expect(last?.code).toBe('DAMAGED')
  })
})

describe('packs', () => {
  const losses = (): Loss[] => [...dataLosses(shelf), ...treeLosses(shelf)]
  const factsOf = (name: string): PackFacts =>
    facts.flat().find(({ kind, id }) => fileName(kind, id) === name)!

  test.each(headerFields)('header: %s: named, and nothing is lost', async (_field, at, bits, says) => {
    for (const { name } of losses()) {
      const { findings, details } = await outcomeOf(name, at, bits)
      expect(findings).toEqual(harmlessly('damaged', name, false))
      const header = says ?? /its header has another salt than the index/
      expect(details).toEqual([NOT_ITS_NAME, expect.stringMatching(header)])
    }
  })

  test.each([
    ['ciphertext', 0],
    ['padding', -TAG_BYTES - 1],
    ['tag', -1],
  ])('%s of the only block: all is lost', async (_field, at) => {
    for (const loss of losses()) {
      const { blocks } = factsOf(loss.name)
      if (blocks.length > 1) continue
      const offset = at < 0 ? HEADER_BYTES + blocks[0]!.storedBytes + at : HEADER_BYTES
      const { findings, details } = await outcomeOf(loss.name, offset)
      expect(findings).toEqual(wholly('damaged', loss))
      expect(details).toEqual([NOT_ITS_NAME, `block 0: ${NOT_AUTHENTIC}`])
    }
  })

  test('one of two blocks: what lies in the other is whole', async () => {
    const { one, steady } = shelfPaths(shelf)
    const { name } = dataLosses(shelf)[0]!
    const { blocks } = factsOf(name)
    expect(blocks).toHaveLength(2)
    const first = await outcomeOf(name, HEADER_BYTES + 1000)
    const second = await outcomeOf(name, HEADER_BYTES + blocks[0]!.storedBytes + 1000)
    const touched = (...paths: string[]): Findings =>
      wholly('damaged', { name, isNeeded: true, touched: { 0: paths, 1: paths, 2: paths } })
    expect(first.findings).toEqual(touched(steady, one))
    expect(second.findings).toEqual(touched(one))
    expect(first.details).toEqual([NOT_ITS_NAME, `block 0: ${NOT_AUTHENTIC}`])
    expect(second.details).toEqual([NOT_ITS_NAME, `block 1: ${NOT_AUTHENTIC}`])
  })

  test('footer and its length: named, and nothing is lost', async () => {
    for (const { name } of losses()) {
      const blocksEnd =
        HEADER_BYTES + factsOf(name).blocks.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
      for (const at of [blocksEnd, -4 - TAG_BYTES - 1, -5, -4, -3, -2, -1]) {
        const { findings, details } = await outcomeOf(name, at)
        expect(findings).toEqual(harmlessly('damaged', name, false))
        expect(details).toHaveLength(2)
        expect(details[0]).toBe(NOT_ITS_NAME)
      }
    }
  })
})
