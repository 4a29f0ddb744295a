import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeArguments, isRaw, rawName } from '../../../src/cli/raw-arguments.ts'
import { nameBytes } from '../../../src/encoding/index.ts'

/** Bytes as an argument may have them: anything but NUL, valid UTF-8 and not, mixed. */
const argument = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text.replaceAll('\0', ''), 'utf8')),
      fc.uint8Array({ min: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    ),
    { maxLength: 5 },
  )
  .map((parts) => Buffer.concat(parts))

function commandLine(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => [part, Buffer.of(0)]))
}

describe('decodeArguments() then rawName()', () => {
  test('gives the same bytes', () => {
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 5 }), (parts) => {
        const decoded = decodeArguments(commandLine([Buffer.from('node'), ...parts]), parts.length)
        expect(decoded.map((text) => nameBytes(rawName(text)))).toEqual(parts)
      }),
    )
  })

  test('leaves valid UTF-8 as it is, and only that', () => {
    fc.assert(
      fc.property(argument, (part) => {
        const [text = ''] = decodeArguments(commandLine([part]), 1)
        const isValid = Buffer.from(part.toString('utf8'), 'utf8').equals(part)
        expect(isRaw(text)).toBe(!isValid)
        if (isValid) expect(text).toBe(part.toString('utf8'))
      }),
    )
  })

  test('takes the last arguments, empty ones too', () => {
    const parts = ['node', '--inspect', 'holdfast.js', 'ls', '', 'a'].map((text) => Buffer.from(text))
    expect(decodeArguments(commandLine(parts), 3)).toEqual(['ls', '', 'a'])
  })
})
