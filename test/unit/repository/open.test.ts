import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Secret } from '../../../src/crypto/index.ts'
import { HoldfastError } from '../../../src/errors/index.ts'
import {
  configValue,
  fileIdOf,
  fileName,
  type Repository,
  type RepositoryConfig,
  sealValue,
} from '../../../src/repository/index.ts'
import { defaultSettings, type Settings, settingsValue } from '../../../src/repository/settings.ts'
import { cheapCost, createStore, flipBit, type MemoryStore, ownId, secret, storeChunks } from './scene.ts'

const password: Secret = { kind: 'password', password: 'correct horse' }
const wrong: Secret = { kind: 'password', password: 'battery staple' }

function collectNotices(): { readonly notices: string[]; readonly onNotice: (message: string) => void } {
  const notices: string[] = []
  return { notices, onNotice: (message) => void notices.push(message) }
}

function replaceConfig(store: MemoryStore, repository: Repository, change: Partial<RepositoryConfig>): void {
  store.files.set('config', sealValue(repository, 'config', configValue({ ...repository.config, ...change })))
}

function putSettings(store: MemoryStore, repository: Repository, change: Partial<Settings>): string {
  const bytes = sealValue(repository, 'settings', settingsValue({ ...defaultSettings, ...change }))
  const name = fileName('settings', fileIdOf(bytes))
  store.files.set(name, bytes)
  return name
}

