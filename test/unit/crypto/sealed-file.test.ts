import { createCipheriv } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  checkHeader,
  createOpener,
  createSealer,
  deriveKey,
  type FileKind,
  FOOTER_NUMBER,
  FORMAT_VERSION,
  fileKinds,
  HEADER_BYTES,
  TAG_BYTES,
} from '../../../src/crypto/index.ts'

const subkey = Buffer.alloc(32, 0x11)
const repositoryId = Buffer.alloc(32, 0x22)
const damaged: object = expect.objectContaining({ code: 'DAMAGED' })
const kinds = Object.keys(fileKinds) as FileKind[]

function sealOne(plaintext: Uint8Array, kind: FileKind = 'snapshot'): { header: Buffer; sealed: Buffer } {
  const sealer = createSealer(kind, subkey, repositoryId)
  return { header: sealer.header, sealed: sealer.seal(plaintext) }
}

test('the bytes are those of format.md', () => {
  const { header, sealed } = sealOne(Buffer.from('plain'), 'snapshot')
  expect(header.subarray(0, 16)).toEqual(Buffer.from('HOLDFAST\x01\x07\0\0\0\0\0\0', 'latin1'))
  expect(header.length).toBe(HEADER_BYTES)
  const key = deriveKey(subkey, header.subarray(16), 'holdfast file key')
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12))
  cipher.setAAD(Buffer.concat([header.subarray(0, 16), repositoryId]))
  const expected = Buffer.concat([cipher.update('plain'), cipher.final(), cipher.getAuthTag()])
  expect(sealed).toEqual(expected)
})

test('messages open by number, in any order, more than once', () => {
  const sealer = createSealer('data', subkey, Buffer.alloc(0))
  const plain = [0, 1, 2, 3].map((number) => Buffer.alloc(number * 1000, number))
  const sealed = plain.map((one) => sealer.seal(one))
  const footer = sealer.sealFooter(Buffer.from('footer'))
  const opener = createOpener('data', sealer.header, subkey, Buffer.alloc(0))
  expect(opener.open(FOOTER_NUMBER, footer).toString()).toBe('footer')
  for (const number of [3, 0, 2, 1, 1]) {
    expect(sealed[number]!.length).toBe(plain[number]!.length + TAG_BYTES)
    expect(opener.open(number, sealed[number]!)).toEqual(plain[number])
  }
  for (let number = 0; number < 4; number++) {
    for (const other of [number + 1, FOOTER_NUMBER]) {
      expect(() => opener.open(other, sealed[number]!)).toThrow(damaged)
    }
    expect(() => opener.open(number, footer)).toThrow(damaged)
  }
})

test('a message opens into memory of the caller, which has to be long enough', () => {
  for (const length of [0, 1, 32 * 1024, 100_000]) {
    const plaintext = Buffer.alloc(length, 7)
    const { header, sealed } = sealOne(plaintext)
    const opener = createOpener('snapshot', header, subkey, repositoryId)
    const target = Buffer.alloc(length + 5, 1)
    expect(opener.openInto(0, sealed, target).equals(plaintext)).toBe(true)
    expect([...target.subarray(length)]).toEqual([1, 1, 1, 1, 1])
    if (length > 0) expect(() => opener.openInto(0, sealed, target.subarray(0, length - 1))).toThrow('fit')
    sealed[length >> 1]! ^= 1
    expect(() => opener.openInto(0, sealed, target)).toThrow(damaged)
    expect(() => opener.openInto(0, sealed.subarray(0, 15), target)).toThrow(damaged)
  }
})

test('nothing is sealed after the footer, and no number twice', () => {
  const sealer = createSealer('data', subkey, Buffer.alloc(0))
  const [first, second] = [sealer.seal(Buffer.from('same')), sealer.seal(Buffer.from('same'))]
  expect(first.equals(second)).toBe(false)
  sealer.sealFooter(Buffer.alloc(1))
  expect(() => sealer.seal(Buffer.alloc(1))).toThrow(/numbers/)
  expect(() => sealer.sealFooter(Buffer.alloc(1))).toThrow(/footer/)
  expect(() => sealer.seal(Buffer.alloc(1))).toThrow(/numbers/)
})

test('an opener refuses numbers that no message can have', () => {
  const { header, sealed } = sealOne(Buffer.from('plain'))
  const opener = createOpener('snapshot', header, subkey, repositoryId)
  for (const number of [-1, 2 ** 32, Number.POSITIVE_INFINITY]) {
    expect(() => opener.open(number, sealed)).toThrow()
  }
})

test('every file has a salt of its own, so the same message never looks the same', () => {
  const files = Array.from({ length: 20 }, () => sealOne(Buffer.from('plain')))
  expect(new Set(files.map(({ header }) => header.toString('hex'))).size).toBe(20)
  expect(new Set(files.map(({ sealed }) => sealed.toString('hex'))).size).toBe(20)
})

