import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createOpener,
  createSealer,
  type FileKind,
  FOOTER_NUMBER,
  fileKinds,
  HEADER_BYTES,
  TAG_BYTES,
} from '../../src/crypto/index.ts'

const damaged: object = expect.objectContaining({ code: 'DAMAGED' })
const anyKind = fc.constantFrom(...(Object.keys(fileKinds) as FileKind[]))
const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
const anyRepository = fc.oneof(anyKey, fc.constant(new Uint8Array(0)))
const messages = fc.array(fc.uint8Array({ maxLength: 5000 }), { minLength: 1, maxLength: 8 })

test('what was sealed opens to the same bytes, message by message', () => {
  fc.assert(
    fc.property(anyKind, anyKey, anyRepository, messages, (kind, subkey, repositoryId, plain) => {
      const sealer = createSealer(kind, subkey, repositoryId)
      const sealed = plain.map((one) => sealer.seal(one))
      const footer = sealer.sealFooter(plain[0]!)
      const opener = createOpener(kind, sealer.header, subkey, repositoryId)
      plain.forEach((one, number) => {
        expect(sealed[number]!.length).toBe(one.length + TAG_BYTES)
        expect(opener.open(number, sealed[number]!).equals(one)).toBe(true)
      })
      expect(opener.open(FOOTER_NUMBER, footer).equals(plain[0]!)).toBe(true)
    }),
  )
})

test('a message opens under its own number only', () => {
  fc.assert(
    fc.property(anyKey, messages, fc.nat(10), (subkey, plain, other) => {
      const sealer = createSealer('data', subkey, new Uint8Array(0))
      const sealed = plain.map((one) => sealer.seal(one))
      const opener = createOpener('data', sealer.header, subkey, new Uint8Array(0))
      sealed.forEach((one, number) => {
        if (number !== other) expect(() => opener.open(other, one)).toThrow(damaged)
      })
    }),
  )
})

test('bytes changed anywhere are never taken for the message', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 5,
  })
  fc.assert(
    fc.property(anyKey, fc.uint8Array({ maxLength: 300 }), changes, (subkey, plain, list) => {
      const sealer = createSealer('snapshot', subkey, subkey)
      const file = Buffer.concat([sealer.header, sealer.seal(plain)])
      const changed = Buffer.from(file)
      for (const [at, change] of list) changed[at % changed.length]! ^= change
      fc.pre(!changed.equals(file))
      expect(() =>
        createOpener('snapshot', changed, subkey, subkey).open(0, changed.subarray(HEADER_BYTES)),
      ).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(DAMAGED|NEWER_FORMAT)$/) }))
    }),
    { numRuns: 500 },
  )
})

test('any bytes as a file are damage or a newer format', () => {
  const magic = Buffer.from('HOLDFAST\x01\x07\0\0\0\0\0\0', 'latin1')
  const file = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 200 }).map((rest) => Uint8Array.from([...magic, ...rest])),
    fc.uint8Array({ maxLength: 200 }).map((rest) => Uint8Array.from([...magic.subarray(0, 8), ...rest])),
  )
  const subkey = Buffer.alloc(32, 1)
  fc.assert(
    fc.property(file, (bytes) => {
      expect(() =>
        createOpener('snapshot', bytes, subkey, subkey).open(0, bytes.subarray(HEADER_BYTES)),
      ).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(DAMAGED|NEWER_FORMAT)$/) }))
    }),
    { numRuns: 1000 },
  )
})
