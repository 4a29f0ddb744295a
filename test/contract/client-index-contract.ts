import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toHex } from '../../src/encoding/index.ts'
import { hasCode } from '../../src/errors/index.ts'
import type { ClientIndex } from '../../src/index/index.ts'
import {
  blockOf,
  fileOf,
  filesOf,
  type IndexFile,
  idOf,
  indexFile,
  packOf,
  session,
} from '../unit/index/build-facts.ts'

/**
 * What every client index promises.
 *
 * @param create an empty index; `close` also takes away what it left
 */
export function clientIndexContract(
  name: string,
  create: () => Promise<{ readonly index: ClientIndex; close(): Promise<void> }>,
): void {
  describe(`client index contract: ${name}`, () => {
    let index: ClientIndex
    let close: () => Promise<void>

    beforeEach(async () => {
      ;({ index, close } = await create())
    })
    afterEach(async () => {
      await close()
    })
    const take = (...files: IndexFile[]) => index.update(filesOf(files))

    test('an empty index knows nothing', () => {
      expect(index.has(idOf('a'))).toBe(false)
      expect(index.find(idOf('a'))).toBeUndefined()
      expect(index.findAll(idOf('a'))).toEqual([])
      expect(index.chunkNumber(idOf('a'))).toBeUndefined()
      expect([...index.files(), ...index.packs(), ...index.chunks(), ...index.condemned()]).toEqual([])
      expect(index.pack(fileOf('p'))).toBeUndefined()
      expect(index.isCondemned(fileOf('p'))).toBe(false)
      expect(index.blocks(0)).toEqual([])
    })

    test('a chunk is found at its offset in its block, and the block at its offset in its pack', async () => {
      const pack = packOf('tree p', [
        ['a', 'b'],
        ['c', 'd', 'e'],
      ])
      expect(await take(indexFile('f', { packs: [pack] }))).toBe('updated')
      expect(index.has(idOf('e'))).toBe(true)
      expect(index.find(idOf('e'))).toEqual({
        block: {
          pack: pack.id,
          kind: 'tree',
          salt: pack.salt,
          number: 1,
          offsetBytes: 48 + 2 * 4096,
          storedBytes: 3 * 4096,
          payloadBytes: 303,
          plainBytes: 303,
          method: 1,
        },
        offsetBytes: 201,
        lengthBytes: 102,
      })
      expect(index.findAll(idOf('e'))).toEqual([index.find(idOf('e'))])
      expect([...index.files()]).toEqual([fileOf('f')])
    })

    test('packs are listed with what was said of them', async () => {
      const pack = packOf('p', [['a'], ['b']])
      await take(indexFile('f', { packs: [pack] }))
      const row = index.pack(pack.id)!
      expect(row).toEqual({
        number: row.number,
        id: pack.id,
        kind: 'data',
        sizeBytes: pack.sizeBytes,
        session,
        salt: pack.salt,
        chunkCount: 2,
        state: 'good',
      })
      expect([...index.packs()]).toEqual([row])
      expect(index.blocks(row.number).map((block) => block.offsetBytes)).toEqual([48, 48 + 4096])
    })

    test('a chunk is told with every copy in a listed pack, whatever its state, as the pass over all has it', async () => {
      const [p, q] = [packOf('p', [['a', 'b']]), packOf('q', [['b']])]
      await take(indexFile('f', { packs: [p, q], condemned: [q.id] }))
      for (const [name, packs] of [
        ['a', [p]],
        ['b', [p, q]],
      ] as const) {
        const chunk = index.chunk(idOf(name))!
        expect(chunk.number).toBe(index.chunkNumber(idOf(name)))
        const numbers = packs.map((pack) => index.pack(pack.id)!.number)
        expect(chunk.homes.map((home) => home.pack).sort()).toEqual(numbers.sort())
        expect([...index.chunks()].find(({ number }) => number === chunk.number)).toEqual(chunk)
      }
      expect(index.chunk(idOf('other'))).toBeUndefined()
    })

    test('condemned wins when it comes with, after or before the fact that the pack holds', async () => {
      const packs = ['p', 'q', 'r'].map((name) => packOf(name, [[`in ${name}`]]))
      const [p, q, r] = packs as [(typeof packs)[0], (typeof packs)[0], (typeof packs)[0]]
      await take(indexFile('1', { packs: [p], condemned: [p.id, r.id] }), indexFile('2', { packs: [q] }))
      expect(index.isCondemned(r.id)).toBe(true)
      expect(index.pack(r.id)).toBeUndefined()
      await take(indexFile('3', { condemned: [q.id] }))
      await take(indexFile('4', { packs: [r] }))
      for (const pack of packs) {
        expect(index.has(idOf(`in ${['p', 'q', 'r'][packs.indexOf(pack)]}`))).toBe(false)
        expect(index.pack(pack.id)?.state).toBe('condemned')
      }
      expect([...index.condemned()].sort()).toEqual(packs.map((pack) => pack.id).sort())
      expect(index.findAll(idOf('in r')).map((place) => place.block.pack)).toEqual([r.id])
    })

    test('find prefers a good copy; findAll puts good, condemned and lost ones in that order', async () => {
      const packs = ['p', 'q', 'r', 's'].map((name) => packOf(name, [['a']]))
      const [p, q, r, s] = packs.map((pack) => pack.id)
      await take(indexFile('f', { packs, condemned: [q!, s!] }))
      index.markLost([p!, s!])
      expect(index.has(idOf('a'))).toBe(true)
      expect(index.find(idOf('a'))?.block.pack).toBe(r)
      const order = index.findAll(idOf('a')).map((place) => place.block.pack)
      expect(order.slice(0, 2)).toEqual([r, q])
      expect(order.slice(2).sort()).toEqual([p!, s!].sort())
      expect(index.pack(p!)?.state).toBe('lost')
      expect(index.pack(s!)?.state).toBe('condemned')
    })

    test('a lost pack is no good copy until it is found, also when it is listed later', async () => {
      const [p, q] = [packOf('p', [['a']]), packOf('q', [['b']])]
      await take(indexFile('1', { packs: [p] }))
      index.markLost([p.id, q.id])
      await take(indexFile('2', { packs: [q] }))
      expect([index.has(idOf('a')), index.has(idOf('b'))]).toEqual([false, false])
      index.markFound([p.id, q.id])
      expect([index.has(idOf('a')), index.has(idOf('b'))]).toEqual([true, true])
    })

    test('losses grow when a pack stops being good, and at no other time but a reset', async () => {
      const seen = [index.losses]
      const whatComes = async (change: () => unknown): Promise<'more' | 'same'> => {
        await change()
        seen.push(index.losses)
        return seen.at(-1)! > seen.at(-2)! ? 'more' : 'same'
      }
      const packs = ['p', 'q'].map((name) => packOf(name, [['a']]))
      const [p, q] = packs.map((pack) => pack.id)
      expect(await whatComes(() => take(indexFile('1', { packs })))).toBe('same')
      expect(await whatComes(() => index.markLost([p!]))).toBe('more')
      expect(await whatComes(() => index.markLost([p!]))).toBe('same')
      expect(await whatComes(() => index.markFound([p!]))).toBe('same')
      expect(await whatComes(() => index.markLost([p!]))).toBe('more')
      expect(await whatComes(() => take(indexFile('2', { condemned: [p!] })))).toBe('same')
      expect(await whatComes(() => take(indexFile('3', { condemned: [q!] })))).toBe('more')
      expect(await whatComes(() => take(indexFile('4', { condemned: [q!] })))).toBe('same')
      // Condemned before it is listed: it is never good.
      const late = packOf('late', [['b']])
      expect(await whatComes(() => take(indexFile('5', { condemned: [late.id] })))).toBe('more')
      expect(await whatComes(() => take(indexFile('6', { packs: [late] })))).toBe('same')
      expect(await whatComes(() => index.reset())).toBe('more')
    })

    test('a chunk has one number, below chunkNumbers, whatever is learnt of it later', async () => {
      await take(indexFile('1', { packs: [packOf('p', [['a', 'b', 'c']])] }))
      const before = ['a', 'b', 'c'].map((name) => index.chunkNumber(idOf(name)))
      expect([...before].sort()).toEqual([0, 1, 2])
      await take(indexFile('2', { packs: [packOf('q', [['c', 'd', 'a']])] }))
      expect(['a', 'b', 'c'].map((name) => index.chunkNumber(idOf(name)))).toEqual(before)
      expect(index.chunkNumber(idOf('d'))).toBe(3)
      expect(index.chunkNumbers).toBe(4)
    })

    test('look() gives the number, the length and whether a good copy is known', async () => {
      const facts = { packs: [packOf('p', [['a', 'b']]), packOf('q', [['b']])], condemned: [fileOf('p')] }
      await take(indexFile('1', facts))
      for (const name of ['a', 'b', 'c']) {
        const id = idOf(name)
        const number = index.chunkNumber(id)
        const standing = { number, lengthBytes: expect.any(Number), isGood: index.has(id) }
        expect(index.look(id)).toEqual(number === undefined ? undefined : standing)
        // Copies of a real chunk have one length; these are told apart by theirs.
        const lengths = index.findAll(id).map((place) => place.lengthBytes)
        if (number !== undefined) expect(lengths).toContain(index.look(id)!.lengthBytes)
      }
      expect(['a', 'b', 'c'].map((name) => index.look(idOf(name))?.isGood)).toEqual([false, true, undefined])
    })

    test('chunks() gives every chunk with all its homes, by id', async () => {
      const packs = [packOf('p', [['a', 'b'], ['a']]), packOf('q', [['b', 'c']])]
      await take(indexFile('f', { packs, condemned: [fileOf('p')] }))
      const rows = [...index.chunks()].map((row) => ({ ...row, id: toHex(row.id) }))
      expect(rows.map((row) => row.id)).toEqual(['a', 'b', 'c'].map((name) => toHex(idOf(name))).sort())
      const a = rows.find((row) => row.id === toHex(idOf('a')))!
      const p = index.pack(fileOf('p'))!.number
      expect(a.number).toBe(index.chunkNumber(idOf('a')))
      expect([...a.homes].sort((left, right) => left.block - right.block)).toEqual([
        { pack: p, block: 0, offsetBytes: 0, lengthBytes: 100 },
        { pack: p, block: 1, offsetBytes: 0, lengthBytes: 100 },
      ])
    })

    test('an update that fails leaves no fact behind, and may be done again', async () => {
      const file = indexFile('f', { packs: [packOf('p', [['a']])], condemned: [fileOf('x')] })
      await expect(index.update(filesOf([file], new Error('the line went dead')))).rejects.toThrow(
        'went dead',
      )
      expect(index.has(idOf('a'))).toBe(false)
      expect(index.isCondemned(fileOf('x'))).toBe(false)
      expect([...index.files(), ...index.packs(), ...index.chunks()]).toEqual([])
      await take(file)
      expect(index.has(idOf('a'))).toBe(true)
      expect(index.isCondemned(fileOf('x'))).toBe(true)
    })

    test('an update is interrupted by its signal', async () => {
      const signal = AbortSignal.abort()
      const file = indexFile('f', { packs: [packOf('p', [['a']])] })
      const failed = await index.update(filesOf([file]), [], signal).catch((error: unknown) => error)
      expect(hasCode(failed, 'INTERRUPTED')).toBe(true)
      expect(index.has(idOf('a'))).toBe(false)
    })

    test('a file that was merged may go; its facts stay', async () => {
      const pack = packOf('p', [['a']])
      await take(indexFile('1', { packs: [pack] }), indexFile('2', { condemned: [fileOf('x')] }))
      const merged = indexFile('3', {
        packs: [pack],
        condemned: [fileOf('x')],
        replaces: [fileOf('1'), fileOf('2')],
      })
      expect(await index.update(filesOf([merged]), [fileOf('1')])).toBe('updated')
      expect([...index.files()].sort()).toEqual([fileOf('2'), fileOf('3')].sort())
      expect(await index.update(filesOf([]), [fileOf('2')])).toBe('updated')
      expect([...index.files()]).toEqual([fileOf('3')])
      expect(index.has(idOf('a'))).toBe(true)
      expect(index.isCondemned(fileOf('x'))).toBe(true)
    })

    test('a file that was replaced by one that is replaced and gone itself may go', async () => {
      await take(indexFile('1', {}), indexFile('2', { replaces: [fileOf('1')] }))
      expect(await index.update(filesOf([indexFile('3', { replaces: [fileOf('2')] })]), [fileOf('2')])).toBe(
        'updated',
      )
      expect(await index.update(filesOf([]), [fileOf('1')])).toBe('updated')
      expect([...index.files()]).toEqual([fileOf('3')])
    })

    test('a file that is gone and was not merged asks for a rebuild and changes nothing', async () => {
      await take(indexFile('1', { packs: [packOf('p', [['a']])] }))
      const more = indexFile('2', { packs: [packOf('q', [['b']])], condemned: [fileOf('p')] })
      expect(await index.update(filesOf([more]), [fileOf('1')])).toBe('rebuild-needed')
      expect([...index.files()]).toEqual([fileOf('1')])
      expect([index.has(idOf('a')), index.has(idOf('b'))]).toEqual([true, false])
      expect(index.isCondemned(fileOf('p'))).toBe(false)
    })

    test('a file that is gone but was never taken in does not matter', async () => {
      expect(await index.update(filesOf([]), [fileOf('never seen')])).toBe('updated')
      expect([...index.files()]).toEqual([])
    })

    test('reset forgets everything but never gives a chunk number again', async () => {
      const file = indexFile('f', { packs: [packOf('p', [['a', 'b']])], condemned: [fileOf('x')] })
      await take(file)
      index.markLost([fileOf('p')])
      index.putCached([['s', Buffer.from('sealed')]])
      await index.reset()
      expect(index.has(idOf('a'))).toBe(false)
      expect([...index.files(), ...index.packs(), ...index.chunks(), ...index.condemned()]).toEqual([])
      expect(index.getCached('s')).toBeUndefined()
      await take(file)
      expect(index.has(idOf('a'))).toBe(true)
      expect([2, 3]).toContain(index.chunkNumber(idOf('a')))
      expect(index.chunkNumbers).toBe(4)
    })

    test('small files are kept as they are', () => {
      const bytes = Buffer.from([0, 1, 2, 255])
      index.putCached([
        ['snapshots/one', bytes],
        ['snapshots/two', new Uint8Array(0)],
        ['snapshots/three', Buffer.alloc(100_000, 7)],
      ])
      expect(index.getCached('snapshots/one')).toEqual(bytes)
      expect(index.getCached('snapshots/two')).toEqual(Buffer.alloc(0))
      expect(index.getCached('snapshots/three')).toEqual(Buffer.alloc(100_000, 7))
      expect([...index.cachedNames()].sort()).toEqual(['snapshots/one', 'snapshots/three', 'snapshots/two'])
      index.removeCached(['snapshots/one', 'not there'])
      expect(index.getCached('snapshots/one')).toBeUndefined()
      expect([...index.cachedNames()].sort()).toEqual(['snapshots/three', 'snapshots/two'])
    })

    test('a chunk that lies many times in a pack is found once for each', async () => {
      const block = blockOf(Array.from({ length: 300 }, () => ({ id: idOf('zeros'), lengthBytes: 8 })))
      await take(indexFile('f', { packs: [{ ...packOf('p', []), blocks: [block, block] }] }))
      const places = index.findAll(idOf('zeros'))
      expect(places).toHaveLength(600)
      expect(new Set(places.map((place) => `${place.block.number} ${place.offsetBytes}`)).size).toBe(600)
    })
  })
}
