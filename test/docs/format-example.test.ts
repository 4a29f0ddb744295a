import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createKeyedHasher,
  createOpener,
  deriveSubkeys,
  HEADER_BYTES,
  saltOf,
} from '../../src/crypto/index.ts'
import { decodeValue, type FileId } from '../../src/encoding/index.ts'
import { createPackOpener, openBlock, readFooter } from '../../src/pack/index.ts'
import { openKeyFile, openKeyInfo, parseKeyFile } from '../../src/repository/key-file.ts'
import { fileName } from '../../src/repository/layout.ts'
import { parseNode } from '../../src/tree/index.ts'
import { openPack } from './format-packs.ts'
import { dumpAfter, page, tableAfter } from './format-page.ts'
import { padmeLength } from './format-rules.ts'
import { chunkIdOf, hash, openKey } from './format-sealed.ts'
import { decode, type Piece, type Value } from './format-values.ts'

const masterKey = Buffer.from(Array.from({ length: 32 }, (_, at) => at))
const subkeys = deriveSubkeys(masterKey)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the example', () => {
  const keyFile = dumpAfter('### A key file')
  const file = dumpAfter('a PADMÉ length:')
  const pieces = (bytes: Buffer): string[][] => {
    const found: Piece[] = []
    decode(bytes, (piece) => found.push(piece))
    return found.map((piece) => [`${piece.bytes.byteOffset - bytes.byteOffset}`, hex(piece.bytes)])
  }
  const rowsAfter = (text: string): string[][] =>
    tableAfter(text).map(([offset, bytes]) => [offset!, bytes!.replaceAll(' ', '')])

  test('the key opens to the master key, for the page and for the code', async () => {
    const password = 'correct horse battery staple'
    const opened = openKey(keyFile, { password })!
    expect(opened.masterKey).toEqual(masterKey)
    expect(openKey(keyFile, { password: `${password}s` })).toBeUndefined()
    const name = hex(hash(keyFile)) as FileId
    expect(page).toContain(`\`keys/${name}\``)
    const parsed = parseKeyFile(name, keyFile)
    expect(parsed.isDamaged).toBe(false)
    const byCode = (await openKeyFile(parsed, { kind: 'password', password }))!
    expect(byCode.masterKey).toEqual(masterKey)
    expect(opened.config[0]).toEqual(byCode.config.id)
    expect(opened.config[6]).toEqual(byCode.config.chunker.numbers)
    const info = openKeyInfo(parsed, subkeys)
    expect(opened.info).toEqual([BigInt(info.createdMs), info.user, info.host, info.label])
  })

  test('either copy of the key is enough', () => {
    for (const at of [60, keyFile.length - 60]) {
      const damagedFile = Buffer.from(keyFile)
      damagedFile[at]! ^= 1
      expect(openKey(damagedFile, { password: 'correct horse battery staple' })!.masterKey).toEqual(masterKey)
    }
  })

  test('the pack has the name, the fields and the content that the page says', () => {
    const pack = openPack(file, masterKey)
    const name = hex(hash(file)) as FileId
    expect(page).toContain(`\`${fileName('tree', name)}\``)
    expect(page).toContain(`The whole file has ${file.length} bytes`)
    expect(padmeLength(file.length)).toBe(file.length)
    const [block] = pack.blocks
    const fields = tableAfter('### A tree pack').map(([offset, size]) => [offset, size].map(Number))
    expect(fields.slice(-3)).toEqual([
      [48, block!.storedBytes],
      [48 + block!.storedBytes, file.readUInt32LE(file.length - 4)],
      [file.length - 4, 4],
    ])
    const { payload, chunks } = pack.open(block!)
    expect(payload).toEqual(dumpAfter('a zstd frame of'))
    const footer = pack.footerPlaintext.subarray(4, 4 + pack.footerPlaintext.readUInt32LE(0))
    expect(pieces(Buffer.from(footer))).toEqual(rowsAfter("The footer's plaintext is the length"))
    expect(pieces(Buffer.from(chunks[0]!))).toEqual(rowsAfter('Its plaintext is one chunk of'))
    const nodes = (decode(chunks[0]!) as Value[])[1] as Value[][]
    expect(nodes[0]![18]).toEqual(chunkIdOf(masterKey, 'data', Buffer.from('Hello, world\n')))
  })

  test('the code reads the pack as the page does', async () => {
    const pack = openPack(file, masterKey)
    const opener = createPackOpener('tree', subkeys.files.tree, saltOf('tree', file))
    const footer = await readFooter(opener, file.length, async (offset, length) =>
      file.subarray(offset, offset + length),
    )
    expect(footer.session).toBe(hex(pack.session))
    const [block] = footer.blocks
    const sealed = file.subarray(HEADER_BYTES, HEADER_BYTES + block!.storedBytes)
    const { plain } = openBlock(opener, { number: 0, ...block! }, sealed)
    expect(plain).toEqual(pack.open(pack.blocks[0]!).chunks[0])
    expect(createKeyedHasher(subkeys.treeIds).hash(plain)).toEqual(pack.blocks[0]!.chunks[0]!.id)
    const nodes = (decodeValue(plain) as Value[])[1] as Value[]
    expect(nodes.map((node) => parseNode(node).name)).toEqual(['hello.txt', 'latest'])
  })

  test('any byte that is changed is found', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: file.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, change) => {
          const changed = Buffer.from(file)
          changed[at]! ^= change
          const read = (): unknown =>
            openPack(changed, masterKey).blocks.map((_, index, blocks) =>
              openPack(changed, masterKey).open(blocks[index]!),
            )
          expect(read).toThrow()
        },
      ),
    )
    expect(() => createOpener('data', file, subkeys.files.data, Buffer.alloc(0))).toThrow('not of the kind')
  })
})
