import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CONFIG_NAME, fileName } from '../../src/repository/index.ts'
import {
  bothWholly,
  dataLosses,
  detailsOf,
  type Findings,
  findingsOf,
  harmlessly,
  indexLosses,
  plainFiles,
  rejection,
  snapshotLosses,
  treeLosses,
  verifyShelf,
  wholly,
} from './expected.ts'
import { buildShelf, type Shelf, withFiles } from './shelf.ts'

let shelf: Shelf

beforeAll(async () => {
  shelf = await buildShelf()
})

afterAll(() => shelf.remove())

const read = (name: string): Buffer => shelf.files.get(name)!

async function findingsWith(
  changes: Readonly<Record<string, Buffer | undefined>>,
  readData = true,
): Promise<Findings> {
  return await withFiles(shelf, changes, async () =>
    findingsOf(shelf, await verifyShelf(shelf, { readData })),
  )
}

function swapped(left: string, right: string): Record<string, Buffer> {
  return { [left]: read(right), [right]: read(left) }
}

/** What was done to a file that leaves something of it there. */
const changes = {
  'one byte shorter': (bytes: Buffer) => bytes.subarray(0, -1),
  'one byte longer': (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1)]),
  emptied: () => Buffer.alloc(0),
} as const
const changeNames = Object.keys(changes) as (keyof typeof changes)[]

test('a sound repository has no problems, whether packs are read or not', async () => {
  for (const readData of [false, true]) {
    const report = await verifyShelf(shelf, { readData })
    expect(report.problems).toEqual([])
    expect(report.notes).toEqual([])
    expect(report.counts).toMatchObject({
      smallFiles: 20,
      packs: 10,
      packsRead: readData ? 10 : 0,
      bytesRead: readData ? report.counts.packBytes : 0,
      snapshots: 3,
    })
  }
})

describe.each([false, true])('packs, with read data %s', (readData) => {
  test('missing: all is lost that only they had; a condemned one may be missing', async () => {
    for (const losses of [dataLosses(shelf), treeLosses(shelf)]) {
      for (const [run, loss] of losses.entries()) {
        const expected = run === 4 ? {} : wholly('missing', loss)
        expect(await findingsWith({ [loss.name]: undefined }, readData), `run ${run}`).toEqual(expected)
      }
    }
  })

  test('one byte shorter or longer: named, and nothing is lost', async () => {
    for (const losses of [dataLosses(shelf), treeLosses(shelf)]) {
      for (const { name } of losses) {
        for (const change of ['one byte shorter', 'one byte longer'] as const) {
          const bytes = changes[change](read(name))
          const findings = await findingsWith({ [name]: bytes }, readData)
          expect(findings, change).toEqual(harmlessly('damaged', name, false))
        }
      }
    }
  })

  test('emptied, or cut inside the only block: all is lost', async () => {
    for (const losses of [dataLosses(shelf), treeLosses(shelf)]) {
      for (const [run, loss] of losses.entries()) {
        if (run === 4) continue
        const bytes = read(loss.name)
        for (const length of [0, 4000])
          expect(await findingsWith({ [loss.name]: bytes.subarray(0, length) }, readData)).toEqual(
            wholly('damaged', loss),
          )
      }
    }
  })
})

describe('packs', () => {
  test('swapped within their kind: both are lost', async () => {
    for (const losses of [dataLosses(shelf), treeLosses(shelf)]) {
      for (let run = 0; run < 4; run++) {
        const [left, right] = [losses[run]!, losses[(run + 1) % 4]!]
        const findings = await findingsWith(swapped(left.name, right.name))
        expect(findings).toEqual(bothWholly('damaged', left, right))
      }
    }
  })

  test('cut after the first of two blocks: only the second is lost', async () => {
    const { name, touched } = dataLosses(shelf)[0]!
    const one = touched[0]!.filter((path) => path.endsWith('one.bin'))
    const findings = await findingsWith({ [name]: read(name).subarray(0, 2_300_000) })
    expect(findings).toEqual({
      [name]: { kind: 'damaged', isNeeded: true, touched: { 0: one, 1: one, 2: one } },
    })
  })
})

describe('index files', () => {
  test('missing: what no index file lists is lost until it is repaired', async () => {
    for (const [run, loss] of indexLosses(shelf).entries()) {
      const expected = run < 3 ? wholly('missing', { ...loss, name: 'index' }) : {}
      expect(await findingsWith({ [loss.name]: undefined }), `run ${run}`).toEqual(expected)
    }
  })

  test('missing: packs that only they listed are noted', async () => {
    const { name } = indexLosses(shelf)[3]!
    const report = await withFiles(shelf, { [name]: undefined }, async () => verifyShelf(shelf))
    expect(report.notes.map(({ kind }) => kind)).toEqual(['unlisted-pack'])
    expect(report.notes[0]!.message).toMatch(/^2 packs are in no index file/)
  })

  test('missing with the word that packs are to go: the pending files tell', async () => {
    const name = fileName('index', shelf.condemnation)
    expect(await findingsWith({ [name]: undefined })).toEqual(harmlessly('missing', 'index', false))
  })

  test.each(changeNames)('%s: what only they listed is lost', async (change) => {
    for (const loss of indexLosses(shelf)) {
      const bytes = changes[change](read(loss.name))
      expect(await findingsWith({ [loss.name]: bytes })).toEqual(wholly('damaged', loss))
    }
    const name = fileName('index', shelf.condemnation)
    const bytes = changes[change](read(name))
    expect(await findingsWith({ [name]: bytes })).toEqual(harmlessly('damaged', name, false))
  })

  test('swapped: both are named, and what either listed is put to both', async () => {
    const [first, second, third] = indexLosses(shelf)
    const touched = { ...second!.touched, ...third!.touched }
    const findings = await findingsWith(swapped(second!.name, third!.name))
    expect(findings).toEqual({
      ...wholly('damaged', { ...second!, touched }),
      ...wholly('damaged', { ...third!, touched }),
    })
    expect(Object.keys(findings)).not.toContain(first!.name)
  })
})

