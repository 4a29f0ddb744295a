import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { deriveSubkeys } from '../../../src/crypto/index.ts'
import type { SessionId } from '../../../src/encoding/index.ts'
import type { PackFacts } from '../../../src/index/index.ts'
import { createPackOpener, type PlainBlock, readFooter } from '../../../src/pack/index.ts'
import { padmeBytes } from '../../../src/pack/padding.ts'
import { fileIdOf, fileName } from '../../../src/repository/index.ts'
import { Packer } from '../../../src/repository/packer.ts'
import { createStore, type MemoryStore } from './scene.ts'

const subkeys = deriveSubkeys(Buffer.alloc(32, 1))
const session = 'ab'.repeat(16) as SessionId

function block(lengthBytes: number): PlainBlock {
  const chunks = randomBytes(36)
  chunks.writeUInt32LE(lengthBytes, 32)
  return { method: 0, payload: randomBytes(lengthBytes), plainBytes: lengthBytes, chunks }
}

interface Scene {
  readonly store: MemoryStore
  readonly packer: Packer
  /** Packs as they were listed, one entry a call. */
  readonly listed: (readonly PackFacts[])[]
}

function scene(options: { packTargetBytes?: number; onPacks?: () => Promise<void> } = {}): Scene {
  const store = createStore()
  const listed: (readonly PackFacts[])[] = []
  const packer = new Packer({
    backend: store.backend(),
    subkeys,
    session,
    settings: { packTargetBytes: options.packTargetBytes ?? 64 * 1024 },
    async onPacks(packs) {
      for (const pack of packs) expect(store.files.has(fileName(pack.kind, pack.id))).toBe(true)
      await options.onPacks?.()
      listed.push(packs)
    },
  })
  return { store, packer, listed }
}

const packNames = (store: MemoryStore): string[] => [...store.names('data'), ...store.names('trees')]