describe('createRepository()', () => {
  test('leaves one config, one key and one settings file, and opens with its secret', async () => {
    const store = createStore()
    const made = await store.create({ secret: password, settings: { compressionLevel: 7 } })
    expect([...store.files.keys()].sort().map((name) => name.split('/')[0])).toEqual([
      'config',
      'keys',
      'settings',
    ])
    const opened = await store.open({ secret: password })
    expect(opened.config).toEqual(made.config)
    expect(opened.masterKey.equals(made.masterKey)).toBe(true)
    expect(opened.settings.compressionLevel).toBe(7)
    expect(opened.keyName).toBe(made.keyName)
  })

  test('puts the config last, and create-only', async () => {
    const store = createStore()
    await store.create()
    const written = store.calls.filter((call) => call.operation.startsWith('put'))
    expect(written.at(-1)).toEqual({ operation: 'putNew', name: 'config' })
    expect(written).toHaveLength(3)
  })

  test('refuses a place that has a repository, and changes nothing there', async () => {
    const store = createStore()
    await storeChunks(await store.create(), 'data', [Buffer.from('chunk')])
    const before = new Map(store.files)
    await expect(store.create()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    store.files.delete('config')
    await expect(store.create()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    before.delete('config')
    expect(store.files).toEqual(before)
  })

  test('of any number at once in one place exactly one wins, and the others leave nothing', async () => {
    for (let round = 0; round < 20; round++) {
      const store = createStore()
      let turn = round
      // Calls take turns in another order each round.
      store.before = async () => {
        turn = (turn * 7 + 3) % 11
        for (let wait = 0; wait < turn % 5; wait++) await Promise.resolve()
      }
      const results = await Promise.allSettled([store.create(), store.create(), store.create()])
      const won = results.filter((result) => result.status === 'fulfilled')
      expect(won).toHaveLength(1)
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ALREADY_EXISTS' })
      }
      expect(store.names('keys')).toHaveLength(1)
      const opened = await store.open()
      expect(opened.config.id).toEqual(won[0]!.value.config.id)
    }
  })

  test('stopped before any call, either a repository opens or another can be made', async () => {
    for (let last = 0; ; last++) {
      const store = createStore()
      let calls = 0
      store.before = () => {
        if (calls++ >= last) throw new Error('stopped')
      }
      const finished = await store.create().then(
        () => true,
        () => false,
      )
      store.before = () => {}
      const opened = await store.open().catch((error: unknown) => error)
      if (opened instanceof Error) {
        expect(opened).toMatchObject({ code: 'NO_REPOSITORY' })
        await store.create()
      } else {
        const [id] = await storeChunks(opened as Repository, 'data', [Buffer.from('chunk')])
        expect((await (opened as Repository).readChunk('data', id!)).toString()).toBe('chunk')
      }
      if (finished) return
    }
  })

  test('what was begun is finished with the same secret and options, and left alone with others', async () => {
    const store = createStore()
    const begun = await store.create({ settings: { compressionLevel: 7 } })
    store.files.delete('config')
    const before = new Map(store.files)
    await expect(store.create({ secret: wrong })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(store.create({ chunker: { ...begun.config.chunker, numbers: [1] } })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    expect(store.files).toEqual(before)
    const { notices, onNotice } = collectNotices()
    await store.create({ settings: { compressionLevel: 5 } })
    const opened = await store.open({ onNotice })
    expect(opened.config).toEqual(begun.config)
    expect(opened.settings.compressionLevel).toBe(5)
    expect(store.names('settings')).toHaveLength(1)
    expect(notices).toEqual([])
  })

  test('the key of an init that lost to another and was stopped then is passed over', async () => {
    const other = createStore()
    await other.create()
    for (let round = 0; round < 4; round++) {
      const store = createStore()
      const made = await store.create()
      // Keys are tried in the order of their names, which are random.
      const [name] = other.names('keys')
      store.files.set(`keys/${name!.split('/').at(-1)}`, other.files.get(name!)!)
      const { notices, onNotice } = collectNotices()
      expect((await store.open({ onNotice })).config.id).toEqual(made.config.id)
      expect(notices).toEqual([])
    }
  })

  test('the key of an init that lost to another with another secret opens nothing', async () => {
    const other = createStore()
    await other.create({ secret: wrong })
    const store = createStore()
    await store.create()
    const [name] = other.names('keys')
    store.files.set(name!, other.files.get(name!)!)
    await expect(store.open({ secret: wrong })).rejects.toMatchObject({
      code: 'WRONG_KEY',
      hint: expect.stringContaining(name!),
    })
    await store.open()
  })

  test('an init that fails leaves its key to whoever finishes it meanwhile, or gives it again', async () => {
    const store = createStore()
    let finished: Repository | undefined
    store.before = async (operation, name) => {
      if (operation !== 'putNew' || name !== 'config') return
      store.before = () => {}
      finished = await store.create()
      throw new HoldfastError('IO', 'the connection broke')
    }
    await expect(store.create()).rejects.toMatchObject({ code: 'IO' })
    expect((await store.open()).config.id).toEqual(finished!.config.id)
  })

  test('settings that nobody could read back are refused before anything is written', async () => {
    const store = createStore()
    await expect(store.create({ settings: { compressionLevel: 25 } })).rejects.toMatchObject({
      code: 'USAGE',
    })
    expect(store.files.size).toBe(0)
  })
})

describe('openRepository()', () => {
  test('says where there is no repository', async () => {
    await expect(createStore().open()).rejects.toMatchObject({ code: 'NO_REPOSITORY' })
  })

  test('says that the key is wrong, not that anything is damaged', async () => {
    const store = createStore()
    await store.create({ secret: password })
    await expect(store.open({ secret: wrong })).rejects.toMatchObject({ code: 'WRONG_KEY', exitCode: 12 })
    await expect(store.open({ secret })).rejects.toMatchObject({ code: 'WRONG_KEY' })
  })

  test('takes a password in any Unicode form', async () => {
    const store = createStore()
    await store.create({ secret: { kind: 'password', password: 'caf\u00e9' } })
    await store.open({ secret: { kind: 'password', password: 'cafe\u0301' } })
  })

  test('one flipped bit anywhere in the key file costs a notice and nothing else', async () => {
    const store = createStore()
    const { config } = await store.create()
    const name = store.names('keys')[0]!
    const whole = store.files.get(name)!
    for (let at = 0; at < whole.length; at += 13) {
      flipBit(store.files, name, at)
      const { notices, onNotice } = collectNotices()
      const opened = await store.open({ onNotice })
      expect(opened.config).toEqual(config)
      expect(notices).toEqual([expect.stringContaining('second copy is whole')])
      store.files.set(name, whole)
    }
  })

  test('a key damaged in both copies, cut or emptied is damage, whatever the password', async () => {
    const store = createStore()
    await store.create({ secret: password })
    const name = store.names('keys')[0]!
    const whole = store.files.get(name)!
    const half = (whole.length - 48) / 2
    const twice = Buffer.from(whole)
    twice[60]! ^= 1
    twice[48 + half + 12]! ^= 1
    for (const bytes of [twice, whole.subarray(0, 200), Buffer.alloc(0), Buffer.alloc(5000)]) {
      store.files.set(name, bytes)
      for (const tried of [password, wrong]) {
        await expect(store.open({ secret: tried })).rejects.toMatchObject({ code: 'DAMAGED', exitCode: 20 })
      }
    }
  })

  test('with one key damaged beyond use, another still opens, and a wrong one is told of the damage', async () => {
    const store = createStore()
    await store.create({ secret: password })
    const damaged = `keys/${'0'.repeat(64)}`
    store.files.set(damaged, Buffer.alloc(300))
    await store.open({ secret: password })
    await expect(store.open({ secret: wrong })).rejects.toMatchObject({
      code: 'WRONG_KEY',
      hint: expect.stringContaining('1 of 2 keys are damaged'),
    })
  })

  test('a hostile scrypt cost is refused before it is tried', async () => {
    const store = createStore()
    const { createKeyFile } = await import('../../../src/repository/key-file.ts')
    const repository = await store.create({ secret: password })
    const name = store.names('keys')[0]!
    const info = { createdMs: 0, user: '', host: '', label: '' }
    const bytes = await createKeyFile(
      repository.masterKey,
      repository.subkeys,
      repository.config,
      password,
      info,
      cheapCost,
    )
    // logN is the one byte 10 behind the method: 31 asks for 2 TiB.
    const { hashBytes } = await import('../../../src/crypto/index.ts')
    const payload = Buffer.from(bytes.subarray(48, 48 + (bytes.length - 48) / 2 - 32))
    const at = payload.indexOf(Buffer.from([1, 10, 8, 1]))
    expect(at).toBeGreaterThan(0)
    payload[at + 1] = 31
    const copy = Buffer.concat([payload, hashBytes(payload)])
    const file = Buffer.concat([bytes.subarray(0, 48), copy, copy])
    store.files.delete(name)
    store.files.set(fileName('key', fileIdOf(file)), file)
    await expect(store.open({ secret: password })).rejects.toMatchObject({ code: 'DAMAGED' })
  })

  test('a lost or damaged config is taken from the key, with a notice', async () => {
    const store = createStore()
    const { config } = await store.create()
    const whole = store.files.get('config')!
    const cases: [string, Buffer | undefined][] = [
      ['missing', undefined],
      ['damaged', Buffer.from(whole).fill(0, 60, 61)],
      ['damaged', whole.subarray(0, 100)],
      ['damaged', Buffer.alloc(0)],
    ]
    for (const [word, bytes] of cases) {
      if (bytes === undefined) store.files.delete('config')
      else store.files.set('config', bytes)
      const { notices, onNotice } = collectNotices()
      expect((await store.open({ onNotice })).config).toEqual(config)
      expect(notices).toEqual([expect.stringContaining(`config is ${word}`)])
    }
  })

  test('keys all lost but the config there: damage with the way out, not "no repository"', async () => {
    const store = createStore()
    await store.create()
    store.files.delete(store.names('keys')[0]!)
    await expect(store.open()).rejects.toMatchObject({
      code: 'DAMAGED',
      hint: expect.stringContaining('keys/'),
    })
  })

  test('a newer format or an unknown required feature is refused with what to do', async () => {
    const store = createStore()
    const repository = await store.create()
    const cases: Partial<RepositoryConfig>[] = [
      { readVersion: 9, writeVersion: 9 },
      { requiredFeatures: ['parity'] },
    ]
    for (const change of cases) {
      replaceConfig(store, repository, change)
      await expect(store.open()).rejects.toMatchObject({
        code: 'NEWER_FORMAT',
        hint: expect.stringContaining('newer holdfast'),
      })
    }
  })

  test('a newer version to write can still be read, and an unknown optional feature does not matter', async () => {
    const store = createStore()
    const repository = await store.create()
    const [id] = await storeChunks(repository, 'data', [Buffer.from('chunk')])
    replaceConfig(store, repository, { writeVersion: 2, optionalFeatures: ['hints'] })
    const opened = await store.open()
    expect((await opened.readChunk('data', id!)).toString()).toBe('chunk')
    expect(() => opened.checkWritable()).toThrow(expect.objectContaining({ code: 'NEWER_FORMAT' }))
  })

  test('the settings with the highest counter are in force', async () => {
    const store = createStore()
    const repository = await store.create()
    putSettings(store, repository, { counter: 3, compressionLevel: 9 })
    putSettings(store, repository, { counter: 2, compressionLevel: 5 })
    expect((await store.open()).settings).toMatchObject({ counter: 3, compressionLevel: 9 })
  })

  test('damaged settings are passed over and missing ones are the defaults, both with a notice', async () => {
    const store = createStore()
    const repository = await store.create({ settings: { compressionLevel: 5 } })
    const name = putSettings(store, repository, { counter: 3, compressionLevel: 9 })
    flipBit(store.files, name, 70)
    const first = collectNotices()
    expect((await store.open(first)).settings.compressionLevel).toBe(5)
    expect(first.notices).toEqual([expect.stringContaining(name)])
    for (const one of store.names('settings')) store.files.delete(one)
    const second = collectNotices()
    expect((await store.open(second)).settings).toEqual(defaultSettings)
    expect(second.notices).toEqual([expect.stringContaining('missing')])
  })

  test('a client says so when the settings fall behind what it has seen', async () => {
    const cacheDirectory = mkdtempSync(join(tmpdir(), 'holdfast-open-'))
    onTestFinished(() => rmSync(cacheDirectory, { recursive: true, force: true }))
    const store = createStore()
    const repository = await store.create({ cacheDirectory })
    await repository.close()
    const newer = putSettings(store, repository, { counter: 2 })
    const openOnce = async (): Promise<string[]> => {
      const { notices, onNotice } = collectNotices()
      await (await store.open({ cacheDirectory, onNotice })).close()
      return notices
    }
    expect(await openOnce()).toEqual([])
    store.files.delete(newer)
    expect(await openOnce()).toEqual([expect.stringContaining('older')])
    expect(await openOnce()).toEqual([expect.stringContaining('older')])
    putSettings(store, repository, { counter: 3 })
    expect(await openOnce()).toEqual([])
  })

  test('the local index lies in a folder named by the repository, and is found again', async () => {
    const cacheDirectory = mkdtempSync(join(tmpdir(), 'holdfast-open-'))
    onTestFinished(() => rmSync(cacheDirectory, { recursive: true, force: true }))
    const store = createStore()
    const repository = await store.create({ cacheDirectory })
    const [id] = await storeChunks(repository, 'data', [Buffer.from('chunk')])
    expect(dirname(repository.indexDirectory!)).toBe(cacheDirectory)
    expect(basename(repository.indexDirectory!)).toMatch(
      new RegExp(`^${Buffer.from(repository.id).toString('hex')}-[0-9a-f]{16}$`),
    )
    await repository.close()
    const opened = await store.open({ cacheDirectory })
    // Not loaded again: what the index file said is still known.
    expect(opened.index.has(id!)).toBe(true)
    expect(opened.index.has(ownId(opened, 'data', Buffer.from('other')))).toBe(false)
    await opened.close()
  })
})