describe('snapshots', () => {
  test('missing: nothing tells one from a snapshot that was forgotten', async () => {
    for (const { name } of snapshotLosses(shelf))
      expect(await findingsWith({ [name]: undefined })).toEqual({})
  })

  test.each(changeNames)('%s: the snapshot is lost', async (change) => {
    for (const loss of snapshotLosses(shelf)) {
      const findings = await findingsWith({ [loss.name]: changes[change](read(loss.name)) })
      expect(findings).toEqual(wholly('damaged', loss))
    }
  })

  test('swapped: both are lost', async () => {
    const [left, right] = snapshotLosses(shelf)
    const findings = await findingsWith(swapped(left!.name, right!.name))
    expect(findings).toEqual({ ...wholly('damaged', left!), ...wholly('damaged', right!) })
  })
})

describe.each(['session', 'over', 'pending', 'settings'] as const)('%s files', (kind) => {
  test('missing: nothing is lost, and nothing tells', async () => {
    for (const name of plainFiles(shelf)[kind]) expect(await findingsWith({ [name]: undefined })).toEqual({})
  })

  test.each(changeNames)('%s: named, and nothing is lost', async (change) => {
    for (const name of plainFiles(shelf)[kind]) {
      const findings = await findingsWith({ [name]: changes[change](read(name)) })
      expect(findings).toEqual(harmlessly('damaged', name, undefined))
    }
  })

  test('swapped: both are named', async () => {
    const [left, right] = plainFiles(shelf)[kind] as [string, string]
    const findings = await findingsWith(swapped(left, right))
    expect(findings).toEqual({
      ...harmlessly('damaged', left, undefined),
      ...harmlessly('damaged', right, undefined),
    })
  })
})

test('all settings missing: said so', async () => {
  const gone = Object.fromEntries(plainFiles(shelf).settings.map((name) => [name, undefined]))
  expect(await findingsWith(gone)).toEqual(harmlessly('missing', 'settings', undefined))
})

describe('the config', () => {
  test('missing or changed: the copy in the key is used, and it is named', async () => {
    expect(await findingsWith({ [CONFIG_NAME]: undefined })).toEqual(
      harmlessly('missing', CONFIG_NAME, undefined),
    )
    for (const change of changeNames) {
      const findings = await findingsWith({ [CONFIG_NAME]: changes[change](read(CONFIG_NAME)) })
      expect(findings).toEqual(harmlessly('damaged', CONFIG_NAME, undefined))
    }
  })
})

describe('keys', () => {
  test('missing: another one opens nothing for who had this one; all missing is damage', async () => {
    const [own, other] = shelf.keys.map((id) => fileName('key', id)) as [string, string]
    const openWithout = (...names: string[]) =>
      withFiles(shelf, Object.fromEntries(names.map((name) => [name, undefined])), () =>
        rejection(verifyShelf(shelf)),
      )
    expect(await openWithout(other)).toBeUndefined()
    expect((await openWithout(own))?.code).toBe('WRONG_KEY')
    expect((await openWithout(own, other))?.code).toBe('DAMAGED')
  })

  test.each(changeNames)('another one %s: named', async (change) => {
    const name = fileName('key', shelf.keys[1]!)
    const findings = await findingsWith({ [name]: changes[change](read(name)) })
    expect(findings).toEqual(harmlessly('damaged', name, undefined))
  })

  test('the own one changed: named while one of its copies is whole, else a clear error', async () => {
    const name = fileName('key', shelf.keys[0]!)
    for (const change of ['one byte longer', 'one byte shorter'] as const) {
      const changed = changes[change](read(name))
      expect(await findingsWith({ [name]: changed })).toEqual(harmlessly('damaged', name, undefined))
    }
    const error = await withFiles(shelf, { [name]: changes.emptied() }, () => rejection(verifyShelf(shelf)))
    expect(error?.code).toBe('WRONG_KEY')
    expect(error?.hint).toMatch(/1 of 2 keys are damaged/)
  })

  test('swapped: each still opens, and both are named', async () => {
    const [left, right] = shelf.keys.map((id) => fileName('key', id)) as [string, string]
    const findings = await findingsWith(swapped(left, right))
    expect(findings).toEqual({
      ...harmlessly('damaged', left, undefined),
      ...harmlessly('damaged', right, undefined),
    })
  })
})

test('files that are not of the repository are noted', async () => {
  const names = ['index/notes.txt', 'data/ab/leftover', 'readme']
  const strangers = Object.fromEntries(names.map((name) => [name, Buffer.from('x')]))
  const report = await withFiles(shelf, strangers, () => verifyShelf(shelf, { readData: true }))
  expect(report.problems).toEqual([])
  expect(report.notes.map(({ kind }) => kind)).toEqual(names.map(() => 'foreign-file'))
  for (const name of names) expect(report.notes.some(({ message }) => message.startsWith(name))).toBe(true)
})

test('every problem has details and a next step, and tells of it when it is found', async () => {
  const { name } = dataLosses(shelf)[0]!
  const found: string[] = []
  const report = await withFiles(shelf, { [name]: Buffer.alloc(0) }, () =>
    verifyShelf(shelf, { onProblem: ({ file, detail }) => found.push(`${file}: ${detail}`) }),
  )
  expect(found).toEqual(detailsOf(report, name).map((detail) => `${name}: ${detail}`))
  expect(found.length).toBeGreaterThan(0)
  for (const problem of report.problems) expect(problem.hint).toMatch(/holdfast backup/)
})
