import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../../src/backend/index.ts'
import { backup } from '../../src/backup/index.ts'
import { createChunker, defaultParameters } from '../../src/chunker/index.ts'
import { chunkId, type SessionId } from '../../src/encoding/index.ts'
import {
  addKey,
  createRepository,
  declareOver,
  parsePending,
  pendingValue,
} from '../../src/repository/index.ts'
import {
  createDirectoryWriter,
  type Node,
  parseNode,
  type TreeSink,
  writeContent,
} from '../../src/tree/index.ts'
import { openPack } from './format-packs.ts'
import { FormatReader } from './format-reader.ts'
import { contentRoot, cut, directoryRoot } from './format-rules.ts'
import { chunkIdOf, subkey } from './format-sealed.ts'
import type { Value } from './format-values.ts'

const password = 'pa\u00e9ssword'
const keyFile = Buffer.alloc(32, 9)
const masterKey = Buffer.alloc(32, 3)

/** Bytes that look random and are the same in every run. */
function noise(length: number, seed: string): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < length; at += 32) parts.push(createHash('sha256').update(`${seed} ${at}`).digest())
  return Buffer.concat(parts).subarray(0, length)
}

describe('a repository that the program wrote', () => {
  const place = mkdtempSync(join(tmpdir(), 'holdfast-format-'))
  const source = join(place, 'source')
  const repositoryPath = join(place, 'repository')
  let snapshotId: string

  beforeAll(async () => {
    mkdirSync(join(source, 'many'), { recursive: true })
    writeFileSync(join(source, 'empty'), '')
    writeFileSync(join(source, 'hello.txt'), 'Hello, world\n')
    writeFileSync(join(source, 'noise'), noise(700_000, 'noise'))
    writeFileSync(join(source, 'zeros'), Buffer.alloc(300_000))
    symlinkSync('hello.txt', join(source, 'link'))
    for (let at = 0; at < 1500; at++) writeFileSync(join(source, 'many', `file ${at}`), `content ${at % 700}`)
    const backend = await openBackend(repositoryPath, { create: true })
    const repository = await createRepository(backend, {
      secret: { kind: 'password', password },
      cacheDirectory: null,
      chunker: { algorithm: 'gear-nc-1', numbers: [4096, 16_384, 65_536, 64, 64, 2] },
      nowMs: 1_767_225_600_000,
      cost: { logN: 10, r: 8, p: 1 },
    })
    await addKey(repository, { kind: 'keyFile', bytes: keyFile }, { nowMs: 1_767_225_600_000 })
    const result = await backup(repository, [source], { threads: 0 })
    snapshotId = result.snapshotId!
    await repository.putValue(
      'pending',
      pendingValue({ packs: [], indexFiles: [], sessions: ['0'.repeat(32) as SessionId] }),
      '0'.repeat(32) as SessionId,
    )
    await repository.close()
  })

  afterAll(() => rmSync(place, { recursive: true, force: true }))

  const rootOf = (reader: FormatReader): Buffer => reader.snapshots().get(snapshotId)![14] as Buffer

  test.each([
    ['a password', { password }, 'index'],
    ['a password typed with a combining accent', { password: password.normalize('NFD') }, 'index'],
    ['a key file', { keyFile }, 'index'],
    ['a password, without the index', { password }, 'footers'],
  ] as const)('is read whole with %s', (_, secret, from) => {
    const reader = new FormatReader(repositoryPath, secret, from)
    const seen = new Map<string, Value[]>()
    for (const { path, node, content } of reader.walk(rootOf(reader))) {
      seen.set(path, node)
      if (content !== undefined) expect(content.equals(readFileSync(path)), path).toBe(true)
    }
    const names = readdirSync(source, { recursive: true, encoding: 'utf8' })
    for (const name of names) expect(seen.has(join(source, name)), name).toBe(true)
    const folders = source.split('/').length - 1
    expect(seen.size).toBe(names.length + folders)
    expect((seen.get(join(source, 'link'))![14] as Buffer).toString()).toBe('hello.txt')
    expect(seen.get(join(source, 'hello.txt'))![14]).toBe(13n)
    expect(reader.page(seen.get(join(source, 'many'))![11] as Buffer, undefined).level).toBeGreaterThan(0)
    expect(seen.get(join(source, 'noise'))![17]).toBeGreaterThan(0)
  })

  test('another writer cuts, pages and names the same', () => {
    const reader = new FormatReader(repositoryPath, { password })
    const numbers = reader.config[6] as number[]
    const nodes: Value[][] = []
    let many: Buffer | undefined
    for (const { path, node, content } of reader.walk(rootOf(reader))) {
      if (path === join(source, 'many')) many = node[11] as Buffer
      if (path.startsWith(join(source, 'many/'))) nodes.push(node)
      if (content === undefined) continue
      let at = 0
      const ids = cut(content, reader.masterKey, numbers).map((length) => {
        at += length
        return chunkIdOf(reader.masterKey, 'data', content.subarray(at - length, at))
      })
      expect(reader.contentIds(node), path).toEqual(ids)
      if (ids.length > 8) {
        const root = contentRoot(ids, reader.masterKey)
        expect([node[17], node[18]]).toEqual([root.level + 1, root.id])
      } else expect([node[17], node[18]]).toEqual([0, Buffer.concat(ids)])
    }
    expect(directoryRoot(nodes, reader.masterKey).id).toEqual(many)
  })

  test('small files say what the page says', () => {
    const reader = new FormatReader(repositoryPath, { password })
    for (const kind of ['settings', 'pending'] as const) {
      const [name] = reader.list(kind)
      const value = reader.value(kind, `${kind}/${name}`) as Value[]
      if (kind === 'settings') expect(value).toEqual([1, null, 3, 33_554_432])
      else expect(parsePending(value).sessions).toEqual(['0'.repeat(32)])
    }
    const snapshot = reader.snapshots().get(snapshotId)!
    expect(snapshot[6]).toEqual([Buffer.from(source)])
    expect((snapshot[15] as Value[])[10]).toBe(1504)
    expect(reader.list('sessions')).toEqual([])
    for (const [pack, { kind }] of reader.packs) {
      const path = join(repositoryPath, kind === 'data' ? 'data' : 'trees', pack.slice(0, 2), pack)
      expect(openPack(readFileSync(path), reader.masterKey).session).toEqual(snapshot[13])
    }
  })

  test('a wrong secret is told from damage, and a lost config is no loss', () => {
    const code = (read: () => unknown): string => {
      try {
        read()
        return 'none'
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(code(() => new FormatReader(repositoryPath, { password: 'other' }))).toBe('WRONG_KEY')
    expect(code(() => new FormatReader(place, { password }))).toBe('NO_REPOSITORY')
    const config = join(repositoryPath, 'config')
    const bytes = readFileSync(config)
    const whole = new FormatReader(repositoryPath, { password }).config
    rmSync(config)
    expect(new FormatReader(repositoryPath, { password }).config).toEqual(whole)
    const changed = Buffer.from(bytes)
    changed[100]! ^= 1
    writeFileSync(config, changed)
    expect(code(() => new FormatReader(repositoryPath, { password }))).toBe('DAMAGED')
    writeFileSync(config, bytes)
    const version = Buffer.from(bytes)
    version[8] = 2
    writeFileSync(config, version)
    expect(code(() => new FormatReader(repositoryPath, { password }))).toBe('NEWER_FORMAT')
    writeFileSync(config, bytes)
  })

  test('a snapshot whose session is over is not confirmed', async () => {
    const reader = new FormatReader(repositoryPath, { password })
    const session = (reader.snapshots().get(snapshotId)![13] as Buffer).toString('hex') as SessionId
    const backend = await openBackend(repositoryPath)
    const fileKey = subkey(reader.masterKey, 'holdfast file session')
    const sealing = { id: reader.config[0] as Buffer, subkeys: { files: { session: fileKey } as never } }
    await declareOver(backend, sealing, session, 'f'.repeat(32) as SessionId)
    expect(reader.snapshots().size).toBe(0)
    const over = reader.value('session', `sessions/${session}.over`) as Buffer[]
    expect(over.map((one) => one.toString('hex'))).toEqual([session, 'f'.repeat(32)])
    await backend.remove(`sessions/${session}.over`)
    expect(reader.snapshots().size).toBe(1)
  })
})

describe('rules for writers', () => {
  const chunkerKey = subkey(masterKey, 'holdfast chunker')

  test.each([
    ['a file', 0, {}],
    ['the second step of growth', 4 * 1024, {}],
    ['before the first step', 64, { growth: { fromBytes: 128 * 2 ** 20, ratio: 2, doublings: 2 } }],
    ['the last step, long before', 1024, { growth: { fromBytes: 128 * 2 ** 20, ratio: 2, doublings: 1 } }],
    ['another average', 64, { minimumBytes: 512, averageBytes: 4096, maximumBytes: 9000 }],
  ])('content at the offset of %s is cut alike', (_, offsetMib, changes) => {
    const parameters = { ...defaultParameters, ...changes }
    const { minimumBytes, averageBytes, maximumBytes, growth } = parameters
    const numbers = [
      minimumBytes,
      averageBytes,
      maximumBytes,
      growth.fromBytes / 2 ** 20,
      growth.ratio,
      growth.doublings,
    ]
    const content = Buffer.concat([
      noise(400_000, 'one'),
      Buffer.alloc(200_000, 'abc'),
      noise(300_123, 'two'),
    ])
    const chunker = createChunker(parameters, chunkerKey)
    chunker.window.set(content)
    const count = chunker.cut(content.length, true, offsetMib * 2 ** 20)
    let last = 0
    const lengths = Array.from(chunker.ends.subarray(0, count), (end) => {
      const length = end - last
      last = end
      return length
    })
    expect(cut(content, masterKey, numbers, offsetMib * 2 ** 20)).toEqual(lengths)
    expect(lengths.length).toBeGreaterThan(8)
  })

  /** A sink that names pages as a repository does. */
  function createSink(): TreeSink & { readonly pages: Buffer[] } {
    const pages: Buffer[] = []
    return {
      pages,
      saveTree(bytes) {
        pages.push(Buffer.from(bytes))
        return chunkId(chunkIdOf(masterKey, 'tree', bytes))
      },
    }
  }

  test.each([0, 1, 63, 64, 1024, 5000, 60_000])('a list of %i chunks has the same root', (count) => {
    const all = noise(count * 32, 'ids')
    const ids = Array.from({ length: count }, (_, at) => all.subarray(at * 32, at * 32 + 32))
    const content = writeContent(createSink(), all)
    if (count <= 8) expect(content).toEqual({ depth: 0, ids: all })
    else {
      const root = contentRoot(ids, masterKey)
      expect(content).toEqual({ depth: root.level + 1, ids: root.id })
    }
  })

  test('ids whose pages never end by hash end at the most entries', () => {
    const all = Buffer.alloc(3000 * 32, 5)
    const ids = Array.from({ length: 3000 }, () => all.subarray(0, 32))
    const sink = createSink()
    expect(writeContent(sink, all).ids).toEqual(contentRoot(ids, masterKey).id)
    expect(Math.max(...sink.pages.map((page) => page.length))).toBeGreaterThan(1024 * 32)
  })

  const node = (at: number, more: object): Node =>
    ({
      ...{ type: 'fifo', name: `${at}`.padStart(6, '0'), mode: 0, uid: 0, gid: 0, user: '', group: '' },
      ...{ mtimeNs: 0n, ctimeNs: 0n, atimeNs: null, xattrs: [], inode: 0n, links: 1, fileSystem: null },
      ...more,
    }) as Node

  test.each<[string, number, (at: number) => object]>([
    ['short nodes', 20_000, () => ({})],
    ['long attributes', 300, (at) => ({ xattrs: [[Buffer.from('user.x'), Buffer.alloc(100 * at)]] })],
    [
      'long targets',
      300,
      (at) => ({ type: 'symlink', target: Buffer.alloc(at < 8 ? 65_280 : (at * 97) % 65_536) }),
    ],
    [
      'many holes and chunks',
      1200,
      (at) => ({
        ...{ type: 'file', sizeBytes: 1n << 40n, racy: false },
        holes: Array.from({ length: (at * 7) % 400 }, (_, index) => [BigInt(index * 2), 1n]),
        content: { depth: 0, ids: Buffer.alloc((at % 9) * 32) },
      }),
    ],
    ['no node', 0, () => ({})],
  ])('a directory with %s has the same root', (_, count, more) => {
    const sink = createSink()
    const writer = createDirectoryWriter(sink)
    const nodes = Array.from({ length: count }, (_, at) => node(at, more(at)))
    for (const one of nodes) writer.add(one)
    const values = nodes.map((one) => storedForm(one))
    expect(writer.finish()).toEqual(directoryRoot(values, masterKey).id)
    for (const value of values.slice(0, 20)) expect(parseNode(value).type).toBe(nodes[0]!.type)
  })

  /** The record of a node, field by field as the page has it. */
  function storedForm(one: Node): Value[] {
    const types = { file: 1, directory: 2, symlink: 3, fifo: 4, character: 5, block: 6, socket: 7 }
    const fields: Value[] = [
      types[one.type],
      Buffer.from(one.name),
      one.mode,
      one.uid,
      one.gid,
      one.user,
      one.group,
    ]
    fields.push(one.mtimeNs, one.ctimeNs, one.atimeNs)
    fields.push(one.xattrs.map(([name, value]) => [Buffer.from(name), Buffer.from(value)]))
    if (one.type === 'directory') return [...fields, Buffer.from(one.tree)]
    fields.push(one.inode, one.links, one.fileSystem)
    if (one.type === 'symlink') fields.push(Buffer.from(one.target))
    if (one.type === 'file') {
      fields.push(one.sizeBytes, one.racy, one.holes.flat(), one.content.depth, Buffer.from(one.content.ids))
    }
    return fields
  }
})
