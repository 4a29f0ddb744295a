import { beforeAll, describe, expect, test } from 'vitest'
import { createMemoryBackend } from '../../src/backend/index.ts'
import { createSealer, deriveKey, deriveSubkeys, hashBytes } from '../../src/crypto/index.ts'
import { encodeValue, type FileId, type SessionId, type Value } from '../../src/encoding/index.ts'
import { decodeFooter, parseBlock } from '../../src/pack/footer.ts'
import { parseConfig } from '../../src/repository/config.ts'
import { parseIndexFile } from '../../src/repository/index-file.ts'
import { openKeyFile, openKeyInfo, parseKeyFile } from '../../src/repository/key-file.ts'
import { sessionName } from '../../src/repository/layout.ts'
import { parsePending } from '../../src/repository/pending.ts'
import { fileIdOf, sealValue } from '../../src/repository/sealed-value.ts'
import { readSession } from '../../src/repository/session.ts'
import { parseSettings } from '../../src/repository/settings.ts'
import { parseSnapshot } from '../../src/snapshot/index.ts'
import { openDirectoryPage } from '../../src/tree/directory.ts'
import { nodeTypes, parseNode } from '../../src/tree/index.ts'
import { parsePage } from '../../src/tree/pages.ts'
import { complaintOf, type FieldType, fieldsOf } from './format-page.ts'

const bytes = (length: number): Buffer => Buffer.alloc(length, 7)
const row = Buffer.concat([bytes(32), Buffer.from([5, 0, 0, 0])])
const config: Value[] = [bytes(16), 1, 1, [], [], 'gear-nc-1', [1], 0n]
const summary: Value[] = [0, 0, 0, 0, 0, 0, 0, 0, 0n, 0n, 0, 0n, 0, 0]
const snapshot: Value[] = [
  ...[0n, 0, '', '', 0, 0, [], [], '', [], '', bytes(32), bytes(32), bytes(16), bytes(32)],
  ...[summary, false, ['', '']],
]
const block: Value[] = [4096, 5, 0, row]
const common = (type: number): Value[] => [type, Buffer.from('name'), 0, 0, 0, '', '', 0n, 0n, 0n, []]
const inode: Value[] = [0n, 1, 0n]
const secret = { kind: 'keyFile', bytes: bytes(32) } as const
const subkeys = deriveSubkeys(bytes(32))
const sealing = { id: bytes(16), subkeys }

const parseKey = (value: Value): unknown => {
  const payload = encodeValue(value)
  const copy = Buffer.concat([payload, hashBytes(payload)])
  const file = Buffer.concat([Buffer.from('HOLDFAST\x01\x03'), Buffer.alloc(38), copy, copy])
  return parseKeyFile(fileIdOf(file), file)
}
const sealMessage = (sealingKey: Uint8Array, value: Value): Buffer => {
  const sealer = createSealer('key', sealingKey, sealing.id)
  return Buffer.concat([sealer.header, sealer.seal(encodeValue(value))])
}
const wrapping = deriveKey(secret.bytes, bytes(32), 'holdfast wrapping key')
const commitment = deriveKey(secret.bytes, bytes(32), 'holdfast key commitment')
const key = (master: Value, info: Value): Value[] => [
  ...[bytes(16), 0, 0, 0, 0, bytes(32), commitment],
  sealMessage(wrapping, master),
  sealMessage(subkeys.files.key, info),
]
const parseMaster = async (value: Value): Promise<unknown> =>
  await openKeyFile(parseKey(key(value, [])) as ReturnType<typeof parseKeyFile>, secret)
const parseInfo = (value: Value): unknown =>
  openKeyInfo(parseKey(key([], value)) as ReturnType<typeof parseKeyFile>, subkeys)

const parseSession = async (value: Value): Promise<unknown> => {
  const backend = createMemoryBackend()
  const session = '0'.repeat(32) as SessionId
  await backend.put(sessionName(session), sealValue(sealing, 'session', value), { owner: 'test' })
  return await readSession(backend, sealing, session)
}

