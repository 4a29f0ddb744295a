import { randomBytes } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inspectPages, newestTransaction } from '../../../src/index/pages.ts'
import { blockOf, filesOf, indexFile, packOf } from './build-facts.ts'
import { openIndex, temporaryDirectory } from './temporary-index.ts'

describe('inspectPages', () => {
  let directory: string
  let data: string
  let remove: () => void
  beforeEach(() => {
    ;({ directory, remove } = temporaryDirectory())
    data = join(directory, 'data.mdb')
  })
  afterEach(() => remove())

  const accept = () => true
  const randomPack = (name: string, chunks: number) => ({
    ...packOf(name, []),
    blocks: [
      blockOf(Array.from({ length: chunks }, () => ({ id: randomBytes(32) as never, lengthBytes: 5 }))),
      ...Array.from({ length: 200 }, () => blockOf([{ id: randomBytes(32) as never, lengthBytes: 5 }])),
    ],
  })

  test('finds nothing wrong with what LMDB writes, whatever was written, freed and held by readers', async () => {
    const step = fc.record({
      kind: fc.constantFrom('update', 'cache', 'remove', 'lost', 'hold', 'release', 'reopen', 'reset'),
      size: fc.integer({ min: 1, max: 3000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
        let index = await openIndex(directory)
        await index.reset()
        let held: Iterator<unknown>[] = []
        const release = () => {
          for (const iterator of held) iterator.return?.()
          held = []
        }
        for (const { kind, size } of steps) {
          const name = randomBytes(4).toString('hex')
          if (kind === 'update')
            await index.update(filesOf([indexFile(name, { packs: [randomPack(name, size)] })]))
          if (kind === 'cache') index.putCached([[`snapshot ${size % 5}`, randomBytes(size * 20)]])
          if (kind === 'remove') index.removeCached([`snapshot ${size % 5}`])
          if (kind === 'lost') index.markLost([...index.packs()].map((pack) => pack.id))
          if (kind === 'hold') {
            const rows = index.chunks()[Symbol.iterator]()
            rows.next()
            held.push(rows)
          }
          if (kind === 'release') release()
          if (kind === 'reset') await index.reset()
          if (kind === 'reopen') {
            release()
            await index.close()
            index = await openIndex(directory)
          }
          const report = await inspectPages(data, accept)
          expect(report.problem).toBeUndefined()
          expect(report.transaction).toBe(newestTransaction(data))
        }
        release()
        await index.close()
      }),
      { numRuns: 8 },
    )
  })

  test('finds what would end the process: a page used twice, a free page in use, one of a transaction to come', async () => {
    const index = await openIndex(directory)
    for (const name of ['1', '2', '3']) {
      await index.update(filesOf([indexFile(name, { packs: [randomPack(name, 2000)] })]))
    }
    await index.close()
    expect((await inspectPages(data, accept)).problem).toBeUndefined()
    const sound = readFileSync(data)
    const lastLeaf = pagesWithFlags(sound, 2).at(-1)!
    const branch = pagesWithFlags(sound, 1).at(-1)!

    const problemAfter = async (change: (bytes: Buffer) => void) => {
      const copy = `${data}.copy`
      copyFileSync(data, copy)
      const bytes = Buffer.from(sound)
      change(bytes)
      writeFileSync(copy, bytes)
      return (await inspectPages(copy, accept)).problem
    }
    expect(await problemAfter((bytes) => bytes.writeBigUInt64LE(2n ** 40n, lastLeaf + 8))).toMatch(/to come/)
    expect(await problemAfter((bytes) => bytes.writeBigUInt64LE(1n, lastLeaf))).toMatch(/another number/)
    // The second child of a branch page becomes its first.
    const child = (bytes: Buffer, slot: number) => branch + 24 + bytes.readUInt16LE(branch + 24 + 2 * slot)
    const twice = (bytes: Buffer) => bytes.copy(bytes, child(bytes, 1), child(bytes, 0), child(bytes, 0) + 4)
    expect(await problemAfter(twice)).toMatch(/used twice|wrong page/)
    expect(await problemAfter((bytes) => bytes.writeUInt16LE(0xffff, lastLeaf + 24))).toMatch(
      /outside its page/,
    )
    expect(await problemAfter((bytes) => bytes.writeUInt16LE(4, lastLeaf + 18))).toMatch(/another kind/)
    const lower = (bytes: Buffer) => bytes.writeUInt16LE(bytes.readUInt16LE(lastLeaf + 22) - 2, lastLeaf + 22)
    expect(await problemAfter(lower)).toMatch(/do not fill/)
    // A list of free pages that names a page in use.
    const newest = sound.readBigUInt64LE(152) > sound.readBigUInt64LE(4096 + 152) ? 0 : 4096
    const freeRoot = Number(sound.readBigUInt64LE(newest + 48 + 40)) * 4096
    const node = freeRoot + 24 + sound.readUInt16LE(freeRoot + 24)
    expect(sound.readUInt16LE(node + 4)).toBe(0)
    const list = node + 8 + 8
    const inUse = (bytes: Buffer) => {
      bytes.writeBigUInt64LE(1n, list)
      bytes.writeBigUInt64LE(BigInt(lastLeaf / 4096), list + 8)
    }
    expect(await problemAfter(inUse)).toMatch(/used twice/)
    const outOfRange = (bytes: Buffer) => {
      bytes.writeBigUInt64LE(1n, list)
      bytes.writeBigUInt64LE(2n ** 50n, list + 8)
    }
    expect(await problemAfter(outOfRange)).toMatch(/out of range/)
  })

  test('asks about every row', async () => {
    const index = await openIndex(directory)
    await index.update(filesOf([indexFile('1', { packs: [packOf('p', [['a', 'b']])] })]))
    index.putCached([['long', Buffer.alloc(9000, 5)]])
    await index.close()
    const rows: string[] = []
    const report = await inspectPages(data, (table, _key, value) => {
      rows.push(`${table} ${value.length}`)
      return true
    })
    expect(report.problem).toBeUndefined()
    expect(rows.toSorted()).toEqual(
      ['cached 9004', 'chunks 22', 'chunks 22', 'files 5', 'head 54', 'names 8', 'packs 108'].toSorted(),
    )
    expect((await inspectPages(data, (table) => table !== 'packs')).problem).toMatch(/packs is rotten/)
  })
})

/** Offsets of the pages in use or freed that carry these flags, as far as their numbers fit. */
function pagesWithFlags(bytes: Buffer, flags: number): number[] {
  const offsets = Array.from({ length: bytes.length / 4096 }, (_, page) => page * 4096)
  const newest = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(4096 + 152) ? 0 : 4096
  const transaction = bytes.readBigUInt64LE(newest + 152)
  return offsets.filter(
    (at) =>
      bytes.readUInt16LE(at + 18) === flags &&
      bytes.readBigUInt64LE(at) === BigInt(at / 4096) &&
      bytes.readBigUInt64LE(at + 8) === transaction,
  )
}
