import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_WHOLE_BYTES } from '../../src/backend/index.ts'
import { checkParameters, defaultParameters, segmentBytes } from '../../src/chunker/index.ts'
import {
  checkCost,
  deriveSubkeys,
  type FileKind,
  FOOTER_NUMBER,
  FORMAT_VERSION,
  fileKinds,
  HEADER_BYTES,
  TAG_BYTES,
} from '../../src/crypto/index.ts'
import { decodeValue, encodeValue, type FileId, type SessionId } from '../../src/encoding/index.ts'
import { type ErrorCode, exitCodes } from '../../src/errors/index.ts'
import {
  BLOCK_ALIGNMENT_BYTES,
  CHUNK_ROW_BYTES,
  MAXIMUM_BLOCK_BYTES,
  MAXIMUM_BLOCK_CHUNKS,
  MAXIMUM_PACK_BLOCKS,
  MAXIMUM_PACK_BYTES,
  methods,
  padmeBytes,
  readFooter,
} from '../../src/pack/index.ts'
import { fileName, overName, parseName, sessionName } from '../../src/repository/layout.ts'
import { openValue, sealValue } from '../../src/repository/sealed-value.ts'
import { MAXIMUM_PACK_TARGET_BYTES, MINIMUM_PACK_TARGET_BYTES } from '../../src/repository/settings.ts'
import { boundaryHash, nodeTypes } from '../../src/tree/index.ts'
import { INLINE_IDS } from '../../src/tree/node.ts'
import { fieldsOf, limitNames, limitOf, numberOf, page, tableAfter } from './format-page.ts'
import { gearTable, padmeLength, pageHash } from './format-rules.ts'
import { kinds, subkey } from './format-sealed.ts'
import { decode, encode, type Value } from './format-values.ts'

