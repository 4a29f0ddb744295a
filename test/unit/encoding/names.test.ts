import { describe, expect, test } from 'vitest'
import { compareNames, displayName, joinName, nameBytes, nameFromBytes } from '../../../src/encoding/index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')

describe('nameFromBytes', () => {
  test.each([
    ['', ''],
    ['616263', 'abc'],
    ['c3a4', 'ä'],
    ['e28882', '∂'],
    ['f09f9880', '\u{1f600}'],
    ['efbbbf61', '\ufeffa'],
    ['efbfbd', '\ufffd'],
    ['f48fbfbf', '\u{10ffff}'],
  ])('%s is text', (hex, text) => {
    expect(nameFromBytes(bytes(hex))).toBe(text)
    expect(nameBytes(text).toString('hex')).toBe(hex)
  })

  test.each([
    ['80', 'a lone continuation byte'],
    ['c0af', 'an overlong slash'],
    ['e08080', 'an overlong NUL'],
    ['eda080', 'a surrogate'],
    ['f4908080', 'above U+10FFFF'],
    ['61e282', 'cut off'],
    ['efbfbdff', 'U+FFFD beside a wrong byte'],
  ])('%s stays bytes: %s', (hex) => {
    const name = nameFromBytes(bytes(hex))
    expect(Buffer.isBuffer(name)).toBe(true)
    expect(nameBytes(name).toString('hex')).toBe(hex)
  })

  test('copies the bytes it keeps', () => {
    const source = new Uint8Array([0xff, 0xfe])
    const name = nameFromBytes(source)
    source.fill(0)
    expect(nameBytes(name).toString('hex')).toBe('fffe')
  })
})

test('compareNames() is byte order where UTF-16 order is not', () => {
  // U+FF5E is EF BD 9E, U+1F600 is F0 9F 98 80; in UTF-16 the surrogate D83D comes first.
  expect('\uff5e' < '\u{1f600}').toBe(false)
  expect(compareNames('\uff5e', '\u{1f600}')).toBeLessThan(0)
  expect(compareNames('\u{1f600}', '\uff5e')).toBeGreaterThan(0)
  expect(compareNames('a\u{1f600}', 'a\ue000')).toBeGreaterThan(0)
  expect(compareNames('a', 'a')).toBe(0)
  expect(compareNames('a', 'a.b')).toBeLessThan(0)
  expect(compareNames('a', Buffer.from('a'))).toBe(0)
  expect(compareNames('ä', bytes('c3'))).toBeGreaterThan(0)
})

test.each([
  ['/', 'usr', '/usr'],
  ['/usr', 'share', '/usr/share'],
  ['', 'a', '/a'],
])('joinName(%j, %j) is %j', (directory, name, path) => {
  expect(joinName(directory, name)).toBe(path)
  expect(joinName(Buffer.from(directory), name)).toEqual(Buffer.from(path))
  expect(joinName(directory, Buffer.from(name))).toEqual(Buffer.from(path))
})

test.each([
  ['plain name.txt', 'plain name.txt'],
  ['ä\u{1f600}', 'ä\u{1f600}'],
  ['a\u001b[31mb', 'a\\x1b[31mb'],
  ['a\nb\tc\u0000', 'a\\x0ab\\x09c\\x00'],
  ['\u007f\u0085\u009b', '\\x7f\\x85\\x9b'],
  [bytes('61ff62'), 'a\\xffb'],
  [bytes('c3a4fe1b'), 'ä\\xfe\\x1b'],
  [bytes('efbfbdff'), '\ufffd\\xff'],
  [bytes('eda080'), '\\xed\\xa0\\x80'],
  [bytes('f09f98'), '\\xf0\\x9f\\x98'],
])('displayName(%j) is %j', (name, shown) => {
  expect(displayName(name)).toBe(shown)
})
