import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chooseSnapshot, matchesFilter, parseSnapshotArgument } from '../../../src/snapshot/index.ts'
import { listedOf } from './scene.ts'

const list = [
  listedOf('aa1', { timeMs: 1000, host: 'alpha', tags: ['daily'], paths: ['/home'] }),
  listedOf('aa2', { timeMs: 2000, host: 'beta', tags: ['daily', 'keep'], paths: ['/home', '/etc'] }),
  listedOf('bb3', { timeMs: 3000, host: 'alpha', tags: [], paths: [Buffer.from([0x2f, 0xff])] }),
  listedOf('cc4', { timeMs: 4000, host: 'alpha', isConfirmed: false }),
]
const chosen = (wanted: string, options = {}): number =>
  list.findIndex((one) => one.id === chooseSnapshot(list, wanted, options).id)

describe('chooseSnapshot()', () => {
  test('latest is the newest confirmed one, latest~N the Nth before it', () => {
    expect([chosen('latest'), chosen('latest~0'), chosen('latest~1'), chosen('latest~2')]).toEqual([
      2, 2, 1, 0,
    ])
  })

  test.each(['latest~3', 'latest~99999999999999999999'])('%s is not there', (wanted) => {
    expect(() => chosen(wanted)).toThrow(expect.objectContaining({ code: 'NO_SNAPSHOT' }))
  })

  test('latest at a time is the last one not after it', () => {
    expect([1000, 1999, 2000, 99_999].map((atMs) => chosen('latest', { atMs }))).toEqual([0, 0, 1, 2])
    expect(() => chosen('latest', { atMs: 999 })).toThrow(/1970-01-01T00:00:00.999Z/)
  })

  test('filters narrow what latest means', () => {
    expect(chosen('latest', { hosts: ['beta'] })).toBe(1)
    expect(chosen('latest', { hosts: ['beta', 'alpha'] })).toBe(2)
    expect(chosen('latest', { tags: [['daily']] })).toBe(1)
    expect(chosen('latest~1', { tags: [['daily']] })).toBe(0)
    expect(chosen('latest', { tags: [['daily', 'keep']] })).toBe(1)
    expect(chosen('latest', { tags: [['keep', 'none'], ['daily']] })).toBe(1)
    expect(chosen('latest', { tags: [['']] })).toBe(2)
    expect(chosen('latest', { paths: ['/home', '/etc'] })).toBe(1)
    expect(chosen('latest', { paths: [Buffer.from([0x2f, 0xff])] })).toBe(2)
    expect(() => chosen('latest', { hosts: ['gamma'] })).toThrow(/of host gamma/)
  })

  test('a prefix has to be of one snapshot alone', () => {
    expect(chosen('aa1')).toBe(0)
    expect(chosen('b')).toBe(2)
    expect(chosen(list[1]!.id)).toBe(1)
    expect(() => chosen('aa')).toThrow(expect.objectContaining({ code: 'USAGE' }))
    expect(() => chosen('dd')).toThrow(expect.objectContaining({ code: 'NO_SNAPSHOT' }))
  })

  test('an unconfirmed one is found by its id, whatever the filter says of others', () => {
    expect(chosen('cc')).toBe(3)
    expect(chosen('cc', { hosts: ['beta'] })).toBe(3)
  })

  test.each(['', 'AA1', 'latest~', 'latest~-1', 'Latest', 'xyz', 'aa1 ', '../x', 'a'.repeat(65)])(
    '%j is no snapshot',
    (wanted) => {
      expect(() => chosen(wanted)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    },
  )

  test('of none at all says so', () => {
    expect(() => chooseSnapshot([], 'latest')).toThrow(expect.objectContaining({ code: 'NO_SNAPSHOT' }))
  })
})

describe('matchesFilter()', () => {
  test('an empty filter takes everything', () => {
    for (const one of list) expect(matchesFilter(one, {})).toBe(true)
    for (const one of list) expect(matchesFilter(one, { hosts: [], tags: [], paths: [] })).toBe(true)
  })
})

describe('parseSnapshotArgument()', () => {
  test('takes apart at the first colon', () => {
    expect(parseSnapshotArgument('latest')).toEqual({ snapshot: 'latest', path: undefined })
    expect(parseSnapshotArgument('latest:/a:b')).toEqual({ snapshot: 'latest', path: '/a:b' })
    expect(parseSnapshotArgument('latest:')).toEqual({ snapshot: 'latest', path: '' })
  })

  test('keeps every byte of the path', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (path) => {
        const parsed = parseSnapshotArgument(Buffer.concat([Buffer.from('latest:'), path]))
        expect(Buffer.from(parsed.path as string | Buffer)).toEqual(Buffer.from(path))
      }),
    )
  })
})
