import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { absolutePath, arrangeSources, type SourcePlace } from '../../../src/backup/sources.ts'
import { compareNames, displayName, nameBytes, type RawName } from '../../../src/encoding/index.ts'

/** Wanted places in the order of the walk. */
function wanted(place: SourcePlace): RawName[] {
  return place.isWanted ? [place.path] : place.below.flatMap(wanted)
}

describe('arrangeSources()', () => {
  test('makes one tree, names in byte order, folders that only lead there unwanted', () => {
    const root = arrangeSources(['/home/bob', '/etc', '/home/alice'])
    expect(wanted(root)).toEqual(['/etc', '/home/alice', '/home/bob'])
    expect(root.below.map(({ path, isWanted }) => [path, isWanted])).toEqual([
      ['/etc', true],
      ['/home', false],
    ])
  })

  test('a path below another one, or given twice, adds nothing, in whatever order they come', () => {
    for (const paths of [
      ['/a', '/a/b/c', '/a'],
      ['/a/b/c', '/a/d', '/a'],
    ])
      expect(wanted(arrangeSources(paths))).toEqual(['/a'])
  })

  test('the root is everything', () => {
    expect(arrangeSources(['/home', '/'])).toMatchObject({ path: '/', isWanted: true, below: [] })
  })

  test('names that are not UTF-8 are told apart', () => {
    const paths = [Buffer.from([0x2f, 0xff]), Buffer.from([0x2f, 0xfe]), '/\ufffd']
    const found = wanted(arrangeSources(paths)).map((path) => nameBytes(path).toString('hex'))
    expect(found).toEqual(['2fefbfbd', '2ffe', '2fff'])
  })

  const anyPath = fc
    .array(fc.constantFrom('a', 'b', 'c', '\u{10000}', '\uffff'), { minLength: 1, maxLength: 4 })
    .map((parts) => `/${parts.join('/')}`)

  test('covers exactly the paths it was given', () => {
    const isBelow = (path: string, top: string): boolean => path === top || path.startsWith(`${top}/`)
    fc.assert(
      fc.property(fc.array(anyPath, { minLength: 1, maxLength: 8 }), (paths) => {
        const found = wanted(arrangeSources(paths)) as string[]
        for (const path of paths) expect(found.filter((top) => isBelow(path, top))).toHaveLength(1)
        for (const top of found) expect(paths).toContain(top)
        const parts = (path: string): string[] => path.split('/')
        const inOrder = [...found].sort((left, right) => {
          const [one, two] = [parts(left), parts(right)]
          const at = one.findIndex((part, index) => part !== two[index])
          return compareNames(one[at] ?? '', two[at] ?? '')
        })
        expect(found).toEqual(inOrder)
      }),
    )
  })

  test('takes as many paths as a snapshot can hold', () => {
    const paths = Array.from({ length: 65_536 }, (_, number) => `/folder/${(number * 7919) % 65_536}`)
    expect(wanted(arrangeSources(paths))).toHaveLength(65_536)
  }, 5000)
})

describe('absolutePath()', () => {
  test.each([
    ['a', '/home/ann', '/home/ann/a'],
    ['./a/../b', '/home/ann', '/home/ann/b'],
    ['../..', '/home/ann', '/'],
    ['/x//y/./z/', '/home/ann', '/x/y/z'],
    ['.', '/home/ann', '/home/ann'],
    ['/', '/home/ann', '/'],
    ['', '/home/ann', '/home/ann'],
  ])('%j from %s on is %s', (path, directory, expected) => {
    expect(absolutePath(path, directory)).toBe(expected)
  })

  test('keeps raw bytes', () => {
    const path = absolutePath(Buffer.from([0xff, 0x2f, 0x61]), '/home/ann')
    expect(displayName(path)).toBe('/home/ann/\\xff/a')
  })
})
