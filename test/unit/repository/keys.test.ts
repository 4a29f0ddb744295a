import { describe, expect, test } from 'vitest'
import type { Secret } from '../../../src/crypto/index.ts'
import { addKey, listKeys, removeKey, replaceKey } from '../../../src/repository/index.ts'
import { cheapCost, createStore, flipBit, secret } from './scene.ts'

const password: Secret = { kind: 'password', password: 'correct horse' }
const options = { nowMs: 1_700_000_001_000, cost: cheapCost }

describe('keys', () => {
  test('addKey() lets another secret in; both open the same repository', async () => {
    const store = createStore()
    const repository = await store.create()
    const name = await addKey(repository, password, { ...options, label: 'laptop' })
    const opened = await store.open({ secret: password })
    expect(opened.keyName).toBe(name)
    expect(opened.masterKey.equals(repository.masterKey)).toBe(true)
    await store.open()
  })

  test('listKeys() says whose they are and which one is in use', async () => {
    const store = createStore()
    const repository = await store.create()
    const name = await addKey(repository, password, { ...options, label: 'laptop' })
    const keys = await listKeys(repository)
    expect(keys).toHaveLength(2)
    expect(keys.find((key) => key.id === name)).toMatchObject({
      isCurrent: false,
      isDamaged: false,
      method: 'password',
      info: { label: 'laptop', createdMs: options.nowMs },
    })
    expect(keys.find((key) => key.id === repository.keyName)).toMatchObject({
      isCurrent: true,
      method: 'keyFile',
    })
  })

  test('listKeys() shows damaged keys as such', async () => {
    const store = createStore()
    const repository = await store.create()
    const name = await addKey(repository, password, options)
    flipBit(store.files, `keys/${name}`, 100)
    const beyondUse = 'f'.repeat(64)
    store.files.set(`keys/${beyondUse}`, Buffer.alloc(10))
    store.files.set('keys/README', Buffer.from('foreign'))
    const damaged = (await listKeys(repository)).filter((key) => key.isDamaged)
    expect(damaged.map((key) => key.id).sort()).toEqual([name, beyondUse].sort())
  })

  test('removeKey() shuts a secret out, and never the one in use', async () => {
    const store = createStore()
    const repository = await store.create()
    const name = await addKey(repository, password, options)
    await removeKey(repository, name)
    await expect(store.open({ secret: password })).rejects.toMatchObject({ code: 'WRONG_KEY' })
    await expect(removeKey(repository, repository.keyName)).rejects.toMatchObject({ code: 'FAILED' })
    await store.open()
  })

  test('replaceKey() puts a new secret in the place of the one in use', async () => {
    const store = createStore()
    const repository = await store.create()
    const name = await replaceKey(repository, password, options)
    expect(store.names('keys')).toEqual([`keys/${name}`])
    await expect(store.open()).rejects.toMatchObject({ code: 'WRONG_KEY' })
    await store.open({ secret: password })
  })

  test('after replaceKey() the new key is the one in use: it is shown so, and cannot remove itself', async () => {
    const store = createStore()
    const repository = await store.create()
    const name = await replaceKey(repository, password, options)
    expect(await listKeys(repository)).toMatchObject([{ id: name, isCurrent: true }])
    await expect(removeKey(repository, name)).rejects.toMatchObject({ code: 'FAILED' })
    const again = await replaceKey(repository, secret, options)
    expect(store.names('keys')).toEqual([`keys/${again}`])
    await store.open()
  })

  test('replaceKey() stopped between its steps leaves the old secret in, and perhaps the new one too', async () => {
    const store = createStore()
    const repository = await store.create()
    store.before = (operation) => {
      if (operation === 'remove') throw new Error('stopped')
    }
    await expect(replaceKey(repository, password, options)).rejects.toThrow('stopped')
    store.before = () => {}
    await store.open({ secret: password })
    await store.open({ secret })
  })

  test('a label that nobody could read back is refused before anything is written', async () => {
    const store = createStore()
    const repository = await store.create()
    const label = 'x'.repeat(5000)
    await expect(addKey(repository, password, { ...options, label })).rejects.toMatchObject({ code: 'USAGE' })
    expect(store.names('keys')).toHaveLength(1)
  })

  test.each([-1, -7, -200, 1, 100])(
    'a key file %i bytes longer than it should be still opens, and is said to be damaged',
    async (more) => {
      const store = createStore()
      const { keyName } = await store.create()
      const name = `keys/${keyName}`
      const whole = store.files.get(name)!
      const changed = more < 0 ? whole.subarray(0, more) : Buffer.concat([whole, Buffer.alloc(more, 1)])
      store.files.set(name, Buffer.from(changed))
      const opened = await store.open()
      expect((await listKeys(opened))[0]).toMatchObject({ id: keyName, isDamaged: true })
    },
  )
})

test('two that remove each other at once leave a key', async () => {
  for (let round = 0; round < 20; round++) {
    const store = createStore()
    const first = await store.create()
    const other: Secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 9) }
    const otherName = await addKey(first, other, options)
    const second = await store.open({ secret: other })
    let turn = round
    store.before = async () => {
      turn = (turn * 7 + 3) % 11
      for (let wait = 0; wait < turn % 5; wait++) await Promise.resolve()
    }
    await Promise.allSettled([removeKey(first, otherName), removeKey(second, first.keyName)])
    store.before = () => {}
    expect(store.names('keys').length).toBeGreaterThan(0)
  }
})
