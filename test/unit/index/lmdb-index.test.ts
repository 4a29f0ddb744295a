import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openIndexReader } from '../../../src/index/index.ts'
import { clientIndexContract } from '../../contract/client-index-contract.ts'
import { fileOf, filesOf, type IndexFile, idOf, indexFile, packOf } from './build-facts.ts'
import { checkKey, openIndex, temporaryDirectory } from './temporary-index.ts'

clientIndexContract('LMDB', async () => {
  const { directory, remove } = temporaryDirectory()
  const index = await openIndex(directory)
  return {
    index,
    async close() {
      await index.close()
      remove()
    },
  }
})

clientIndexContract('LMDB with loads in many small steps', async () => {
  const { directory, remove } = temporaryDirectory()
  const index = await openIndex(directory, { limits: { runEntries: 3, transactionEntries: 2, records: 2 } })
  return {
    index,
    async close() {
      await index.close()
      remove()
    },
  }
})

describe('LMDB index', () => {
  let directory: string
  let remove: () => void
  beforeEach(() => {
    ;({ directory, remove } = temporaryDirectory())
  })
  afterEach(() => remove())

  test('everything is there again after closing and opening', async () => {
    const first = await openIndex(directory)
    await first.update(filesOf([indexFile('f', { packs: [packOf('p', [['a']])], condemned: [fileOf('x')] })]))
    first.markLost([fileOf('q')])
    first.putCached([['s', Buffer.from('sealed')]])
    const number = first.chunkNumber(idOf('a'))
    await first.close()
    const second = await openIndex(directory)
    expect(second.has(idOf('a'))).toBe(true)
    expect(second.chunkNumber(idOf('a'))).toBe(number)
    expect([...second.files()]).toEqual([fileOf('f')])
    expect(second.isCondemned(fileOf('x'))).toBe(true)
    expect(second.getCached('s')).toEqual(Buffer.from('sealed'))
    await second.update(filesOf([indexFile('g', { packs: [packOf('q', [['b']])] })]))
    expect(second.has(idOf('b'))).toBe(false)
    await second.close()
  })

  test('only the owner may read the files, and nothing else is left in the directory', async () => {
    const index = await openIndex(directory, { limits: { runEntries: 2, transactionEntries: 2, records: 2 } })
    await index.update(filesOf([indexFile('f', { packs: [packOf('p', [['a', 'b', 'c', 'd', 'e']])] })]))
    await index.close()
    expect(readdirSync(directory).sort()).toEqual(['clean', 'data.mdb', 'lock.mdb'])
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(directory)) {
      expect(statSync(`${directory}/${name}`).mode & 0o777).toBe(0o600)
    }
  })

  test('another key finds nothing: the index of another repository is thrown away', async () => {
    const first = await openIndex(directory)
    await first.update(filesOf([indexFile('f', { packs: [packOf('p', [['a']])] })]))
    await first.close()
    const notices: string[] = []
    const second = await openIndex(directory, {
      checkKey: Buffer.from('another key'),
      onNotice: (message) => notices.push(message),
    })
    expect(second.has(idOf('a'))).toBe(false)
    expect([...second.files()]).toEqual([])
    expect(notices).toHaveLength(1)
    await second.close()
  })

  test('a second index on the same directory sees what the first takes in, and a reset', async () => {
    const [first, second] = [await openIndex(directory), await openIndex(directory)]
    const reader = openIndexReader(first.address()!, checkKey)
    const pack = packOf('p', [['a']])
    await first.update(filesOf([indexFile('f', { packs: [pack] })]))
    for (const each of [second, reader]) {
      each.renew()
      expect(each.has(idOf('a'))).toBe(true)
      expect(each.find(idOf('a'))?.block.pack).toBe(pack.id)
    }
    await first.update(filesOf([indexFile('g', { condemned: [pack.id] })]))
    for (const each of [second, reader]) {
      each.renew()
      expect(each.has(idOf('a'))).toBe(false)
    }
    await first.reset()
    second.renew()
    expect([...second.files(), ...second.chunks(), ...second.condemned()]).toEqual([])
    await reader.close()
    await second.close()
    await first.close()
  })

  test('a view stays as it is until the thread turns, and an iteration to its end', async () => {
    const [first, second] = [await openIndex(directory), await openIndex(directory)]
    await first.update(filesOf([indexFile('f', { packs: [packOf('p', [['a', 'b', 'c']])] })]))
    second.renew()
    expect(second.has(idOf('a'))).toBe(true)
    const rows = second.chunks()[Symbol.iterator]()
    expect(rows.next().done).toBe(false)
    first.markLost([fileOf('p')])
    expect(second.has(idOf('a'))).toBe(true)
    await first.reset()
    await new Promise(setImmediate)
    expect(second.has(idOf('a'))).toBe(false)
    expect([rows.next().done, rows.next().done, rows.next().done]).toEqual([false, false, true])
    await second.close()
    await first.close()
  })

  test('a load under way when another resets says so, and leaves nothing that is believed', async () => {
    const [first, second] = [
      await openIndex(directory, { limits: { runEntries: 2, transactionEntries: 2, records: 2 } }),
      await openIndex(directory),
    ]
    async function* resettingMidway(last: IndexFile[]) {
      yield indexFile('1', { packs: [packOf('p', [['a', 'b', 'c']])] })
      await second.reset()
      yield* last
    }
    for (const last of [[indexFile('2', { packs: [packOf('q', [['d']])] })], []]) {
      expect(await first.update(resettingMidway(last))).toBe('reset-meanwhile')
      expect(await second.update(resettingMidway(last))).toBe('reset-meanwhile')
      first.renew()
      expect([...first.files(), ...first.packs(), ...first.chunks()]).toEqual([])
    }
    await second.close()
    await first.close()
  })

  test('two loads of the same files at once give each pack and chunk one number', async () => {
    const limits = { runEntries: 4, transactionEntries: 3, records: 2 }
    const [first, second] = [await openIndex(directory, { limits }), await openIndex(directory, { limits })]
    const names = Array.from({ length: 40 }, (_, number) => `chunk ${number}`)
    const packs = Array.from({ length: 8 }, (_, number) =>
      packOf(`p${number}`, [names.slice(number * 4, number * 4 + 8)]),
    )
    const files = packs.map((pack, number) => indexFile(`f${number}`, { packs: [pack] }))
    expect(
      await Promise.all([first.update(filesOf(files)), second.update(filesOf([...files].reverse()))]),
    ).toEqual(['updated', 'updated'])
    first.renew()
    const rows = [...first.chunks()]
    expect(rows).toHaveLength(36)
    expect(new Set(rows.map((row) => row.number)).size).toBe(36)
    expect(new Set([...first.packs()].map((pack) => pack.number)).size).toBe(8)
    // Chunks of the middle lie in two packs each, once.
    for (const name of names.slice(4, 32)) expect(first.findAll(idOf(name))).toHaveLength(2)
    await second.close()
    await first.close()
  })

  test('a directory that cannot be made is an error that says what to do', async () => {
    const parent = `${directory}-file`
    mkdirSync(directory, { recursive: true })
    writeFileSync(parent, 'not a directory')
    await expect(openIndex(`${parent}/index`)).rejects.toMatchObject({ code: 'IO', hint: /--cache-dir/ })
  })
})