const masterKey = Buffer.from(Array.from({ length: 32 }, (_, at) => at))
const subkeys = deriveSubkeys(masterKey)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('files', () => {
  test('kinds are those of the code, and bound as the page says', () => {
    const rows = tableAfter('The kinds:')
    const numbers = Object.fromEntries(rows.map(([kind, number]) => [kind, Number(number)]))
    expect(numbers).toEqual(fileKinds)
    expect(numbers).toEqual(kinds)
    for (const [kind, , bound] of rows) {
      if (kind === 'data' || kind === 'tree' || kind === 'key') continue
      const here = { id: Buffer.alloc(16, 1), subkeys }
      const there = { id: Buffer.alloc(16, 2), subkeys }
      const name = kind as 'config'
      const sealed = sealValue(here, name, 'value')
      expect(sealed.length).toBe(HEADER_BYTES + limitOf('step of padded values, bytes') + TAG_BYTES)
      expect(openValue(here, name, name, sealed, (value) => value)).toBe('value')
      const open = (): unknown => openValue(there, name, name, sealed, (value) => value)
      if (bound === 'yes') expect(open).toThrow('not authentic')
      else expect(open()).toBe('value')
    }
  })

  test('the header is the one the code checks', () => {
    expect(`Format version: ${FORMAT_VERSION}.`).toSatisfy((text: string) => page.includes(text))
    const fields = tableAfter('Every file begins with this header:').map(([offset, size]) =>
      [offset, size].map(Number),
    )
    expect(fields.at(-1)!.reduce((sum, number) => sum + number, 0)).toBe(HEADER_BYTES)
    fields.forEach(([offset, size], at) => {
      expect(fields[at + 1]?.[0] ?? HEADER_BYTES).toBe(offset! + size!)
    })
  })

  test('every kind of name is one that the code writes and reads back', () => {
    const id = 'ab'.padEnd(64, '0') as FileId
    const session = '0'.repeat(32) as SessionId
    for (const [name, , kind] of tableAfter('## Files and their names')) {
      if (name!.startsWith('parity')) continue
      const written = name!
        .replace('<xx>', 'ab')
        .replace('<id>', id)
        .replace('<session>', session)
        .replace('<owner>-<random>', `${session}-0123456789abcdef`)
      const meaning = parseName(written)
      expect(meaning.what, written).not.toBe('foreign')
      if (meaning.what === 'file') {
        expect(meaning.kind).toBe(kind)
        expect(fileName(meaning.kind, id)).toBe(written)
      }
      if (meaning.what === 'session') expect(sessionName(session)).toBe(written)
      if (meaning.what === 'over') expect(overName(session)).toBe(written)
    }
  })

  test('labels of subkeys are those of the code, with these results', () => {
    const { files, ...others } = subkeys
    const ofCode = [...Object.values(files), ...Object.values(others)].map(hex)
    const rows = tableAfter('### Subkeys')
    expect(rows.map(([, , result]) => result)).toEqual(ofCode)
    for (const [label, , result] of rows) expect(hex(subkey(masterKey, label!))).toBe(result)
    for (const kind of Object.keys(fileKinds) as FileKind[]) {
      expect(hex(subkey(masterKey, `holdfast file ${kind}`))).toBe(hex(files[kind]))
    }
  })

  test('every section that the code refers to is there', () => {
    const root = new URL('../../src/', import.meta.url)
    const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )
    const text = sources
      .map((name) => readFileSync(new URL(name, root), 'utf8').replace(/\n \* /g, ' '))
      .join('\n')
    const references = [...text.matchAll(/docs\/format\.md((?:,? (?:and )?"[^"]+")+)/g)].flatMap((match) =>
      [...match[1]!.matchAll(/"([^"]+)"/g)].map((name) => name[1]!),
    )
    expect(references.length).toBeGreaterThan(8)
    const headings = [...page.matchAll(/^#+ (.*)$/gm)].map((match) => match[1]!)
    for (const name of references) expect(headings).toContain(name)
  })
})

describe('values', () => {
  const numbers = fc.oneof(
    fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }),
    fc.integer({ min: -200, max: 300 }),
  )
  const leaves = fc.oneof(
    fc.constantFrom(null, true, false),
    numbers,
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  )
  const values = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaves as fc.Arbitrary<Value>,
      fc.array(tie('value'), { maxLength: 20 }) as fc.Arbitrary<Value>,
    ),
  })).value

  test('the page and the code write the same bytes for any value, and read them back', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(value)
        expect(hex(encodeValue(value))).toBe(hex(bytes))
        expect(decode(bytes)).toEqual(value)
        expect(hex(encode(decodeValue(bytes) as Value))).toBe(hex(bytes))
      }),
    )
  })

  test.each([255, 256, 65_535, 65_536])('a length of %i has the same form in both', (length) => {
    for (const value of [Buffer.alloc(length), 'x'.repeat(length), Array<Value>(length).fill(0)]) {
      expect(encode(value).equals(encodeValue(value))).toBe(true)
    }
  })

  test('the page and the code take and refuse the same bytes', () => {
    const heads = fc.constantFrom(
      0x91,
      0x92,
      0xa2,
      0xc0,
      0xc1,
      0xc4,
      0xc5,
      0xcc,
      0xcd,
      0xd2,
      0xd3,
      0xd9,
      0xdc,
      0xdd,
      0x80,
    )
    const byte = fc.oneof(heads, fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 24 }), (bytes) => {
        const told = (read: (bytes: Buffer) => unknown): unknown => {
          try {
            return hex(encode(read(Buffer.from(bytes)) as Value))
          } catch (error) {
            return (error as { code?: string }).code
          }
        }
        expect(told(decode)).toEqual(told(decodeValue))
      }),
      { numRuns: 5000 },
    )
  })

  test('the table names every first byte that is allowed, and no other', () => {
    const allowed = new Set<number>()
    for (const [first] of tableAfter('Multi-byte numbers are big-endian.')) {
      const [from, to = from] = first!.split('–').map((text) => Number.parseInt(text, 16))
      for (let byte = from!; byte <= to!; byte++) allowed.add(byte)
    }
    for (let byte = 0; byte < 256; byte++) {
      const bytes = Buffer.concat([Buffer.from([byte]), Buffer.alloc(64)])
      expect(() => decodeValue(bytes)).toThrow(
        allowed.has(byte) ? /follow|^(?!.*not allowed)/ : 'is not allowed',
      )
    }
  })

  test('arrays are nested as deep as the page says', () => {
    const depth = limitOf('depth of arrays in a value')
    const nested = (levels: number): Value => (levels === 0 ? 0 : [nested(levels - 1)])
    expect(decodeValue(encodeValue(nested(depth)))).toEqual(nested(depth))
    expect(() => decodeValue(encode(nested(depth + 1)))).toThrow('nested too deep')
    expect(() => decode(encode(nested(depth + 1)))).toThrow('nested too deep')
  })
})

