import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createMemoryBackend } from '../../../src/backend/index.ts'
import { backup, chunkerConfig } from '../../../src/backup/index.ts'
import { hashBytes, type Secret } from '../../../src/crypto/index.ts'
import { type FileId, type SessionId, toHex } from '../../../src/encoding/index.ts'
import { prune } from '../../../src/prune/index.ts'
import { repairIndex } from '../../../src/repair/index.ts'
import {
  createRepository,
  indexFileValue,
  openRepository,
  pendingValue,
  type Repository,
} from '../../../src/repository/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { flipped, noise } from '../../damage/shelf.ts'

const secret: Secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 9) }
const nobody = '0'.repeat(32) as SessionId

let base: string
let source: string
let files: Map<string, Buffer>
let repository: Repository
let onCall: (operation: string, name: string) => void

const names = (room: string): string[] =>
  [...files.keys()].filter((name) => name.startsWith(`${room}/`)).sort()
const idOf = (name: string): FileId => name.split('/').at(-1) as FileId

async function open(cacheDirectory: string | null = null): Promise<Repository> {
  const backend = createMemoryBackend({ files, onCall: async (operation, name) => onCall(operation, name) })
  return await openRepository(backend, { secret, cacheDirectory })
}

/** Repair and verify as clients that have just come. */
async function repairAnew(options: Parameters<typeof repairIndex>[1] = {}): ReturnType<typeof repairIndex> {
  const fresh = await open()
  try {
    return await repairIndex(fresh, options)
  } finally {
    await fresh.close()
  }
}

async function problemFiles(): Promise<string[]> {
  const fresh = await open()
  try {
    return (await verify(fresh, { readData: true })).problems.map(({ file }) => file)
  } finally {
    await fresh.close()
  }
}

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'holdfast-repair-'))
  source = join(base, 'source')
  mkdirSync(source)
  files = new Map()
  onCall = () => {}
  const created = await createRepository(createMemoryBackend({ files }), {
    secret,
    cacheDirectory: null,
    chunker: chunkerConfig(),
    nowMs: 1_700_000_000_000,
  })
  for (const run of [1, 2, 3]) {
    writeFileSync(join(source, `file-${run}`), noise(run, 30_000))
    await backup(created, [source], { threads: 0 })
  }
  await created.close()
  repository = await open()
})

afterEach(async () => {
  await repository.close()
  rmSync(base, { recursive: true })
})

describe('index files that are lost', () => {
  test('all of them: the repository comes back whole, and a second repair does nothing', async () => {
    for (const name of names('index')) files.delete(name)
    expect(await problemFiles()).toEqual(['index'])
    const result = await repairAnew()
    expect(result).toMatchObject({ soundFiles: 0, removedFiles: [], listedPacks: 6, unreadable: [] })
    expect(result.writtenFiles.map((id) => `index/${id}`)).toEqual(names('index'))
    expect(await problemFiles()).toEqual([])
    expect(names('sessions')).toEqual([])

    const before = new Map(files)
    const again = await repairAnew()
    expect(again).toMatchObject({ soundFiles: 1, listedPacks: 0, writtenFiles: [], condemnedPacks: 0 })
    expect(files).toEqual(before)
  })

  test('one of them: only its packs are listed anew', async () => {
    const [lost] = names('index')
    files.delete(lost!)
    expect(await repairAnew()).toMatchObject({ soundFiles: 2, listedPacks: 2 })
    expect(await problemFiles()).toEqual([])
  })

  test('a client that knew the lost ones goes on with what it has, and backs up', async () => {
    const cache = join(base, 'cache')
    const client = await open(cache)
    await client.loadIndex()
    for (const name of names('index')) files.delete(name)
    await repairIndex(client)
    writeFileSync(join(source, 'file-4'), noise(4, 30_000))
    await backup(client, [source], { threads: 0 })
    await client.close()
    expect(await problemFiles()).toEqual([])
    expect(names('data')).toHaveLength(4)
  })
})

