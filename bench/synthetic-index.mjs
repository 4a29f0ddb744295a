// Makes a repository whose index files say that it holds many chunks: random ids in packs shaped as a backup of
// system trees leaves them. Index files are encoded, sealed and put by the product's own code; a data pack is a
// sparse file of the length its index file states, so that commands which list packs find what they expect.
import { createHash } from 'node:crypto'
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createRepository } from '../dist/index.js'
import { fileName, indexFileValue } from '../dist/repository/index.js'

/** As a backup of system trees leaves them: average chunks of 10 KiB that compress to a third. */
const CHUNKS_A_BLOCK = 100
const BLOCKS_A_PACK = 80
const PACKS_AN_INDEX_FILE = 4
const CHUNK_BYTES = 10_240
const PAYLOAD_BYTES = 350_000
const STORED_BYTES = Math.ceil((PAYLOAD_BYTES + 16) / 4096) * 4096
const ROW_BYTES = 36

/**
 * Make a repository and put index files for `chunks` random chunks into it.
 *
 * @param {{ location: string, secret: object, chunks: number, seed: string }} options
 * @returns {Promise<{ id: string, packs: number, indexFiles: number }>} `id`: of the repository, in hex
 */
export async function makeSyntheticRepository({ location, secret, chunks, seed }) {
  const repository = await createRepository({ location, secret, cacheDirectory: null })
  const counts = { id: Buffer.from(repository.id).toString('hex'), packs: 0, indexFiles: 0 }
  try {
    const session = '5'.repeat(32)
    for (let left = chunks; left > 0; ) {
      const packs = []
      for (; packs.length < PACKS_AN_INDEX_FILE && left > 0; counts.packs++) {
        const pack = makePack(`${seed}/${counts.packs}`, session, left)
        left -= pack.chunks
        makeSparseFile(join(location, fileName('data', pack.facts.id)), pack.facts.sizeBytes)
        packs.push(pack.facts)
      }
      await repository.putValue('index', indexFileValue({ packs, condemned: [], replaces: [] }), session)
      counts.indexFiles++
    }
  } finally {
    await repository.close()
  }
  return counts
}

/** The facts of one pack with at most `most` chunks. */
function makePack(seed, session, most) {
  const wanted = Math.min(CHUNKS_A_BLOCK * BLOCKS_A_PACK, most)
  const blocks = []
  for (let made = 0; made < wanted; made += CHUNKS_A_BLOCK) {
    blocks.push(makeBlock(`${seed}/${blocks.length}`, Math.min(CHUNKS_A_BLOCK, wanted - made)))
  }
  const id = createHash('sha256').update(seed).digest('hex')
  const sizeBytes = 64 + blocks.length * STORED_BYTES + wanted * ROW_BYTES
  return { chunks: wanted, facts: { id, kind: 'data', sizeBytes, session, salt: Buffer.alloc(32), blocks } }
}

function makeBlock(seed, count) {
  const ids = createHash('shake256', { outputLength: 32 * count })
    .update(seed)
    .digest()
  const chunks = Buffer.alloc(count * ROW_BYTES)
  for (let row = 0; row < count; row++) {
    ids.copy(chunks, row * ROW_BYTES, row * 32, row * 32 + 32)
    chunks.writeUInt32LE(CHUNK_BYTES, row * ROW_BYTES + 32)
  }
  const plainBytes = count * CHUNK_BYTES
  return { storedBytes: STORED_BYTES, payloadBytes: PAYLOAD_BYTES, plainBytes, method: 1, chunks }
}

function makeSparseFile(path, sizeBytes) {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 })
  const fd = openSync(path, 'wx', 0o600)
  ftruncateSync(fd, sizeBytes)
  closeSync(fd)
}