interface RecordCase {
  readonly name: string
  /** Texts of the page that the tables of its fields follow. */
  readonly tables: readonly string[]
  readonly sound: readonly Value[]
  readonly parse: (value: Value) => unknown
}

const one = (name: string, sound: readonly Value[], parse: (value: Value) => unknown): RecordCase => ({
  name,
  tables: [`Record \`${name}\``],
  sound,
  parse,
})
const nodeCase = (
  type: keyof typeof nodeTypes,
  tables: readonly string[],
  more: readonly Value[],
): RecordCase => ({
  name: `${type} node`,
  tables: ['Record `node`', ...tables],
  sound: [...common(nodeTypes[type]), ...more],
  parse: parseNode,
})
const inodeTable = 'All other types go on with'
const directoryEntry = (entry: Value): unknown => openDirectoryPage(encodeValue([1, [entry]]), 1)
const inSnapshot = (field: number) => (value: Value) => parseSnapshot(snapshot.with(field, value))

const records: readonly RecordCase[] = [
  one('config', config, parseConfig),
  one('settings', [1, bytes(32), 3, 2 ** 25], parseSettings),
  one('key', key([], []), parseKey),
  one('master', [bytes(32), config], parseMaster),
  one('key info', [0n, '', '', ''], parseInfo),
  one('block', block, parseBlock),
  one('pack footer', [bytes(16), [block]], (value) => decodeFooter(encodeValue(value))),
  one('index file', [[], bytes(32), bytes(32)], parseIndexFile),
  one('pack in an index file', [bytes(32), true, 5000, bytes(16), bytes(32), [block]], (value) =>
    parseIndexFile([[value], bytes(0), bytes(0)]),
  ),
  one('page', [0, []], (value) => parsePage(encodeValue(value), undefined)),
  one('index page entry', [Buffer.from('name'), bytes(32)], directoryEntry),
  one('extended attribute', [bytes(1), bytes(1)], (value) =>
    parseNode([...common(7).with(10, [value]), ...inode]),
  ),
  nodeCase('directory', ['Record `directory node`'], [bytes(32)]),
  nodeCase('file', [inodeTable, 'Record `file node`'], [...inode, 5n, false, [], 0, bytes(32)]),
  nodeCase('symlink', [inodeTable, 'Record `symlink node`'], [...inode, bytes(1)]),
  nodeCase('character', [inodeTable, 'Record `character node`'], [...inode, 1, 1]),
  nodeCase('block', [inodeTable, 'record `block node`'], [...inode, 1, 1]),
  nodeCase('fifo', [inodeTable], inode),
  nodeCase('socket', [inodeTable], inode),
  one('snapshot', snapshot, parseSnapshot),
  one('snapshot summary', summary, inSnapshot(15)),
  one('snapshot git state', ['', ''], inSnapshot(17)),
  one('session', [bytes(16), '', '', '', 1, 0n, ''], parseSession),
  one('pending', [bytes(32), bytes(32), bytes(16)], parsePending),
]

const outcome = async (parse: (value: Value) => unknown, value: Value): Promise<string> => {
  try {
    await parse(value)
    return 'taken'
  } catch (error) {
    expect((error as { code?: string }).code).toBe('DAMAGED')
    return (error as Error).message
  }
}

