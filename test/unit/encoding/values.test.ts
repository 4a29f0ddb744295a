import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { decodeValue, encodeValue, type Value } from '../../../src/encoding/index.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const damaged: object = expect.objectContaining({ code: 'DAMAGED' })

/** Values with their exact stored form: ids are hashes of these bytes, so none of them may ever change. */
const golden: [Value, string][] = [
  [null, 'c0'],
  [false, 'c2'],
  [true, 'c3'],
  [0, '00'],
  [31, '1f'],
  [32, '20'],
  [64, '40'],
  [127, '7f'],
  [128, 'cc80'],
  [255, 'ccff'],
  [256, 'cd0100'],
  [65_535, 'cdffff'],
  [65_536, 'ce00010000'],
  [0xffffffff, 'ceffffffff'],
  [-1, 'ff'],
  [-32, 'e0'],
  [-33, 'd0df'],
  [-128, 'd080'],
  [-129, 'd1ff7f'],
  [-32_768, 'd18000'],
  [-32_769, 'd2ffff7fff'],
  [-(2 ** 31), 'd280000000'],
  [0n, 'd30000000000000000'],
  [-1n, 'd3ffffffffffffffff'],
  [2n ** 63n - 1n, 'd37fffffffffffffff'],
  [-(2n ** 63n), 'd38000000000000000'],
  [2n ** 63n, 'cf8000000000000000'],
  [2n ** 64n - 1n, 'cfffffffffffffffff'],
  ['', 'a0'],
  ['abc', 'a3616263'],
  ['ä\u{1f600}', 'a6c3a4f09f9880'],
  ['a'.repeat(31), `bf${'61'.repeat(31)}`],
  ['a'.repeat(32), `d920${'61'.repeat(32)}`],
  ['a'.repeat(255), `d9ff${'61'.repeat(255)}`],
  ['a'.repeat(256), `da0100${'61'.repeat(256)}`],
  ['a'.repeat(65_536), `db00010000${'61'.repeat(65_536)}`],
  [bytes(''), 'c400'],
  [bytes('00ff'), 'c40200ff'],
  [Buffer.alloc(255), `c4ff${'00'.repeat(255)}`],
  [Buffer.alloc(256), `c50100${'00'.repeat(256)}`],
  [Buffer.alloc(65_536), `c600010000${'00'.repeat(65_536)}`],
  [[], '90'],
  [[1, [2, 'x'], null], '93 01 92 02 a178 c0'],
  [Array<Value>(15).fill(0), `9f${'00'.repeat(15)}`],
  [Array<Value>(16).fill(0), `dc0010${'00'.repeat(16)}`],
  [Array<Value>(65_536).fill(0), `dd00010000${'00'.repeat(65_536)}`],
]

describe('the stored form', () => {
  test.each(golden.map(([value, hex]) => ({ hex: hex.replaceAll(' ', ''), value })))(
    '$hex',
    ({ value, hex }) => {
      expect(encodeValue(value).toString('hex')).toBe(hex)
      expect(decodeValue(bytes(hex))).toEqual(value)
    },
  )

  test('is the same for a Uint8Array and a Buffer', () => {
    expect(encodeValue(new Uint8Array([1, 2])).toString('hex')).toBe('c4020102')
    expect(encodeValue(new Uint8Array([9, 1, 2, 9]).subarray(1, 3)).toString('hex')).toBe('c4020102')
  })

  test('a text is counted in bytes, in the fewest bytes', () => {
    // The encoder guesses the head's size from the units; what it stores must still be the smallest form.
    for (const units of [10, 11, 15, 16, 20, 31, 32, 63, 64, 85, 86, 127, 128, 255, 256, 21_845, 21_846]) {
      for (const unit of ['a', 'ä', '∂', '\u{1f600}']) {
        const text = unit.repeat(units)
        const length = Buffer.byteLength(text)
        const encoded = encodeValue(text)
        expect(decodeValue(encoded)).toBe(text)
        expect(encoded.length - length).toBe(length < 32 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 5)
      }
    }
  })
})

test('the result of encodeValue() is not touched by the next call', () => {
  const first = encodeValue(['first', Buffer.alloc(40, 1)])
  const copy = first.toString('hex')
  encodeValue(['second', Buffer.alloc(40, 2)])
  expect(first.toString('hex')).toBe(copy)
})

