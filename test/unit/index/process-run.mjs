// One process of several that share an index.
//
// node process-run.mjs write <directory> <key> <rounds> <reset every n rounds, 0: never>
//   takes in file after file, each with a good pack, a pack condemned by the same file, and one long load now
//   and then; prints the number of each round when it is done
// node process-run.mjs read <directory> <key>
//   looks at everything again and again until `stop` is on standard input; fails on a chunk that must not be known
import { createHash } from 'node:crypto'
import { openLmdbIndex } from '../../../dist/index/index.js'

const [mode, directory, key, rounds, resetEvery] = process.argv.slice(2)
const hash = (name) => createHash('sha256').update(name).digest()
const index = await openLmdbIndex({
  directory,
  checkKey: Buffer.from(key),
  onNotice(message) {
    throw new Error(message)
  },
  limits: { runEntries: 64, transactionEntries: 40, records: 16 },
})
const chunksOf = (name) => Array.from({ length: 60 }, (_, number) => hash(`${name} ${number}`))
const packOf = (name) => ({
  id: hash(`pack ${name}`).toString('hex'),
  kind: 'data',
  sizeBytes: 9000,
  session: 'ab'.repeat(16),
  salt: new Uint8Array(32),
  blocks: [
    {
      storedBytes: 8192,
      payloadBytes: 60,
      plainBytes: 60,
      method: 1,
      chunks: Buffer.concat(chunksOf(name).map((id) => Buffer.concat([id, Buffer.from([1, 0, 0, 0])]))),
    },
  ],
})

async function* filesOf(round) {
  for (const part of round % 3 === 0 ? [0, 1, 2] : [0]) {
    const [good, bad] = [packOf(`good ${round} ${part}`), packOf(`bad ${round} ${part}`)]
    const facts = { packs: [bad, good], condemned: [], replaces: [] }
    yield { file: hash(`file ${round} ${part}`).toString('hex'), facts }
    // The condemnation comes with the last of the load.
    yield {
      file: hash(`word ${round} ${part}`).toString('hex'),
      facts: { packs: [], condemned: [bad.id], replaces: [] },
    }
  }
}

if (mode === 'write') {
  for (let round = 0; round < Number(rounds); round++) {
    if (Number(resetEvery) > 0 && round % Number(resetEvery) === Number(resetEvery) - 1) await index.reset()
    await index.update(filesOf(round))
    console.log(round)
  }
} else {
  let stopped = false
  process.stdin.on('data', () => {
    stopped = true
  })
  for (let looks = 0; !stopped; looks++) {
    for (let round = 0; round < 30; round++) {
      index.renew()
      for (const part of [0, 1, 2]) {
        for (const id of chunksOf(`bad ${round} ${part}`))
          if (index.has(id)) throw new Error('a condemned copy is known')
        const isKnown = chunksOf(`good ${round} ${part}`).map((id) => index.has(id))
        if (new Set(isKnown).size !== 1) throw new Error('a load is seen in part')
      }
    }
    for (const { homes } of index.chunks()) if (homes.length !== 1) throw new Error('a chunk is listed twice')
    if (looks === 0) console.log('looking')
    await new Promise(setImmediate)
  }
}
await index.close()
process.exit(0)
