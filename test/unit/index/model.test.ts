import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FileId, toHex } from '../../../src/encoding/index.ts'
import { type ClientIndex, createMemoryIndex, type PackFacts } from '../../../src/index/index.ts'
import { filesOf, type IndexFile, idOf, indexFile, packOf } from './build-facts.ts'
import { openIndex, temporaryDirectory } from './temporary-index.ts'

const CHUNKS = 10
const PACKS = 6
const chunkNames = Array.from({ length: CHUNKS }, (_, number) => `chunk ${number}`)
const packNumber = fc.nat(PACKS - 1)

/** Blocks of each pack, as numbers of chunks; a pack holds the same for ever. */
const contents = fc.array(
  fc.array(fc.array(fc.nat(CHUNKS - 1), { minLength: 1, maxLength: 5 }), { maxLength: 3 }),
  { minLength: PACKS, maxLength: PACKS },
)
const sketch = fc.record({
  packs: fc.array(packNumber, { maxLength: 3 }),
  condemned: fc.oneof(
    { weight: 3, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.array(packNumber, { maxLength: 2 }) },
  ),
})
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('take' as const), files: fc.array(sketch, { maxLength: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fail' as const), files: fc.array(sketch, { maxLength: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('merge' as const), goneNow: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rollBack' as const),
      files: fc.array(sketch, { maxLength: 1 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('lost' as const),
      packs: fc.array(packNumber, { maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('found' as const),
      packs: fc.array(packNumber, { maxLength: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
)

/** What must be known, kept as plainly as can be. */
class Model {
  readonly files = new Map<FileId, IndexFile>()
  /** Files that may go: named by a file that was taken in. */
  readonly replaced = new Set<FileId>()
  readonly listed = new Map<FileId, PackFacts>()
  readonly condemned = new Set<FileId>()
  readonly lost = new Set<FileId>()
  readonly numbers = new Map<string, number>()

  take(file: IndexFile): void {
    this.files.set(file.file, file)
    for (const pack of file.facts.packs) this.listed.set(pack.id, pack)
    for (const id of file.facts.condemned) this.condemned.add(id)
    for (const id of file.facts.replaces) this.replaced.add(id)
  }

  clear(): void {
    for (const each of [this.files, this.replaced, this.listed, this.condemned, this.lost, this.numbers])
      each.clear()
  }

  /** `pack block offset` of every copy, and its rank. */
  places(chunk: string): { readonly place: string; readonly rank: number }[] {
    const id = toHex(idOf(chunk))
    return [...this.listed.values()].flatMap((pack) =>
      pack.blocks.flatMap((block, number) => {
        const found: { place: string; rank: number }[] = []
        let offset = 0
        for (let at = 0; at < block.chunks.length; at += 36) {
          const rank = this.lost.has(pack.id) ? 2 : this.condemned.has(pack.id) ? 1 : 0
          const isIt = toHex(block.chunks.subarray(at, at + 32)) === id
          if (isIt) found.push({ place: `${pack.id} ${number} ${offset}`, rank })
          offset += Buffer.from(block.chunks).readUInt32LE(at + 32)
        }
        return found
      }),
    )
  }
}

function compare(index: ClientIndex, model: Model): void {
  expect([...index.files()].sort()).toEqual([...model.files.keys()].sort())
  expect([...index.condemned()].sort()).toEqual([...model.condemned].sort())
  expect([...index.packs()].map((pack) => pack.id).sort()).toEqual([...model.listed.keys()].sort())
  const rows = new Map([...index.chunks()].map((row) => [toHex(row.id), row]))
  for (const chunk of chunkNames) {
    const id = idOf(chunk)
    const wanted = model.places(chunk).sort((left, right) => left.rank - right.rank)
    const found = index
      .findAll(id)
      .map(({ block, offsetBytes }) => `${block.pack} ${block.number} ${offsetBytes}`)
    expect(found.toSorted()).toEqual(wanted.map(({ place }) => place).toSorted())
    const rankOf = (place: string) => wanted.find((each) => each.place === place)!.rank
    expect(found.map(rankOf)).toEqual(wanted.map(({ rank }) => rank))
    const isGood = wanted[0]?.rank === 0
    expect(index.has(id)).toBe(isGood)
    expect(index.find(id) !== undefined).toBe(isGood)
    const row = rows.get(toHex(id))
    expect(row?.homes.length ?? 0).toBe(wanted.length)
    const number = index.chunkNumber(id)
    expect(number).toBe(row?.number)
    if (number === undefined) continue
    expect(number).toBeLessThan(index.chunkNumbers)
    expect(model.numbers.get(chunk) ?? number).toBe(number)
    model.numbers.set(chunk, number)
  }
  expect(new Set(model.numbers.values()).size).toBe(model.numbers.size)
}

/** @param reopen close the index and open it again, where that keeps anything */
function modelTest(name: string, runs: number, open: () => Promise<ClientIndex>, reopen: boolean): void {
  describe(name, () => {
    let index: ClientIndex
    beforeAll(async () => {
      index = await open()
    })
    afterAll(() => index.close())

    test('says what the facts say, in any order, through failed loads, merges and rollbacks', async () => {
      let files = 0
      await fc.assert(
        fc.asyncProperty(contents, fc.array(step, { minLength: 1, maxLength: 10 }), async (blocks, steps) => {
          const model = new Model()
          await index.reset()
          const packs = blocks.map((each, number) =>
            packOf(
              `pack ${number}`,
              each.map((chunks) => chunks.map((chunk) => chunkNames[chunk]!)),
            ),
          )
          const fileFor = ({ packs: some, condemned }: { packs: number[]; condemned: number[] }) =>
            indexFile(`${files++}`, {
              packs: some.map((number) => packs[number]!),
              condemned: condemned.map((number) => packs[number]!.id),
            })
          for (const each of steps) {
            if (each.kind === 'take') {
              const added = each.files.map(fileFor)
              expect(await index.update(filesOf(added))).toBe('updated')
              for (const file of added) model.take(file)
            } else if (each.kind === 'fail') {
              const failed = index.update(filesOf(each.files.map(fileFor), new Error('gone dark')))
              await expect(failed).rejects.toThrow('gone dark')
            } else if (each.kind === 'merge') {
              const old = [...model.files.values()]
              const merged = indexFile(`${files++}`, {
                packs: [...new Set(old.flatMap((file) => file.facts.packs))],
                condemned: [...new Set(old.flatMap((file) => file.facts.condemned))],
                replaces: old.map((file) => file.file),
              })
              const gone = each.goneNow ? merged.facts.replaces : []
              expect(await index.update(filesOf([merged]), gone)).toBe('updated')
              model.take(merged)
              for (const file of gone) model.files.delete(file)
            } else if (each.kind === 'sweep') {
              const gone = [...model.files.keys()].filter((file) => model.replaced.has(file))
              expect(await index.update(filesOf([]), gone)).toBe('updated')
              for (const file of gone) model.files.delete(file)
            } else if (each.kind === 'rollBack') {
              const gone = [...model.files.keys()].find((file) => !model.replaced.has(file))
              if (gone === undefined) continue
              expect(await index.update(filesOf(each.files.map(fileFor)), [gone])).toBe('rebuild-needed')
              compare(index, model)
              const left = [...model.files.values()].filter(({ file }) => file !== gone)
              await index.reset()
              expect(await index.update(filesOf(left))).toBe('updated')
              model.clear()
              for (const file of left) model.take(file)
            } else if (each.kind === 'reopen') {
              if (!reopen) continue
              await index.close()
              index = await open()
            } else {
              const ids = each.packs.map((number) => packs[number]!.id)
              if (each.kind === 'lost') index.markLost(ids)
              else index.markFound(ids)
              for (const id of ids) {
                if (each.kind === 'lost') model.lost.add(id)
                else model.lost.delete(id)
              }
            }
            compare(index, model)
          }
        }),
        { numRuns: runs },
      )
    })
  })
}

modelTest('memory index against the model', 300, async () => createMemoryIndex(), false)

const temporary = [temporaryDirectory(), temporaryDirectory()] as const
afterAll(() => {
  for (const { remove } of temporary) remove()
})
modelTest('LMDB index against the model', 120, () => openIndex(temporary[0].directory), true)
modelTest(
  'LMDB index with small steps against the model',
  120,
  () => openIndex(temporary[1].directory, { limits: { runEntries: 3, transactionEntries: 2, records: 2 } }),
  true,
)
