import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHex } from '../../../src/encoding/index.ts'
import { createSidecar } from '../../../src/index/sidecar.ts'
import { fileOf, filesOf, idOf, indexFile, packOf } from './build-facts.ts'
import { checkKey, openIndex, temporaryDirectory } from './temporary-index.ts'

const run = promisify(execFile)
const script = new URL('damage-run.mjs', import.meta.url).pathname

interface Damage {
  readonly kind: 'none' | 'delete' | 'truncate' | 'directory' | 'write' | 'replace'
  readonly file?: string
  readonly at?: number
  readonly length?: number
  /** Hex. */
  readonly bytes?: string
}

interface Outcome {
  readonly notices: readonly string[]
  readonly found: { readonly known: number; readonly unknown: number; readonly chunks: number }
  readonly added: boolean
  readonly after: { readonly known: number; readonly unknown: number }
  readonly later: number
}

const names = Array.from({ length: 2000 }, (_, number) => `chunk ${number}`)
const known = names.slice(0, 1500).map((name) => toHex(idOf(name)))
const unknown = names.slice(1500).map((name) => toHex(idOf(name)))

describe('a damaged index', () => {
  const { directory, remove } = temporaryDirectory()
  afterAll(remove)
  let pages: number
  let sizeBytes: number

  // Long values, many tables, pages freed and used again.
  beforeAll(async () => {
    const index = await openIndex(directory)
    await index.update(filesOf([indexFile('old', { packs: [packOf('old', [names])] })]))
    await index.reset()
    const blocks = Array.from({ length: 300 }, (_, number) => names.slice(number * 5, number * 5 + 5))
    await index.update(filesOf([indexFile('1', { packs: [packOf('p', blocks)] })]))
    // These are only in packs that do not count.
    const bad = [packOf('condemned', [names.slice(1500, 1700)]), packOf('lost', [names.slice(1700)])]
    await index.update(filesOf([indexFile('2', { packs: bad, condemned: [fileOf('condemned')] })]))
    index.markLost([fileOf('lost')])
    index.putCached([['snapshot', Buffer.alloc(20_000, 3)]])
    index.putCached([['snapshot', Buffer.alloc(10, 3)]])
    await index.close()
    sizeBytes = statSync(join(directory, 'data.mdb')).size
    pages = sizeBytes / 4096
  })

  /** Every outcome of the damages; fails when the process died. */
  async function outcomes(damages: readonly Damage[]): Promise<Outcome[]> {
    const input = join(directory, '..', `${randomBytes(4).toString('hex')}.json`)
    writeFileSync(input, JSON.stringify({ key: checkKey.toString(), known, unknown, damages }))
    const { stdout } = await run(process.execPath, [script, directory, `${input}.index`, input])
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Outcome)
    expect(found).toHaveLength(damages.length)
    for (const [place, outcome] of found.entries()) {
      const context = JSON.stringify(damages[place])
      // Whatever happened: nothing is known that is not there, and what is left can be written and opened.
      expect([outcome.found.unknown, outcome.after.unknown, outcome.added, outcome.later], context).toEqual([
        0,
        0,
        true,
        0,
      ])
      expect(outcome.notices.length, context).toBeLessThanOrEqual(1)
      const isKept = outcome.notices.length === 0
      expect(outcome.found, context).toEqual({
        known: isKept ? 1500 : 0,
        unknown: 0,
        chunks: isKept ? 2000 : 0,
      })
    }
    return found
  }

  test('is looked through and kept when it is not damaged after all', async () => {
    const [outcome] = await outcomes([{ kind: 'none' }])
    expect(outcome?.notices).toEqual([])
  })

  test('is begun anew when the data file is gone, empty, cut, noise, or a directory', async () => {
    const lengths = [0, 1, 24, 100, 4095, 4096, 8191, 8192, 8193, 12_288, Math.floor(sizeBytes / 2)]
    const found = await outcomes([
      { kind: 'delete' },
      { kind: 'directory' },
      ...lengths.map((length) => ({ kind: 'truncate' as const, length })),
      { kind: 'write', at: 0, bytes: toHex(randomBytes(sizeBytes)) },
      { kind: 'replace', bytes: toHex(randomBytes(100_000)) },
      { kind: 'replace', bytes: '00'.repeat(100_000) },
      // The meta pages are right, everything else is noise.
      { kind: 'write', at: 8192, bytes: toHex(randomBytes(sizeBytes - 8192)) },
    ])
    for (const outcome of found)
      expect(outcome.notices[0]).toMatch(/^the local index at .* was damaged: rebuilding it$/)
  })

  test('is survived when it is cut between pages', async () => {
    const cuts = Array.from({ length: Math.ceil(pages / 4) }, (_, number) => number * 4 * 4096 + 8192)
    const found = await outcomes(
      cuts.filter((cut) => cut < sizeBytes).map((length) => ({ kind: 'truncate', length })),
    )
    expect(found[0]?.notices).toHaveLength(1)
  })

  test('is survived when a page is noise', async () => {
    const found = await outcomes(
      [
        0,
        1,
        ...Array.from({ length: Math.floor(pages / 2) }, (_, number) => 2 * number + 1 + (number % 2)),
      ].map((page) => ({ kind: 'write' as const, at: page * 4096, bytes: toHex(randomBytes(4096)) })),
    )
    // Noise in free pages does not matter; in the others it must have been seen.
    expect(found.filter((outcome) => outcome.notices.length === 1).length).toBeGreaterThan(20)
    expect(found.slice(0, 2).map((outcome) => outcome.notices.length)).toEqual([1, 1])
  })

  test('is survived when a few bytes are other ones', async () => {
    const random = (below: number) => randomBytes(4).readUInt32LE(0) % below
    const metas = Array.from({ length: 20 }, (_, number) => (number % 2) * 4096 + random(168))
    const headers = Array.from({ length: 40 }, () => random(pages) * 4096 + random(60))
    const anywhere = Array.from({ length: 40 }, () => random(sizeBytes - 8))
    await outcomes(
      [...metas, ...headers, ...anywhere].map((at) => ({
        kind: 'write',
        at,
        bytes: toHex(randomBytes(1 + random(8))),
      })),
    )
  })

  test('is survived when the lock file is gone, noise, cut or a directory', async () => {
    const found = await outcomes([
      { kind: 'delete', file: 'lock.mdb' },
      { kind: 'replace', file: 'lock.mdb', bytes: toHex(randomBytes(9000)) },
      { kind: 'replace', file: 'lock.mdb', bytes: '' },
      { kind: 'truncate', file: 'lock.mdb', length: 100 },
      { kind: 'directory', file: 'lock.mdb' },
    ])
    expect(found.map((outcome) => outcome.notices.length)).toEqual([0, 0, 0, 0, 1])
  })

  test('a rotten row is a miss when nothing else shows the damage, and no other row suffers', async () => {
    const copy = temporaryDirectory()
    const index = await openIndex(copy.directory)
    await index.update(
      filesOf([
        indexFile('1', { packs: [packOf('p', [names.slice(0, 50)]), packOf('q', [names.slice(50, 99)])] }),
      ]),
    )
    await index.close()
    const path = join(copy.directory, 'data.mdb')
    const bytes = readFileSync(path)
    // One bit of one home, and one bit of the row of pack q.
    flipAfter(bytes, Buffer.from(idOf('chunk 7')), 4)
    flipAfter(bytes, Buffer.from(fileOf('q'), 'hex'), 3)
    writeFileSync(path, bytes)
    createSidecar(copy.directory, statSync(path, { bigint: true }).ino).write()
    const again = await openIndex(copy.directory)
    const isKnown = (from: number, to: number) => names.slice(from, to).map((name) => again.has(idOf(name)))
    expect(isKnown(0, 50).filter((isIn) => !isIn)).toHaveLength(1)
    expect(again.has(idOf('chunk 7'))).toBe(false)
    expect(again.findAll(idOf('chunk 7'))).toEqual([])
    expect(again.pack(fileOf('q'))).toBeUndefined()
    expect(isKnown(50, 99)).toEqual(Array.from({ length: 49 }, () => false))
    await again.close()
    copy.remove()
  })

  test('a sidecar of noise, or of another state, counts as missing; one of another version does not', async () => {
    const clean = readFileSync(join(directory, 'clean'), 'latin1')
    const otherVersion = clean.replace(/^holdfast index \d+/, 'holdfast index 999')
    const found = await outcomes(
      [toHex(randomBytes(200)), '', toHex(Buffer.from(clean)), toHex(Buffer.from(otherVersion))].map(
        (bytes) => ({
          kind: 'replace',
          file: 'clean',
          bytes,
        }),
      ),
    )
    expect(found.map((outcome) => outcome.notices.length)).toEqual([0, 0, 0, 1])
    expect(found[3]?.notices[0]).toMatch(/is of another version of holdfast: rebuilding it$/)
  })
})

/** Flip a bit of the byte that lies so many bytes behind each place of `mark`. */
function flipAfter(bytes: Buffer, mark: Buffer, distance: number): void {
  let at = bytes.indexOf(mark)
  expect(at).toBeGreaterThan(0)
  for (; at !== -1; at = bytes.indexOf(mark, at + 1)) bytes[at + mark.length + distance]! ^= 1
}