test('every flipped bit of header, ciphertext and tag is found', () => {
  const plain = Buffer.from('forty-one bytes of plaintext for a message')
  const { header, sealed } = sealOne(plain)
  const file = Buffer.concat([header, sealed])
  for (let bit = 0; bit < file.length * 8; bit++) {
    const flipped = Buffer.from(file)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    const open = (): Buffer =>
      createOpener('snapshot', flipped, subkey, repositoryId).open(0, flipped.subarray(HEADER_BYTES))
    // A version byte with more in it reads as a newer format; all else is damage.
    const isNewer = bit >> 3 === 8 && flipped[8] !== 0
    expect(open).toThrow(expect.objectContaining({ code: isNewer ? 'NEWER_FORMAT' : 'DAMAGED' }))
  }
})

test('every cut and every added byte is found', () => {
  const { header, sealed } = sealOne(Buffer.from('some plaintext'))
  const opener = createOpener('snapshot', header, subkey, repositoryId)
  for (let length = 0; length < sealed.length; length++) {
    expect(() => opener.open(0, sealed.subarray(0, length))).toThrow(damaged)
    expect(() => opener.open(0, sealed.subarray(length + 1))).toThrow(damaged)
  }
  expect(() => opener.open(0, Buffer.concat([sealed, Buffer.alloc(1)]))).toThrow(damaged)
  for (let length = 0; length < HEADER_BYTES; length++) {
    expect(() => checkHeader('snapshot', header.subarray(0, length))).toThrow(damaged)
  }
})

test('another repository, subkey, kind or salt does not open it', () => {
  const plain = Buffer.from('plain')
  const { header, sealed } = sealOne(plain)
  const open = (kind: FileKind, head: Buffer, key: Buffer, id: Buffer): Buffer =>
    createOpener(kind, head, key, id).open(0, sealed)
  expect(open('snapshot', header, subkey, repositoryId)).toEqual(plain)
  expect(() => open('snapshot', header, subkey, Buffer.alloc(32, 0x23))).toThrow(damaged)
  expect(() => open('snapshot', header, subkey, Buffer.alloc(0))).toThrow(damaged)
  expect(() => open('snapshot', header, subkey, repositoryId.subarray(1))).toThrow(damaged)
  expect(() => open('snapshot', header, Buffer.alloc(32, 0x12), repositoryId)).toThrow(damaged)
  expect(() => open('snapshot', sealOne(plain).header, subkey, repositoryId)).toThrow(damaged)
  for (const kind of kinds) {
    if (kind === 'snapshot') continue
    expect(() => open(kind, header, subkey, repositoryId)).toThrow(damaged)
    // Also when the kind in the header is changed to fit.
    const changed = Buffer.from(header)
    changed[9] = fileKinds[kind]
    expect(() => open(kind, changed, subkey, repositoryId)).toThrow(damaged)
  }
})

describe('checkHeader', () => {
  const header = createSealer('index', subkey, Buffer.alloc(0)).header
  const withByte = (at: number, value: number): Buffer => {
    const changed = Buffer.from(header)
    changed[at] = value
    return changed
  }

  test('takes its own, with anything after it', () => {
    checkHeader('index', header)
    checkHeader('index', new Uint8Array([...header, 1, 2, 3]))
  })

  test.each([FORMAT_VERSION + 1, 2, 127, 128, 255])('calls version %i newer', (version) => {
    expect(() => checkHeader('index', withByte(8, version))).toThrow(
      expect.objectContaining({ code: 'NEWER_FORMAT', hint: expect.stringContaining('newer holdfast') }),
    )
  })

  test('a newer version is told before an unknown kind or used reserve: both may be new', () => {
    const newer = withByte(8, 2)
    newer[9] = 200
    newer[12] = 1
    expect(() => checkHeader('index', newer)).toThrow(expect.objectContaining({ code: 'NEWER_FORMAT' }))
  })

  test('calls anything else damaged', () => {
    for (const bad of [withByte(0, 0x68), withByte(7, 0), withByte(8, 0), withByte(9, 0), withByte(9, 7)]) {
      expect(() => checkHeader('index', bad)).toThrow(damaged)
    }
    for (let at = 10; at < 16; at++) expect(() => checkHeader('index', withByte(at, 1))).toThrow(damaged)
  })
})

test('later changes to the header do not reach sealer or opener', () => {
  const sealer = createSealer('snapshot', subkey, repositoryId)
  const header = Buffer.from(sealer.header)
  const opener = createOpener('snapshot', header, subkey, repositoryId)
  const copy = Buffer.from(header)
  sealer.header.fill(0)
  header.fill(0)
  const sealed = sealer.seal(Buffer.from('plain'))
  expect(opener.open(0, sealed).toString()).toBe('plain')
  expect(createOpener('snapshot', copy, subkey, repositoryId).open(0, sealed).toString()).toBe('plain')
})
