// Opens damaged copies of an index, one after the other, and prints what each was worth. It runs in a process of
// its own: LMDB ends the process when it meets damage, and that must be seen.
//
// node damage-run.mjs <index to copy> <temporary directory> <JSON: { key, known, unknown, damages }>
import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLmdbIndex } from '../../../dist/index/index.js'

const [source, directory, input] = process.argv.slice(2)
const { key, known, unknown, damages } = JSON.parse(readFileSync(input, 'utf8'))
const toId = (hex) => Buffer.from(hex, 'hex')
const newPack = {
  id: 'ee'.repeat(32),
  kind: 'data',
  sizeBytes: 8192,
  session: 'ab'.repeat(16),
  salt: new Uint8Array(32),
  blocks: Array.from({ length: 40 }, () => ({
    storedBytes: 4096,
    payloadBytes: 9,
    plainBytes: 9,
    method: 0,
    chunks: newChunks(),
  })),
}

function newChunks() {
  return Buffer.concat(
    Array.from({ length: 20 }, () =>
      Buffer.concat([crypto.getRandomValues(Buffer.alloc(32)), Buffer.from([9, 0, 0, 0])]),
    ),
  )
}

function damage({ kind, file = 'data.mdb', at, length, bytes }) {
  const path = join(directory, file)
  if (kind === 'delete') unlinkSync(path)
  if (kind === 'truncate') truncateSync(path, length)
  if (kind === 'directory') {
    rmSync(path, { force: true })
    mkdirSync(path)
  }
  if (kind === 'write') {
    const content = readFileSync(path)
    Buffer.from(bytes, 'hex').copy(content, at)
    writeFileSync(path, content)
  }
  if (kind === 'replace') writeFileSync(path, Buffer.from(bytes, 'hex'))
}

async function* files(file) {
  yield { file, facts: { packs: [newPack], condemned: ['dd'.repeat(32)], replaces: [] } }
}

for (const each of damages) {
  rmSync(directory, { recursive: true, force: true })
  cpSync(source, directory, { recursive: true })
  damage(each)
  const notices = []
  const open = () =>
    openLmdbIndex({ directory, checkKey: Buffer.from(key), onNotice: (line) => notices.push(line) })
  let index = await open()
  const count = (ids) => ids.filter((id) => index.has(toId(id))).length
  const found = { known: count(known), unknown: count(unknown), chunks: [...index.chunks()].length }
  index.markLost(['cc'.repeat(32)])
  index.putCached([['big', Buffer.alloc(30_000, 1)]])
  await index.update(files('bb'.repeat(32)))
  const added = index.has(newPack.blocks[39].chunks.subarray(0, 32))
  await index.close()
  const noticesBefore = notices.length
  index = await open()
  const after = { known: count(known), unknown: count(unknown) }
  await index.reset()
  await index.update(files('aa'.repeat(32)))
  await index.close()
  console.log(JSON.stringify({ notices, found, added, after, later: notices.length - noticesBefore }))
}