test('decoded byte strings are views of the input, also of an input inside a larger buffer', () => {
  const outer = new Uint8Array(64)
  outer.set(encodeValue(['text', Buffer.from([1, 2, 3])]), 10)
  const input = outer.subarray(10, 21)
  const [text, view] = decodeValue(input) as [string, Uint8Array]
  expect(text).toBe('text')
  input[9] = 42
  expect([...view]).toEqual([1, 42, 3])
})

const nested = (depth: number): Value => (depth === 0 ? 1 : [nested(depth - 1)])

test('arrays nest 8 deep and no deeper, both ways', () => {
  expect(decodeValue(encodeValue(nested(8)))).toEqual(nested(8))
  expect(() => encodeValue(nested(9))).toThrow(/nested/)
  expect(() => decodeValue(bytes(`${'91'.repeat(9)}01`))).toThrow(damaged)
  // Neighbours do not count as depth.
  const wide = Array.from({ length: 50 }, () => nested(7))
  expect(decodeValue(encodeValue(wide))).toEqual(wide)
})

describe('encodeValue() refuses what could not be read back', () => {
  test.each([
    [2 ** 32],
    [-(2 ** 31) - 1],
    [1.5],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [2n ** 64n],
    [-(2n ** 63n) - 1n],
    ['\ud800'],
    [undefined],
    [{ a: 1 }],
    [new Map([[1, 2]])],
    [new Date(0)],
    [() => 1],
  ])('%s', (value) => {
    expect(() => encodeValue(value as Value)).toThrow()
    expect(() => encodeValue([1, [value as Value]])).toThrow()
  })
})

describe('decodeValue() refuses', () => {
  test.each([
    ['', 'nothing'],
    ['c1', 'the unused type'],
    ['80', 'an empty map'],
    ['81a16101', 'a map'],
    ['de0001a16101', 'map 16'],
    ['df00000001a16101', 'map 32'],
    ['ca3f800000', 'float 32'],
    ['cb3ff8000000000000', 'float 64'],
    ['d40000', 'an extension'],
    ['d6ff00000000', 'a timestamp'],
    ['c70100ff', 'extension 8'],
    ['c0c0', 'a second value'],
    ['9100ff', 'bytes after an array'],
    ['92c0', 'an array that is cut'],
    ['dc0001', 'an array that is cut after its count'],
    ['ddffffffff', 'an array of 2^32 - 1'],
    [`dd00ffffff${'00'.repeat(100)}`, 'an array longer than its holder'],
    ['c6ffffffff00', 'a byte string of 4 GiB'],
    ['dbffffffff00', 'a text of 4 GiB'],
    ['c5ffff00', 'a byte string longer than its holder'],
    ['c4', 'a byte string without its length'],
    ['cd01', 'a cut number'],
    ['d300000000000000', 'a cut 64-bit number'],
  ])('%s: %s', (hex) => {
    expect(() => decodeValue(bytes(hex))).toThrow(damaged)
    expect(() => decodeValue(bytes(`91${hex}`))).toThrow(damaged)
  })

  test.each([
    '92a1f0c403414243',
    '92a1e0c2',
    '92a1c2c3',
    '93a1e0a24142c0',
    '91a1f0',
    '92a1ff00',
    '91a2c0af',
    '91a3eda080',
    `92d928${'41'.repeat(39)}f0c403414243`,
  ])('%s: a text that is not UTF-8', (hex) => {
    expect(() => decodeValue(bytes(hex))).toThrow(damaged)
  })
})

test('the stored form does not depend on the native part of the library', () => {
  // msgpackr reads its switch when it is loaded, so the other form is made in a process of its own.
  const script = `
    const { Packr } = require('msgpackr')
    const packr = new Packr({ useRecords: false, mapsAsObjects: false, int64AsType: 'bigint', copyBuffers: false })
    const text = packr.unpack(Buffer.from(process.argv[1], 'hex'))
    process.stdout.write(packr.pack(text).toString('hex'))`
  const value: Value = ['ä\u{1f600}'.repeat(40), 'a'.repeat(300), ['', 'x', '∂'.repeat(11)], -5, 2n ** 63n]
  const hex = encodeValue(value).toString('hex')
  for (const disabled of ['true', 'false']) {
    const env = { ...process.env, MSGPACKR_NATIVE_ACCELERATION_DISABLED: disabled }
    const run = spawnSync(process.execPath, ['-e', script, hex], { env, encoding: 'utf8' })
    expect(run.stderr).toBe('')
    expect(run.stdout).toBe(hex)
  }
})
