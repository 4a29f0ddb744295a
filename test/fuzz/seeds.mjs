// Where fuzzing begins: what the golden repositories hold, opened, each for the parser that reads it.
//
//   npm run build && node test/fuzz/seeds.mjs
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBackend } from '../../dist/backend/index.js'
import { loadZstd } from '../../dist/compression/index.js'
import { encodeValue } from '../../dist/encoding/index.js'
import { readKeyFile } from '../../dist/library/index.js'
import { fileName, listFiles, openRepository, openValue } from '../../dist/repository/index.js'
import { parsers } from './parsers.fuzz.mjs'

const golden = fileURLToPath(new URL('../fixtures/repos/', import.meta.url))
const texts = {
  name: ['config', 'data/ab/ab', 'sessions/0123.over', 'tmp/session-0123456789abcdef'],
  argument: ['latest', 'latest~3:/home', '0123abcd', 'latest:'],
  time: ['2026-03-01 18:00', '2 days ago', 'yesterday 18:00', '2026-01-01T00:00:00Z'],
  duration: ['1y2m3d4h', '14d', '36h'],
  excludes: ['# comment\n*.o\n!keep.o\n/build/\n\\#name\n', '**/cache/**\n'],
  glob: ['*.txt', '[a-z]?[!0-9]', '\\*', '[[]'],
}

/** Write one file for each seed, named by its hash. */
async function writeSeeds(folder) {
  const add = (parser, bytes) => {
    const input = Buffer.concat([Buffer.of(Object.keys(parsers).indexOf(parser)), bytes])
    const name = createHash('sha256').update(input).digest('hex').slice(0, 40)
    writeFileSync(join(folder, name), input)
  }
  for (const [parser, lines] of Object.entries(texts))
    for (const line of lines) add(parser, Buffer.from(line))
  // Lengths of payload and plaintext, the method, and the payload: stored, then compressed.
  const plain = Buffer.from('some text that is stored, some text that is compressed. '.repeat(20))
  for (const [method, payload] of [plain, Buffer.from(loadZstd().compress(plain, 3))].entries()) {
    const head = Buffer.alloc(9)
    head.writeUInt32LE(payload.length, 0)
    head.writeUInt32LE(plain.length, 4)
    head[8] = method
    add('block', Buffer.concat([head, payload]))
  }
  for (const version of readdirSync(golden).filter((name) => /^v\d+$/.test(name))) {
    const copy = mkdtempSync(join(tmpdir(), 'holdfast-seeds-'))
    try {
      cpSync(join(golden, version, 'repository'), copy, { recursive: true })
      const secret = readKeyFile(join(golden, version, 'key'))
      const repository = await openRepository(await openBackend(copy), { secret, cacheDirectory: null })
      await repository.loadIndex()
      await addFiles(repository, add)
      for (const key of readdirSync(join(copy, 'keys'))) add('key', readFileSync(join(copy, 'keys', key)))
      for (const file of readdirSync(join(copy, 'snapshots'))) {
        add('header', readFileSync(join(copy, 'snapshots', file)).subarray(0, 64))
      }
      await repository.close()
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  }
}

async function addFiles(repository, add) {
  const { backend } = repository
  for (const kind of ['index', 'snapshot', 'settings', 'pending']) {
    for await (const { id } of listFiles(backend, kind)) {
      const name = fileName(kind, id)
      add(kind, openValue(repository, kind, name, await backend.get(name), encodeValue))
    }
  }
  add('config', openValue(repository, 'config', 'config', await backend.get('config'), encodeValue))
  const kinds = new Map([...repository.index.packs()].map((row) => [row.number, row]))
  for (const { kind, id, sizeBytes } of kinds.values()) {
    const footer = await repository.readPack({ kind, id, sizeBytes })
    add('footer', encodeValue([Buffer.from(footer.session, 'hex'), footer.blocks.map(blockOf)]))
  }
  for (const chunk of repository.index.chunks()) {
    const row = kinds.get(chunk.homes[0].pack)
    if (row.kind !== 'tree') continue
    const page = await repository.readChunk('tree', chunk.id)
    add('page', page)
    add('value', page)
    add('content', Buffer.concat([Buffer.of(page[1]), page]))
  }
}

const blockOf = ({ storedBytes, payloadBytes, method, chunks }) => [storedBytes, payloadBytes, method, chunks]

await writeSeeds(fileURLToPath(new URL('./corpus', import.meta.url)))
