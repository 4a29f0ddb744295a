import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nameFromBytes } from '../../../src/encoding/index.ts'
import { checkName } from '../../../src/filesystem/index.ts'

const bad: (string | Buffer)[] = [
  '',
  '.',
  '..',
  '/',
  'a/b',
  '/a',
  'a\0',
  'x'.repeat(256),
  'ä'.repeat(128),
  Buffer.from([0xff, 0x2f]),
]

test.each(bad.map((name) => ({ name })))('$name is refused as damage', ({ name }) => {
  expect(() => checkName(name)).toThrow(expect.objectContaining({ code: 'DAMAGED' }))
  expect(() => checkName(new Uint8Array(Buffer.from(name)))).toThrow(
    expect.objectContaining({ code: 'DAMAGED' }),
  )
})

test('every other name of 1 to 255 bytes passes', () => {
  const byte = fc.integer({ min: 1, max: 255 }).filter((value) => value !== 0x2f)
  const name = fc.array(byte, { minLength: 1, maxLength: 255 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(
      name.filter((bytes) => !/^\.{1,2}$/.test(bytes.toString('latin1'))),
      (bytes) => {
        checkName(bytes)
        checkName(nameFromBytes(bytes))
      },
    ),
  )
  for (const good of ['...', '. ', 'x'.repeat(255), 'line\nfeed', '-rf']) checkName(good)
})
