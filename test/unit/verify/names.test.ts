import { describe, expect, test } from 'vitest'
import { createMemoryBackend } from '../../../src/backend/index.ts'
import { hashBytes } from '../../../src/crypto/index.ts'
import { toHex } from '../../../src/encoding/index.ts'
import { verifyNames } from '../../../src/verify/index.ts'

function stored(room: string, bytes: Buffer): [name: string, bytes: Buffer] {
  const id = toHex(hashBytes(bytes))
  return [room === 'data' ? `data/${id.slice(0, 2)}/${id}` : `${room}/${id}`, bytes]
}

describe('verifyNames()', () => {
  test('reads every file that is named by its hash, in pieces, and nothing else', async () => {
    const large = Buffer.alloc(17 * 1024 * 1024, 3)
    const files = new Map([
      stored('data', large),
      stored('index', Buffer.from('index')),
      stored('keys', Buffer.alloc(0)),
      ['config', Buffer.from('config')],
      [`sessions/${'ab'.repeat(16)}`, Buffer.from('session')],
      ['tmp/0-0123456789abcdef', Buffer.from('temporary')],
      ['index/readme', Buffer.from('foreign')],
    ] as [string, Buffer][])
    const lengths: number[] = []
    const backend = createMemoryBackend({ files })
    const { getRange } = backend
    backend.getRange = async (name, offsetBytes, lengthBytes, signal) => {
      lengths.push(lengthBytes)
      return await getRange.call(backend, name, offsetBytes, lengthBytes, signal)
    }
    const report = await verifyNames(backend)
    expect(report).toEqual({
      problems: [],
      foreign: ['index/readme'],
      filesRead: 3,
      bytesRead: large.length + 5,
    })
    expect(Math.max(...lengths)).toBe(8 * 1024 * 1024)
  })

  test('names each file whose bytes have another hash, and tells of it at once', async () => {
    const [name, bytes] = stored('snapshots', Buffer.from('snapshot'))
    const files = new Map([stored('index', Buffer.from('sound')), [name, Buffer.concat([bytes, bytes])]])
    const found: string[] = []
    const report = await verifyNames(createMemoryBackend({ files }), {
      onProblem: ({ file }) => found.push(file),
    })
    expect(report.problems).toEqual([
      { file: name, kind: 'damaged', detail: 'its bytes do not have the hash that is its name' },
    ])
    expect(found).toEqual([name])
  })

  test('a file that goes after it was listed is no problem; one that shrinks is', async () => {
    const [gone, bytes] = stored('index', Buffer.from('gone'))
    const [shrunk] = stored('pending', Buffer.from('shrunk'))
    const files = new Map([
      [gone, bytes],
      [shrunk, Buffer.from('shrunk')],
    ])
    const onCall = async (operation: string): Promise<void> => {
      if (operation !== 'getRange') return
      files.delete(gone)
      files.set(shrunk, Buffer.from('s'))
    }
    const { problems } = await verifyNames(createMemoryBackend({ files, onCall }))
    expect(problems.map(({ file }) => file)).toEqual([shrunk])
  })

  test('an abort ends it', async () => {
    const files = new Map([stored('index', Buffer.from('sound'))])
    const attempt = verifyNames(createMemoryBackend({ files }), { signal: AbortSignal.abort() })
    await expect(attempt).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })
})
