import { describe, expect, it } from 'vitest'
import { createMemoryBackend, type MemoryOperation } from '../../../src/backend/index.ts'
import { backendContract, failure, listed } from '../../contract/backend-contract.ts'

const owner = 'a1'

describe('memory backend', () => {
  backendContract(async () => {
    const files = new Map<string, Buffer>()
    return { open: async () => createMemoryBackend({ files }), remove: async () => {} }
  })
})

describe('onCall', () => {
  it('is met once at the start of every call', async () => {
    const calls: [MemoryOperation, string][] = []
    const backend = createMemoryBackend({
      onCall: async (operation, name) => {
        calls.push([operation, name])
      },
    })
    await backend.put('config', Buffer.from('abc'), { owner })
    await backend.putNew('keys/1', Buffer.from('k'), { owner })
    await backend.get('config')
    await backend.getRange('config', 0, 1)
    const file = await backend.stage(owner)
    await file.append(Buffer.from('x'))
    await file.commit('index/1')
    const other = await backend.stage(owner)
    await other.discard()
    await listed(backend, 'index')
    await backend.remove('config')
    const temporary = 'tmp/a1-0000000000000000'
    expect(calls).toEqual([
      ['put', 'config'],
      ['putNew', 'keys/1'],
      ['get', 'config'],
      ['getRange', 'config'],
      ['stage', 'a1'],
      ['append', temporary],
      ['commit', 'index/1'],
      ['stage', 'a1'],
      ['discard', temporary],
      ['list', 'index'],
      ['remove', 'config'],
    ])
  })

  it('a call has no effect before it, and its whole effect once it lets go', async () => {
    const files = new Map<string, Buffer>([['config', Buffer.from('old')]])
    const gates: (() => void)[] = []
    const backend = createMemoryBackend({
      files,
      onCall: () => new Promise((resolve) => gates.push(resolve)),
    })
    const put = backend.put('index/1', Buffer.from('new'), { owner })
    const listing = listed(backend, '')
    const removing = backend.remove('config')
    await new Promise(setImmediate)
    expect([...files.keys()]).toEqual(['config'])
    expect(gates).toHaveLength(3)
    gates[2]?.()
    await removing
    expect([...files.keys()]).toEqual([])
    gates[0]?.()
    await put
    gates[1]?.()
    expect(await listing).toEqual({ 'index/1': 3 })
  })

  it('list takes its picture at one moment', async () => {
    const files = new Map<string, Buffer>([
      ['index/1', Buffer.alloc(1)],
      ['index/2', Buffer.alloc(2)],
    ])
    const backend = createMemoryBackend({ files })
    const seen: string[] = []
    for await (const { name } of backend.list('index')) {
      seen.push(name)
      files.delete('index/2')
      files.set('index/3', Buffer.alloc(3))
    }
    expect(seen).toEqual(['index/1', 'index/2'])
  })

  it('when it rejects, the call rejects with that and has no effect', async () => {
    const files = new Map<string, Buffer>([['config', Buffer.from('x')]])
    const reason = new Error('stopped')
    const calls = new Map<MemoryOperation, boolean>()
    const backend = createMemoryBackend({
      files,
      onCall: async (operation) => {
        if (calls.get(operation)) throw reason
      },
    })
    const before = await backend.stage(owner)
    for (const operation of [
      'get',
      'getRange',
      'put',
      'putNew',
      'stage',
      'commit',
      'list',
      'remove',
    ] as const) {
      calls.set(operation, true)
    }
    expect(await failure(backend.get('config'))).toBe(reason)
    expect(await failure(backend.getRange('config', 0, 1))).toBe(reason)
    expect(await failure(backend.put('config', Buffer.from('y'), { owner }))).toBe(reason)
    expect(await failure(backend.putNew('index/1', Buffer.from('y'), { owner }))).toBe(reason)
    expect(await failure(backend.stage(owner))).toBe(reason)
    expect(await failure(listed(backend, ''))).toBe(reason)
    expect(await failure(backend.remove('config'))).toBe(reason)
    expect(await failure(before.commit('index/1'))).toBe(reason)
    expect([...files]).toEqual([['config', Buffer.from('x')]])
  })
})