describe('numbers', () => {
  test('limits are those of the code', async () => {
    const ofCode: Record<string, number> = {
      'header, bytes': HEADER_BYTES,
      'tag, bytes': TAG_BYTES,
      'block alignment, bytes': BLOCK_ALIGNMENT_BYTES,
      'plaintext of a block, bytes': MAXIMUM_BLOCK_BYTES,
      'chunks in a block': MAXIMUM_BLOCK_CHUNKS,
      'row of a chunk table, bytes': CHUNK_ROW_BYTES,
      'blocks in a pack': MAXIMUM_PACK_BLOCKS,
      'size of a pack, bytes': MAXIMUM_PACK_BYTES,
      'file read as a whole, bytes': MAX_WHOLE_BYTES,
      'segment, bytes': segmentBytes,
      'chunk ids in a node, most': INLINE_IDS,
      'least pack target, bytes': MINIMUM_PACK_TARGET_BYTES,
      'greatest pack target, bytes': MAXIMUM_PACK_TARGET_BYTES,
    }
    for (const [name, value] of Object.entries(ofCode)) expect(limitOf(name), name).toBe(value)
    const level = fieldsOf('Record `page`')[0]!.most
    expect(limitOf('level of a page, most')).toBe(level)
    // The others are held by tests of behaviour: values, sealed values, footers, chunkers and pages.
    const elsewhere = [
      'depth',
      'step',
      'sealed footer',
      'longest chunk',
      'entries',
      'boundary',
      'weight',
      'level',
    ]
    for (const name of limitNames()) {
      expect(name in ofCode || elsewhere.some((start) => name.startsWith(start)), name).toBe(true)
    }
    expect(page).toContain(`number ${FOOTER_NUMBER} (0x${FOOTER_NUMBER.toString(16)})`)
  })

  test('a sealed footer has at most the length that the page says', async () => {
    const most = limitOf('sealed footer, bytes')
    const asked: number[] = []
    const opener = { open: () => Buffer.alloc(0), openInto: () => Buffer.alloc(0) }
    const read = (footerBytes: number): Promise<unknown> =>
      readFooter(opener, 2 ** 30, async (_, length) => {
        asked.push(length)
        const tail = Buffer.alloc(Math.min(length, 65_536))
        tail.writeUInt32LE(footerBytes, tail.length - 4)
        return tail
      })
    await expect(read(most)).rejects.toThrow('wrong length')
    expect(asked).toEqual([65_536, most])
    await expect(read(most + 1)).rejects.toThrow('wrong footer length')
  })

  test('the bounds of scrypt are those of the code', () => {
    const cost = { logN: 12, r: 8, p: 1 }
    const names = { 'log₂ N': 'logN', r: 'r', p: 'p' } as const
    for (const [row, least, most] of tableAfter('before it calls scrypt.')) {
      const name = names[row as keyof typeof names]
      const check = (value: number): void => checkCost({ ...cost, [name]: value })
      for (const value of [least, most].map(Number)) check(value)
      for (const value of [Number(least) - 1, Number(most) + 1]) expect(() => check(value)).toThrow(/scrypt/)
    }
    expect(() => checkCost({ logN: 16, r: 1, p: 1 })).toThrow(/does not allow/)
  })

  test("the chunker's defaults and bounds are those of the code", () => {
    const { minimumBytes, averageBytes, maximumBytes, growth } = defaultParameters
    const defaults = [
      minimumBytes,
      averageBytes,
      maximumBytes,
      growth.fromBytes / 2 ** 20,
      growth.ratio,
      growth.doublings,
    ]
    const rows = tableAfter('another algorithm is of a newer format:')
    expect(rows.map(([, value]) => numberOf(value!))).toEqual(defaults)
    const check = (numbers: readonly number[]): void => {
      const [min, avg, max, from, ratio, doublings] = numbers as [
        number,
        number,
        number,
        number,
        number,
        number,
      ]
      const grown = { fromBytes: from * 2 ** 20, ratio, doublings }
      checkParameters({
        algorithm: 'gear-nc-1',
        minimumBytes: min,
        averageBytes: avg,
        maximumBytes: max,
        growth: grown,
      })
    }
    const longest = limitOf('longest chunk of any chunker, bytes')
    const bound = (text: string, average: number): number =>
      text === 'half the average' ? average / 2 : text === 'twice the average' ? average * 2 : numberOf(text)
    rows.forEach(([, , least, most], at) => {
      for (const [text, beyond] of [
        [least!, -1],
        [most!, 1],
      ] as const) {
        const numbers = [...defaults]
        const value = bound(text, averageBytes)
        numbers[at] = value
        if (at === 1) [numbers[0], numbers[2]] = [value / 4, value * 4]
        // Doublings are bounded by the longest chunk too: it is kept out of the way.
        if (at === 2 || at === 1) numbers[5] = 0
        if (at === 5) [numbers[0], numbers[1], numbers[2]] = [1024, 4096, 8192]
        check(numbers)
        numbers[at] = at === 1 ? (beyond < 0 ? value / 2 : value * 2) : value + beyond
        expect(() => check(numbers), `number ${at}: ${text}`).toThrow(/not supported/)
      }
    })
    expect(() => check([1024, 4096, longest / 2, 64, 2, 1])).not.toThrow()
    expect(() => check([1024, 4096, longest / 2, 64, 2, 2])).toThrow(/not supported/)
  })

  test('methods and types of nodes are those of the code', () => {
    const numbersOf = (text: string): unknown =>
      Object.fromEntries(tableAfter(text).map(([name, number]) => [name, Number(number)]))
    expect(numbersOf('becomes a _payload_ by a method:')).toEqual(methods)
    expect(numbersOf('### Nodes')).toEqual(nodeTypes)
  })

  test('the hash of page ends has these results', () => {
    for (const [text, level, result] of tableAfter('h = h ^ (h >> 16)\n\n')) {
      const key = Buffer.from(text === '(empty)' ? '' : text!)
      expect(boundaryHash(key, Number(level))).toBe(Number(result))
      expect(pageHash(key, Number(level))).toBe(Number(result))
    }
  })

  test('the table of the example key begins as the page says', () => {
    const first = gearTable(masterKey).slice(0, 4)
    const text = first.map((number) => `0x${number.toString(16).padStart(8, '0')}`).join(', ')
    expect(page).toContain(`it begins ${text}.`)
  })

  test('packs are padded alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2 ** 31 }), (length) => {
        expect(padmeLength(length)).toBe(padmeBytes(length))
      }),
    )
  })

  test('errors are those that the code raises when it reads', () => {
    const rows = tableAfter('The exit code is that of `holdfast`.')
    for (const [code, exitCode] of rows) expect(exitCodes[code as ErrorCode], code).toBe(Number(exitCode))
    const root = new URL('../../src/', import.meta.url)
    const rooms = ['encoding', 'crypto', 'compression', 'chunker', 'pack', 'tree', 'repository']
    const codes = rooms.flatMap((room) =>
      readdirSync(new URL(`${room}/`, root), { encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) => [
          ...readFileSync(new URL(`${room}/${name}`, root), 'utf8').matchAll(
            /HoldfastError\(\s*'([A-Z_]+)'/g,
          ),
        ])
        .map((match) => match[1]!),
    )
    // What a user asked for wrongly, or may not do, is no matter of the format.
    const raised = new Set(codes.filter((code) => !['USAGE', 'FAILED', 'INTERRUPTED', 'IO'].includes(code)))
    const listed = new Set(rows.map(([code]) => code!))
    // Raised by storage, not by the rooms above.
    expect(new Set([...raised, 'NO_SUCH_FILE'])).toEqual(listed)
  })
})