describe('Packer', () => {
  test('closes packs at their target and lists each only when it is durable', async () => {
    const { store, packer, listed } = scene()
    for (let number = 0; number < 10; number++) packer.add('data', block(30_000))
    await packer.finish()
    const packs = listed.flat()
    // Each block takes 32 KiB: two and the header pass the target.
    expect(packs.map((pack) => pack.blocks.length)).toEqual([2, 2, 2, 2, 2])
    expect(packs.map((pack) => fileName('data', pack.id)).sort()).toEqual(store.names('data'))
    for (const pack of packs) {
      const file = store.files.get(fileName('data', pack.id))!
      expect([fileIdOf(file), file.length]).toEqual([pack.id, pack.sizeBytes])
    }
    expect(packer.packedBytes).toEqual({
      data: packs.reduce((sum, pack) => sum + pack.sizeBytes, 0),
      tree: 0,
    })
    expect(store.names('tmp')).toEqual([])
  })

  test("a pack's own footer says what its facts say, blocks in the order they came", async () => {
    const { store, packer, listed } = scene({ packTargetBytes: 1 << 20 })
    const blocks = [block(10), block(5000), block(70_000)]
    for (const one of blocks) packer.add('tree', one)
    await packer.finish()
    const [pack] = listed.flat()
    const file = store.files.get(fileName('tree', pack!.id))!
    const opener = createPackOpener('tree', subkeys.files.tree, pack!.salt)
    const footer = await readFooter(opener, file.length, async (offset, length) =>
      file.subarray(offset, offset + length),
    )
    expect(footer.session).toBe(session)
    expect(footer.blocks.map((one) => Buffer.from(one.chunks).toString('hex'))).toEqual(
      blocks.map((one) => Buffer.from(one.chunks).toString('hex')),
    )
    expect(pack!.blocks.map((one) => one.plainBytes)).toEqual([10, 5000, 70_000])
  })

  test('keeps the two kinds apart; tree packs close at a quarter of the target', async () => {
    const { packer, listed } = scene()
    for (let number = 0; number < 4; number++) {
      packer.add('data', block(10_000))
      packer.add('tree', block(10_000))
    }
    await packer.finish()
    const packs = listed.flat()
    expect(packs.filter((pack) => pack.kind === 'data').map((pack) => pack.blocks.length)).toEqual([4])
    expect(packs.filter((pack) => pack.kind === 'tree').map((pack) => pack.blocks.length)).toEqual([2, 2])
  })

  test('gives the last packs PADMÉ sizes, at most one small pack of each kind', async () => {
    for (const lengthBytes of [1, 4000, 20_000, 150_000, 200_001]) {
      const { packer, listed } = scene({ packTargetBytes: 1 << 20 })
      packer.add('data', block(lengthBytes))
      packer.add('tree', block(lengthBytes))
      await packer.finish()
      const packs = listed.flat()
      expect(packs).toHaveLength(2)
      for (const pack of packs) expect(padmeBytes(pack.sizeBytes)).toBe(pack.sizeBytes)
    }
  })

  test('writes nothing at all for nothing', async () => {
    const { store, packer, listed } = scene()
    await packer.finish()
    expect([listed, store.calls]).toEqual([[], []])
  })

  test('lists packs as they complete, so that an interrupted run keeps them', async () => {
    const { packer, listed } = scene({ packTargetBytes: 4096 })
    for (let number = 0; number < 40; number++) packer.add('data', block(3000))
    await packer.drained()
    await packer.finish()
    expect(listed.length).toBeGreaterThan(2)
    expect(listed.flat()).toHaveLength(40)
  })

  describe('when the storage fails', () => {
    const stopAt = (store: MemoryStore, last: number): { calls: number } => {
      const count = { calls: 0 }
      store.before = () => {
        if (count.calls++ >= last) throw new Error('the disk is gone')
      }
      return count
    }
    let calls = 0
    beforeAll(async () => {
      const { store, packer } = scene()
      const count = stopAt(store, Number.POSITIVE_INFINITY)
      for (let number = 0; number < 5; number++) packer.add('data', block(30_000))
      await packer.finish()
      calls = count.calls
    })

    test('at any call, finish() says so, only durable packs are listed, and discard() ends', async () => {
      expect(calls).toBeGreaterThan(10)
      for (let last = 0; last < calls; last++) {
        const { store, packer, listed } = scene()
        stopAt(store, last)
        for (let number = 0; number < 5; number++) packer.add('data', block(30_000))
        await expect(packer.finish()).rejects.toThrow('the disk is gone')
        await expect(packer.finish()).rejects.toThrow('the disk is gone')
        await expect(packer.drained()).rejects.toThrow('the disk is gone')
        store.before = () => {}
        await packer.discard()
        expect(store.names('tmp')).toEqual([])
        const stored = packNames(store)
        for (const pack of listed.flat()) expect(stored).toContain(fileName(pack.kind, pack.id))
      }
    })

    test('drained() tells of it while the run goes on', async () => {
      const { store, packer } = scene()
      stopAt(store, 3)
      const until = async (): Promise<void> => {
        for (let number = 0; number < 2000; number++) {
          packer.add('data', block(30_000))
          await packer.drained()
        }
      }
      await expect(until()).rejects.toThrow('the disk is gone')
    })

    test('listing that fails is a failure too', async () => {
      const onPacks = async (): Promise<void> => {
        throw new Error('no index')
      }
      const { packer } = scene({ onPacks })
      packer.add('data', block(10))
      await expect(packer.finish()).rejects.toThrow('no index')
    })
  })

  test('discard() removes what is open and keeps finished packs', async () => {
    const { store, packer } = scene()
    for (let number = 0; number < 5; number++) packer.add('data', block(30_000))
    packer.add('tree', block(100))
    await packer.drained()
    await new Promise(setImmediate)
    expect(store.names('tmp')).toHaveLength(2)
    await packer.discard()
    expect(store.names('tmp')).toEqual([])
    expect(store.names('data')).toHaveLength(2)
    await expect(packer.finish()).rejects.toThrow('discarded')
  })

  test('drained() holds callers back while more than 32 MiB wait', async () => {
    const { store, packer } = scene({ packTargetBytes: 1 << 30 })
    let open: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    store.before = () => gate
    const large = block(1 << 20)
    for (let number = 0; number < 40; number++) packer.add('data', large)
    let isDrained = false
    const drained = packer.drained().then(() => {
      isDrained = true
    })
    await new Promise(setImmediate)
    expect(isDrained).toBe(false)
    open()
    await drained
    await packer.discard()
  })
})
