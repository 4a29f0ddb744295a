import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chunkId } from '../../../src/encoding/index.ts'
import { blockStart, createEntryBuffer, ENTRY_BYTES, type EntryCursor } from '../../../src/index/entries.ts'
import { createRunFile } from '../../../src/index/runs.ts'
import { blockOf } from './build-facts.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-runs-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Ids that often share long prefixes, or are equal. */
const id = fc.tuple(fc.nat(3), fc.integer({ min: 0, max: 31 }), fc.nat(255)).map(([first, place, value]) => {
  const bytes = Buffer.alloc(32, first * 85)
  bytes[place] = value
  return chunkId(bytes)
})
const chunk = fc.record({ id, lengthBytes: fc.integer({ min: 1, max: 0xff_ffff }) })

/** Entries as text: id, then home. */
const textOf = (entry: Uint8Array) => Buffer.from(entry).toString('hex')

function textsOf(entries: EntryCursor): string[] {
  const texts: string[] = []
  while (entries.next()) texts.push(textOf(entries.bytes.subarray(entries.at, entries.at + ENTRY_BYTES)))
  return texts
}

describe('runs of entries', () => {
  test('merge to all entries by id, whatever the order and the size of runs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(chunk, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 30 }),
        (blocks, capacity) => {
          const entries = createEntryBuffer(capacity)
          const file = createRunFile(directory)
          const flush = () => {
            file.addRun(entries.bytes, entries.sort())
            entries.clear()
          }
          const expected: string[] = []
          blocks.forEach((chunks, pack) => {
            const block = blockOf(chunks)
            let cursor = blockStart
            while (cursor.row < chunks.length) {
              if (entries.count === capacity) flush()
              cursor = entries.addBlock(pack, 7, block, cursor)
            }
            let offsetBytes = 0
            for (const each of chunks) {
              const home = Buffer.alloc(ENTRY_BYTES - 32)
              home.writeUInt32LE(pack, 0)
              home.writeUInt16LE(7, 4)
              home.writeUInt32LE(offsetBytes, 6)
              home.writeUInt32LE(each.lengthBytes, 10)
              expected.push(textOf(Buffer.concat([each.id, home])))
              offsetBytes += each.lengthBytes
            }
          })
          flush()
          const merged = textsOf(file.merge())
          file.close()
          expect(merged.map((text) => text.slice(0, 64))).toEqual(
            expected.map((text) => text.slice(0, 64)).toSorted(),
          )
          expect(merged.toSorted()).toEqual(expected.toSorted())
        },
      ),
      { numRuns: 150 },
    )
  })

  test('entries get the numbers that stand for their packs', () => {
    const entries = createEntryBuffer(100)
    const block = blockOf([{ id: chunkId(Buffer.alloc(32, 1)), lengthBytes: 9 }])
    for (const pack of [0, 1, 2, 1]) entries.addBlock(pack, 0, block, blockStart)
    entries.renumber([70, 71, 72])
    const packs = Array.from({ length: 4 }, (_, place) =>
      entries.bytes.readUInt32LE(place * ENTRY_BYTES + 32),
    )
    expect(packs).toEqual([70, 71, 72, 71])
  })

  test('records come back in order, and no file has a name', () => {
    const file = createRunFile(directory)
    const records = Array.from({ length: 50 }, (_, number) => Buffer.alloc(number * 13, number))
    for (const record of records) file.addRecord(record)
    expect([...file.records()]).toEqual(records)
    expect(readdirSync(directory)).toEqual([])
    file.close()
  })
})