describe('index files that are damaged', () => {
  test('are removed once their facts are durable, and not before', async () => {
    const [damaged] = names('index')
    files.set(damaged!, flipped(files.get(damaged!)!, 60))
    const removals: { name: string; sound: number }[] = []
    const sound = new Set(names('index').filter((name) => name !== damaged))
    onCall = (operation, name) => {
      if (operation !== 'remove') return
      removals.push({ name, sound: names('index').filter((one) => one !== damaged).length - sound.size })
    }
    const result = await repairAnew()
    expect(result).toMatchObject({ soundFiles: 2, removedFiles: [idOf(damaged!)], listedPacks: 2 })
    expect(removals[0]).toEqual({ name: damaged, sound: 1 })
    expect(files.has(damaged!)).toBe(false)
    expect(await problemFiles()).toEqual([])
  })

  test('clients that took them in before they were damaged need no rebuild', async () => {
    const notices: string[] = []
    const backend = createMemoryBackend({ files })
    const cacheDirectory = join(base, 'cache')
    const client = await openRepository(backend, {
      secret,
      cacheDirectory,
      onNotice: (message) => notices.push(message),
    })
    await client.loadIndex()
    const [damaged] = names('index')
    files.set(damaged!, flipped(files.get(damaged!)!, 60))
    await repairAnew()
    await client.loadIndex()
    expect(notices).toEqual([])
    expect([...client.index.packs()]).toHaveLength(6)
    await client.close()
  })

  test('of a newer format: nothing is removed', async () => {
    const bytes = flipped(files.get(names('index')[0]!)!, 8, 0x02)
    const name = `index/${toHex(hashBytes(bytes))}`
    files.set(name, bytes)
    const before = new Map(files)
    await expect(repairAnew()).rejects.toMatchObject({ code: 'NEWER_FORMAT' })
    expect(files).toEqual(before)
  })
})

describe('packs', () => {
  test('whose footers cannot be read are left alone and said', async () => {
    for (const name of names('index')) files.delete(name)
    const [damaged] = names('data')
    const bytes = files.get(damaged!)!
    files.set(damaged!, flipped(bytes, bytes.length - 6))
    const result = await repairAnew()
    expect(result).toMatchObject({ listedPacks: 5 })
    expect(result.unreadable.map(({ file }) => file)).toEqual([damaged])
    expect(files.has(damaged!)).toBe(true)
  })

  test('named in pending files are condemned with the same file that lists them', async () => {
    const condemned = names('data').slice(0, 2).map(idOf)
    await repository.putValue(
      'pending',
      pendingValue({ packs: condemned, indexFiles: [], sessions: [] }),
      nobody,
    )
    for (const name of names('index')) files.delete(name)
    const result = await repairAnew()
    expect(result).toMatchObject({ condemnedPacks: 2, listedPacks: 6 })
    await repository.loadIndex()
    expect([...repository.index.condemned()].sort()).toEqual([...condemned].sort())
    expect(result.writtenFiles).toHaveLength(1)
  })

  test('that this client knows to be condemned stay so', async () => {
    const client = await open(join(base, 'cache'))
    const condemned = names('data').slice(0, 1).map(idOf)
    const facts = { packs: [], condemned, replaces: [] }
    const word = await repository.putValue('index', indexFileValue(facts), nobody)
    await client.loadIndex()
    files.delete(`index/${word}`)
    expect(await repairIndex(client)).toMatchObject({ condemnedPacks: 1 })
    await client.close()
    await repository.loadIndex()
    expect([...repository.index.condemned()]).toEqual(condemned)
  })

  test('that are listed and gone are condemned: the next backup stores what it still has', async () => {
    const lost = names('data')[0]!
    files.delete(lost)
    expect(await problemFiles()).toEqual([lost])
    expect(await repairAnew()).toMatchObject({
      missingPacks: [idOf(lost)],
      condemnedPacks: 1,
      listedPacks: 0,
    })
    await backup(repository, [source], { threads: 0 })
    expect(await problemFiles()).toEqual([])
    expect(await repairAnew()).toMatchObject({ missingPacks: [], condemnedPacks: 0, writtenFiles: [] })
  })

  test('deleted by a prune while it runs are not called missing', async () => {
    const lost = names('data')[0]!
    const facts = { packs: [], condemned: [idOf(lost)], replaces: [] }
    const word = `index/${await repository.putValue('index', indexFileValue(facts), nobody)}`
    const bytes = files.get(word)!
    files.delete(word)
    onCall = (operation, name) => {
      if (operation !== 'list' || name !== 'data') return
      // After the first look at the index: the word that it is to go is durable, then it goes.
      files.set(word, bytes)
      files.delete(lost)
    }
    expect(await repairAnew()).toMatchObject({ missingPacks: [], condemnedPacks: 0 })
  })
})