describe.each(records)('record $name', ({ name, tables, sound, parse }) => {
  let fields: FieldType[]
  beforeAll(() => {
    fields = tables.flatMap(fieldsOf)
  })

  test('has the fields of the page, no fewer and no more', async () => {
    expect(fields.map((field) => field.index)).toEqual(sound.map((_, index) => index))
    expect(await outcome(parse, sound)).toBe('taken')
    expect(await outcome(parse, sound.slice(0, -1))).not.toBe('taken')
    expect(await outcome(parse, [...sound, 0])).not.toBe('taken')
  })

  test('each field is of its type and has its limit', async () => {
    for (const field of fields) {
      const label = `${name}, field ${field.index}`
      const put = (value: Value): Promise<string> => outcome(parse, sound.with(field.index, value))
      // The type of a node and the body of a page are judged by what follows from them.
      if (field.name === '' || (name.endsWith(' node') && field.index === 0)) continue
      const wrong = field.name === 'bool' ? 0 : field.name === 'array' || field.name === 'record' ? 0 : true
      expect(await put(wrong), label).toMatch(complaintOf(field))
      const nil = await put(null)
      if (field.isNullable) expect(nil, label).toBe('taken')
      else expect(nil, label).toMatch(complaintOf(field))
      if (field.name === 'text') {
        expect(await put('x'.repeat(field.most!)), label).toBe('taken')
        expect(await put('x'.repeat(field.most! + 1)), label).toMatch(complaintOf(field))
      }
      if (field.name === 'wide') {
        const below = field.least === undefined ? -(2n ** 63n) : BigInt(field.least) - 1n
        expect((await put(below)) === 'taken', label).toBe(field.least === undefined)
      }
      if (field.name === 'uint' && field.most! > 255) expect(await put(-1), label).toMatch(complaintOf(field))
    }
  })
})

test('a number of a node that is no type is refused', async () => {
  const most = fieldsOf('Record `node`')[0]!.most!
  expect(Math.max(...Object.values(nodeTypes))).toBe(most)
  for (const type of [0, most + 1, 255]) {
    expect(await outcome(parseNode, [...common(type), ...inode])).toMatch('no known type')
  }
})

test('names that no file can have are refused', async () => {
  const file = (name: string): Value => [...common(7).with(1, Buffer.from(name)), ...inode]
  for (const name of ['', '.', '..', 'a/b', 'a\0b', '/']) {
    expect(await outcome(parseNode, file(name)), name).not.toBe('taken')
  }
  for (const name of ['...', ' ', '\\', 'x'.repeat(255)])
    expect(await outcome(parseNode, file(name))).toBe('taken')
})

test('a block is refused when its numbers do not fit each other', async () => {
  const refused = 'listed wrongly'
  expect(await outcome(parseBlock, [8192, 5, 0, row])).toMatch(refused)
  expect(await outcome(parseBlock, [4096, 4, 0, row])).toMatch(refused)
  expect(await outcome(parseBlock, [4096, 4, 1, row])).toBe('taken')
  expect(await outcome(parseBlock, [4096, 4080, 1, row])).toBe('taken')
  expect(await outcome(parseBlock, [4096, 4081, 1, row])).toMatch(refused)
  expect(await outcome(parseBlock, [8192, 4081, 1, row])).toBe('taken')
  for (const table of [bytes(0), bytes(35)])
    expect(await outcome(parseBlock, [4096, 5, 1, table])).toMatch(refused)
  const large = Buffer.from(row)
  large.writeUInt32LE(2 ** 24, 32)
  expect(await outcome(parseBlock, [4096, 5, 1, large])).toBe('taken')
  expect(await outcome(parseBlock, [4096, 5, 1, Buffer.concat([large, row])])).toMatch('too large')
})

test('settings out of their bounds are brought into them', () => {
  expect(parseSettings([1, null, 3, 1]).packTargetBytes).toBe(4_194_304)
  expect(parseSettings([1, null, 3, 2 ** 32 - 1]).packTargetBytes).toBe(1_073_741_824)
})

test('lists of ids that are cut are refused', async () => {
  for (const at of [1, 2]) {
    expect(await outcome(parseIndexFile, ([[], bytes(0), bytes(0)] as Value[]).with(at, bytes(31)))).toMatch(
      'cut',
    )
  }
  for (const at of [0, 1, 2]) {
    expect(
      await outcome(parsePending, ([bytes(0), bytes(0), bytes(0)] as Value[]).with(at, bytes(15))),
    ).toMatch('cut')
  }
})

test('a key whose name is not its hash is used all the same when a copy is whole', () => {
  const file = Buffer.from(encodeValue(key([], [])))
  const copy = Buffer.concat([file, hashBytes(file)])
  const damagedHeader = Buffer.concat([Buffer.alloc(48, 1), copy, copy])
  expect(parseKeyFile('0'.repeat(64) as FileId, damagedHeader).isDamaged).toBe(true)
})
