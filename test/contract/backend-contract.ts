import { createHash, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Backend, MAX_WHOLE_BYTES } from '../../src/backend/index.ts'
import { DamagedError, type ErrorCode, hasCode } from '../../src/errors/index.ts'

const owner = 'ab12'
const MIB = 1024 * 1024

/** One empty place to store in: any number of clients can be opened on it. */
export interface Storage {
  open(): Promise<Backend>
  remove(): Promise<void>
}

/** What types.ts promises of every backend. `create` gives an empty storage of its own for each test. */
export function backendContract(create: () => Promise<Storage>): void {
  let storage: Storage
  let backend: Backend

  beforeEach(async () => {
    storage = await create()
    backend = await storage.open()
  })

  afterEach(async () => {
    await backend.close()
    await storage.remove()
  })

  describe('get and put', () => {
    it('put() then get() returns the same bytes, to this client and another', async () => {
      const bytes = randomBytes(100_000)
      await backend.put(data('a'), bytes, { owner })
      const other = await storage.open()
      expect((await backend.get(data('a'))).equals(bytes)).toBe(true)
      expect((await other.get(data('a'))).equals(bytes)).toBe(true)
      await other.close()
    })

    it('put() takes a view as its bytes alone, and keeps no hold on it', async () => {
      const bytes = Buffer.from('..inside..')
      await backend.put('config', bytes.subarray(2, 8), { owner })
      bytes.fill(0)
      expect((await backend.get('config')).toString()).toBe('inside')
    })

    it('get() gives memory that belongs to the caller alone', async () => {
      await backend.put('config', Buffer.from('abc'), { owner })
      const first = await backend.get('config')
      expect(first.buffer.byteLength).toBe(3)
      first.fill(0)
      const range = await backend.getRange('config', 1, 2)
      expect(range.buffer.byteLength).toBe(2)
      range.fill(0)
      expect((await backend.get('config')).toString()).toBe('abc')
    })

    it('an empty file is a file', async () => {
      await backend.put('sessions/00', Buffer.alloc(0), { owner })
      expect(await backend.get('sessions/00')).toHaveLength(0)
      expect(await backend.getRange('sessions/00', 0, 0)).toHaveLength(0)
      expect(await listed(backend, 'sessions')).toEqual({ 'sessions/00': 0 })
    })

    it('a missing file is NO_SUCH_FILE, and so is a directory', async () => {
      await backend.put(data('a'), Buffer.from('a'), { owner })
      for (const name of [data('b'), 'config', 'data', 'data/aa', 'snapshots/x']) {
        await expectCode(backend.get(name), 'NO_SUCH_FILE')
        await expectCode(backend.getRange(name, 0, 1), 'NO_SUCH_FILE')
      }
    })

    it('put() replaces a file', async () => {
      await backend.put('config', Buffer.from('longer'), { owner })
      await backend.put('config', Buffer.from('short'), { owner })
      expect((await backend.get('config')).toString()).toBe('short')
    })

    it('a file appears whole: get and list never meet a part of it', async () => {
      const reader = await storage.open()
      const bytes = randomBytes(4 * MIB)
      let isDone = false
      const writing = backend.put(data('a'), bytes, { owner }).then(() => {
        isDone = true
      })
      let whole = 0
      for (let last = false; !last; ) {
        last = isDone
        const sizes = Object.values(await listed(reader, 'data'))
        expect(sizes.every((sizeBytes) => sizeBytes === bytes.length)).toBe(true)
        const seen = await reader.get(data('a')).catch((error: unknown) => {
          if (hasCode(error, 'NO_SUCH_FILE')) return undefined
          throw error
        })
        if (seen === undefined) continue
        expect(seen.equals(bytes)).toBe(true)
        whole++
      }
      await writing
      expect(whole).toBeGreaterThan(0)
      await reader.close()
    })

    it('more bytes than a file may have in one call are refused', async () => {
      await expect(backend.put('config', new Uint8Array(MAX_WHOLE_BYTES + 1), { owner })).rejects.toThrow(
        /range/,
      )
      await expect(backend.getRange('config', 0, MAX_WHOLE_BYTES + 1)).rejects.toThrow(/range/)
    })

    it('get() refuses a file that is too long before it makes room for it', async () => {
      const piece = new Uint8Array(MAX_WHOLE_BYTES)
      const file = await backend.stage(owner)
      await file.append(piece)
      await file.append(piece.subarray(0, 1))
      await file.commit('index/long')
      await expect(backend.get('index/long')).rejects.toBeInstanceOf(DamagedError)
      expect(await backend.getRange('index/long', MAX_WHOLE_BYTES, 1)).toHaveLength(1)
    })
  })

  describe('getRange', () => {
    it('gives exactly the bytes asked for, or DamagedError when the file ends before', async () => {
      const bytes = randomBytes(1000)
      await backend.put(data('a'), bytes, { owner })
      const offset = fc.integer({ min: 0, max: 1100 })
      await fc.assert(
        fc.asyncProperty(offset, offset, async (offsetBytes, lengthBytes) => {
          const range = backend.getRange(data('a'), offsetBytes, lengthBytes)
          const target = Buffer.alloc(lengthBytes)
          if (backend.fillNow?.(data('a'), offsetBytes, target))
            expect(target.equals(bytes.subarray(offsetBytes, offsetBytes + lengthBytes))).toBe(true)
          if (offsetBytes + lengthBytes <= bytes.length) {
            expect((await range).equals(bytes.subarray(offsetBytes, offsetBytes + lengthBytes))).toBe(true)
          } else {
            const error = await failure(range)
            expect(error).toBeInstanceOf(DamagedError)
            expect((error as DamagedError).file).toBe(data('a'))
          }
        }),
        { numRuns: 60 },
      )
    })

    it('fills memory of the caller with the same bytes, also memory that threads share', async () => {
      const bytes = randomBytes(1000)
      await backend.put(data('a'), bytes, { owner })
      for (const target of [Buffer.alloc(600), Buffer.from(new SharedArrayBuffer(700), 50, 600)]) {
        await backend.fillRange(data('a'), 300, target)
        expect(target.equals(bytes.subarray(300, 900))).toBe(true)
      }
      await expectCode(backend.fillRange(data('a'), 300, Buffer.alloc(701)), 'DAMAGED')
      await expectCode(backend.fillRange(data('b'), 0, Buffer.alloc(1)), 'NO_SUCH_FILE')
      await expect(backend.fillRange('config', -1, Buffer.alloc(1))).rejects.toThrow(/range/)
      expect(await backend.fillRange(data('a'), 1000, Buffer.alloc(0))).toBeUndefined()
    })

    it.each([
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
      [Number.MAX_SAFE_INTEGER + 1, 0],
    ])('refuses %d, %d', async (offsetBytes, lengthBytes) => {
      await expect(backend.getRange('config', offsetBytes, lengthBytes)).rejects.toThrow(/range/)
    })
  })

  describe('putNew', () => {
    it('refuses a name that is taken and leaves the file as it is', async () => {
      await backend.putNew('config', Buffer.from('first'), { owner })
      await expectCode(backend.putNew('config', Buffer.from('second'), { owner }), 'ALREADY_EXISTS')
      expect((await backend.get('config')).toString()).toBe('first')
      expect(await listed(backend, 'tmp')).toEqual({})
    })

    it('of many at once exactly one wins, and its bytes are there', async () => {
      const clients = await Promise.all(Array.from({ length: 8 }, () => storage.open()))
      for (let round = 0; round < 5; round++) {
        const name = `keys/${round}`
        const outcomes = await Promise.allSettled(
          clients.map((client, number) => client.putNew(name, Buffer.alloc(5000, number), { owner })),
        )
        const winners = outcomes.flatMap((outcome, number) =>
          outcome.status === 'fulfilled' ? [number] : [],
        )
        expect(winners).toHaveLength(1)
        expect((await backend.get(name)).equals(Buffer.alloc(5000, winners[0]))).toBe(true)
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(hasCode(outcome.reason, 'ALREADY_EXISTS')).toBe(true)
        }
      }
      expect(await listed(backend, 'tmp')).toEqual({})
    })
  })

  describe('stage', () => {
    it('streams 40 MiB in pieces, and range reads give them back', async () => {
      const file = await backend.stage(owner)
      const hash = createHash('sha1')
      for (let number = 0; number < 40; number++) {
        const piece = Buffer.alloc(MIB, number)
        piece.writeUInt32LE(number, MIB - 4)
        hash.update(piece)
        await file.append(piece)
        piece.fill(0xff)
      }
      expect(await listed(backend, 'data')).toEqual({})
      await file.commit(data('a'))
      expect(await listed(backend, 'data')).toEqual({ [data('a')]: 40 * MIB })
      const back = createHash('sha1')
      for (let at = 0; at < 40 * MIB; at += 8 * MIB)
        back.update(await backend.getRange(data('a'), at, 8 * MIB))
      expect(back.digest('hex')).toBe(hash.digest('hex'))
      expect(await listed(backend, 'tmp')).toEqual({})
    })

    it('what is staged is seen under tmp/ with its owner, and nowhere else', async () => {
      const file = await backend.stage('feed')
      await file.append(Buffer.from('left behind'))
      const names = Object.keys(await listed(backend, 'tmp'))
      expect(names).toHaveLength(1)
      expect(names[0]).toMatch(/^tmp\/feed-[0-9a-f]{16}$/)
      for (const directory of ['data', 'snapshots', 'sessions'])
        expect(await listed(backend, directory)).toEqual({})
      await file.discard()
      expect(await listed(backend, 'tmp')).toEqual({})
    })

    it('many are staged at once, each for itself', async () => {
      const files = await Promise.all(Array.from({ length: 6 }, () => backend.stage(owner)))
      await Promise.all(files.map((file, number) => file.append(Buffer.from(`file ${number}`))))
      await Promise.all(files.map((file, number) => file.commit(data(String(number)))))
      for (let number = 0; number < files.length; number++) {
        expect((await backend.get(data(String(number)))).toString()).toBe(`file ${number}`)
      }
    })

    it('an empty one can be committed', async () => {
      const file = await backend.stage(owner)
      await file.commit('index/empty')
      expect(await backend.get('index/empty')).toHaveLength(0)
    })

    it('ends with commit or discard: discard again is fine, all else is refused', async () => {
      const committed = await backend.stage(owner)
      await committed.append(Buffer.from('x'))
      await committed.commit('index/x')
      await committed.discard()
      expect((await backend.get('index/x')).toString()).toBe('x')
      const discarded = await backend.stage(owner)
      await discarded.discard()
      await discarded.discard()
      for (const file of [committed, discarded]) {
        await expect(file.append(Buffer.from('y'))).rejects.toThrow(/committed or discarded/)
        await expect(file.commit('index/y')).rejects.toThrow(/committed or discarded/)
      }
      expect(await listed(backend, '')).toEqual({ 'index/x': 1 })
    })

    it('a commit under a bad name ends it and leaves nothing', async () => {
      const file = await backend.stage(owner)
      await expect(file.commit('../x')).rejects.toThrow(/not a name/)
      expect(await listed(backend, '')).toEqual({})
    })

    it('a commit fails where another client has removed the temporary file', async () => {
      const file = await backend.stage(owner)
      await file.append(Buffer.from('x'))
      const other = await storage.open()
      for (const name of Object.keys(await listed(other, 'tmp'))) await other.remove(name)
      await expectCode(file.commit('index/x'), 'IO')
      expect(await listed(backend, '')).toEqual({})
      await other.close()
    })
  })

  describe('list', () => {
    it('finds files at any depth below the directory, and none beside it', async () => {
      for (const name of ['config', 'data/aa/1', 'data/ab/2', 'data/3', 'datax/4', 'index/5']) {
        await backend.put(name, Buffer.from(name), { owner })
      }
      expect(await listed(backend, 'data')).toEqual({ 'data/aa/1': 9, 'data/ab/2': 9, 'data/3': 6 })
      expect(await listed(backend, 'data/ab')).toEqual({ 'data/ab/2': 9 })
      expect(Object.keys(await listed(backend, ''))).toHaveLength(6)
    })

    it('a missing directory is empty, and so is a file', async () => {
      await backend.put('config', Buffer.from('x'), { owner })
      expect(await listed(backend, 'snapshots')).toEqual({})
      expect(await listed(backend, 'config')).toEqual({})
    })

    it('shows names that are none of ours', async () => {
      const names = [
        'snapshots/.DS_Store',
        'snapshots/a b (1).txt',
        'snapshots/käse',
        'snapshots/...',
        'snapshots/a\nb',
      ]
      for (const name of names) await backend.put(name, Buffer.alloc(1), { owner })
      expect(Object.keys(await listed(backend, 'snapshots')).sort()).toEqual([...names].sort())
      for (const name of names) await backend.remove(name)
      expect(await listed(backend, 'snapshots')).toEqual({})
    })

    it('holds every file that is there throughout, whatever comes and goes', async () => {
      const steady = Array.from({ length: 150 }, (_, number) => data(`steady${number}`))
      for (const name of steady) await backend.put(name, Buffer.alloc(7), { owner })
      const other = await storage.open()
      let isDone = false
      const changing = (async () => {
        for (let round = 0; round < 40; round++) {
          const name = data(`passing${round}`)
          await other.put(name, Buffer.alloc(3), { owner })
          if (round >= 5) await other.remove(data(`passing${round - 5}`))
        }
        isDone = true
      })()
      for (let last = false; !last; ) {
        last = isDone
        const files = await listed(backend, 'data')
        for (const name of steady) expect(files[name]).toBe(7)
        for (const [name, sizeBytes] of Object.entries(files)) {
          if (name.includes('passing')) expect(sizeBytes).toBe(3)
        }
      }
      await changing
      await other.close()
    })
  })

  describe('remove', () => {
    it('removes for every client; what is missing is fine', async () => {
      await backend.put(data('a'), Buffer.from('a'), { owner })
      const other = await storage.open()
      await other.remove(data('a'))
      await expectCode(backend.get(data('a')), 'NO_SUCH_FILE')
      await backend.remove(data('a'))
      await backend.remove('snapshots/none')
      await other.close()
    })
  })

  it.each([
    '',
    '.',
    '..',
    '/config',
    'data//x',
    'data/',
    'data/../config',
    './config',
    'data/./x',
    '../x',
    'Data/x',
    '.git/x',
    'a/b/c/d/e',
    'data\\x',
    'x\0y',
    'data/\ud800',
    'x\ufffdy',
    `index/${'x'.repeat(256)}`,
  ])('the name %j is refused by every call', async (name) => {
    const bytes = Buffer.from('x')
    await expect(backend.get(name)).rejects.toThrow(/not a name/)
    await expect(backend.getRange(name, 0, 1)).rejects.toThrow(/not a name/)
    await expect(backend.put(name, bytes, { owner })).rejects.toThrow(/not a name/)
    await expect(backend.putNew(name, bytes, { owner })).rejects.toThrow(/not a name/)
    await expect(backend.remove(name)).rejects.toThrow(/not a name/)
    if (name !== '') await expect(listed(backend, name)).rejects.toThrow(/not a directory/)
    expect(await listed(backend, '')).toEqual({})
  })

  it.each(['', 'A', 'a/b', '../a', 'a-b', 'x'.repeat(65)])('the owner %j is refused', async (bad) => {
    await expect(backend.put('config', Buffer.from('x'), { owner: bad })).rejects.toThrow(/not an owner/)
    await expect(backend.putNew('config', Buffer.from('x'), { owner: bad })).rejects.toThrow(/not an owner/)
    await expect(backend.stage(bad)).rejects.toThrow(/not an owner/)
  })

  it('an aborted signal gives INTERRUPTED and changes nothing', async () => {
    await backend.put('config', Buffer.from('x'), { owner })
    const signal = AbortSignal.abort()
    await expectCode(backend.get('config', signal), 'INTERRUPTED')
    await expectCode(backend.getRange('config', 0, 1, signal), 'INTERRUPTED')
    await expectCode(backend.put('config', Buffer.from('y'), { owner }, signal), 'INTERRUPTED')
    await expectCode(backend.putNew('index/y', Buffer.from('y'), { owner }, signal), 'INTERRUPTED')
    await expectCode(backend.remove('config', signal), 'INTERRUPTED')
    await expectCode(listed(backend, '', signal), 'INTERRUPTED')
    expect(await listed(backend, '')).toEqual({ config: 1 })
    expect((await backend.get('config')).toString()).toBe('x')
  })

  it('a signal aborted during a put leaves the file absent or whole, and nothing temporary', async () => {
    const bytes = randomBytes(MIB)
    for (let number = 0; number < 10; number++) {
      const controller = new AbortController()
      const putting = backend.put(data(String(number)), bytes, { owner }, controller.signal)
      for (let turn = 0; turn < number; turn++) await new Promise(setImmediate)
      controller.abort()
      const isStored = await putting.then(
        () => true,
        (error: unknown) => {
          expect(hasCode(error, 'INTERRUPTED')).toBe(true)
          return false
        },
      )
      const files = await listed(backend, '')
      expect(files[data(String(number))]).toBe(isStored ? bytes.length : undefined)
      expect(await listed(backend, 'tmp')).toEqual({})
    }
  })

  it('behaves as a map of names to bytes under any sequence of calls', async () => {
    const name = fc.constantFrom('config', 'index/1', 'index/2', 'data/aa/1', 'data/ab/1')
    const bytes = fc.uint8Array({ maxLength: 40 })
    const call = fc.oneof(
      fc.record({ kind: fc.constantFrom('put' as const, 'putNew' as const, 'stage' as const), name, bytes }),
      fc.record({
        kind: fc.constantFrom('remove' as const, 'get' as const),
        name,
        bytes: fc.constant(new Uint8Array()),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
        const place = await create()
        const client = await place.open()
        const model = new Map<string, Buffer>()
        try {
          for (const { kind, name, bytes } of calls) {
            if (kind === 'put') await client.put(name, bytes, { owner })
            else if (kind === 'putNew') {
              if (model.has(name)) await expectCode(client.putNew(name, bytes, { owner }), 'ALREADY_EXISTS')
              else await client.putNew(name, bytes, { owner })
            } else if (kind === 'stage') {
              const file = await client.stage(owner)
              await file.append(bytes)
              await file.commit(name)
            } else if (kind === 'remove') await client.remove(name)
            else if (model.has(name)) expect((await client.get(name)).equals(model.get(name)!)).toBe(true)
            else await expectCode(client.get(name), 'NO_SUCH_FILE')
            if (kind === 'remove') model.delete(name)
            else if (kind === 'put' || kind === 'stage' || (kind === 'putNew' && !model.has(name))) {
              model.set(name, Buffer.from(bytes))
            }
          }
          const sizes = Object.fromEntries([...model].map(([name, file]) => [name, file.length]))
          expect(await listed(client, '')).toEqual(sizes)
          for (const [name, file] of model) expect((await client.get(name)).equals(file)).toBe(true)
        } finally {
          await client.close()
          await place.remove()
        }
      }),
      { numRuns: 25 },
    )
  })
}

/** The sizes by name that a listing gives; a name met twice fails. */
export async function listed(
  backend: Backend,
  directory: string,
  signal?: AbortSignal,
): Promise<Record<string, number>> {
  const files: Record<string, number> = {}
  for await (const { name, sizeBytes } of backend.list(directory, signal)) {
    expect(files[name]).toBe(undefined)
    files[name] = sizeBytes
  }
  return files
}

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: unknown) => error,
  )
}

export async function expectCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await failure(promise)
  if (!hasCode(error, code)) throw new Error(`expected ${code}`, { cause: error })
}

function data(id: string): string {
  return `data/${id.length % 2 === 0 ? 'aa' : 'bb'}/${id}`
}