describe('readAll', () => {
  test('lists every pack anew; the files this repeats go with the next prune', async () => {
    const old = names('index')
    const result = await repairAnew({ readAll: true })
    expect(result).toMatchObject({ soundFiles: 3, listedPacks: 6, removedFiles: [] })
    expect(names('index')).toHaveLength(4)
    expect(await problemFiles()).toEqual([])
    await prune(repository)
    for (const name of old) expect(files.has(name)).toBe(false)
    expect(await problemFiles()).toEqual([])
  })

  test('keeps the old files when a footer cannot be read, and every condemnation', async () => {
    const damaged = names('data')[0]!
    const bytes = files.get(damaged)!
    const facts = { packs: [], condemned: [idOf(names('data')[1]!)], replaces: [] }
    await repository.putValue('index', indexFileValue(facts), nobody)
    files.set(damaged, flipped(bytes, bytes.length - 6))
    expect(await repairAnew({ readAll: true })).toMatchObject({ listedPacks: 5 })
    expect(names('pending')).toEqual([])
    files.set(damaged, bytes)
    await repairAnew({ readAll: true })
    expect(names('pending')).toHaveLength(1)
    await prune(repository)
    const fresh = await open()
    await fresh.loadIndex()
    expect(fresh.index.isCondemned(facts.condemned[0]!)).toBe(true)
    await fresh.close()
  })
})

describe('a crash', () => {
  test('after any step leaves a repository that a second repair brings back', async () => {
    const [damaged] = names('index')
    files.set(damaged!, flipped(files.get(damaged!)!, 60))
    files.delete(names('index').find((name) => name !== damaged)!)
    const start = new Map(files)
    const changing = new Set(['put', 'putNew', 'remove', 'commit'])
    for (let allowed = 0; ; allowed++) {
      files.clear()
      for (const [name, bytes] of start) files.set(name, bytes)
      let steps = 0
      onCall = (operation) => {
        if (changing.has(operation) && ++steps > allowed) throw new Error('the machine stopped')
      }
      const isDone = await repairAnew().then(
        () => true,
        () => false,
      )
      onCall = () => {}
      if (isDone) {
        expect(allowed).toBeGreaterThan(2)
        break
      }
      await repairAnew()
      expect(await problemFiles()).toEqual([])
    }
  })
})

test('it holds a session while it runs, and leaves none behind, also when it is interrupted', async () => {
  let sessions = 0
  onCall = (operation, name) => {
    if (operation === 'list' && name === 'data') sessions = names('sessions').length
  }
  await repairAnew()
  expect(sessions).toBe(1)
  for (const name of names('index')) files.delete(name)
  await expect(repairAnew({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'INTERRUPTED' })
  expect(names('sessions')).toEqual([])
})

test('progress counts footers', async () => {
  for (const name of names('index')) files.delete(name)
  const seen: string[] = []
  await repairAnew({ onProgress: ({ done, total }) => seen.push(`${done}/${total}`) })
  expect(seen).toEqual(['1/6', '2/6', '3/6', '4/6', '5/6', '6/6'])
})
