import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { backupStream } from '../../../src/backup/index.ts'
import { listSnapshots } from '../../../src/snapshot/index.ts'
import { chunkIdsOf, contentOf, createScene, nodesOf } from './scene.ts'

async function* piecesOf(bytes: Buffer, lengthBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += lengthBytes) yield bytes.subarray(at, at + lengthBytes)
}

describe('backupStream()', () => {
  test('keeps a stream as a file of one name, with the content it had', async () => {
    const { repository, store } = await createScene()
    const bytes = randomBytes(2_500_000)
    const result = await backupStream(repository, 'dump.sql', () => piecesOf(bytes, 70_001), { tags: ['db'] })
    const { snapshots } = await listSnapshots(repository)
    expect(snapshots).toMatchObject([{ id: result.snapshotId, paths: ['/dump.sql'], tags: ['db'] }])
    const nodes = await nodesOf(repository, snapshots[0]!.tree)
    expect([...nodes.keys()]).toEqual(['/dump.sql'])
    expect((await contentOf(repository, nodes.get('/dump.sql'))).equals(bytes)).toBe(true)
    expect(result.summary).toMatchObject({ filesNew: 1, totalBytes: 2_500_000 })
    expect(store.names('sessions')).toEqual([])
  })

  test('cuts it as the same file is cut, over the end of a segment, so that nothing is stored twice', async () => {
    const { repository, source, run } = await createScene()
    const part = randomBytes(1 << 20)
    const bytes = Buffer.alloc(66 << 20)
    for (let number = 0; number < 66; number++) {
      part.writeUInt32LE(number, 1000)
      bytes.set(part, number << 20)
    }
    writeFileSync(join(source, 'file'), bytes)
    const { snapshot } = await run()
    const streamed = await backupStream(repository, 'file', () => piecesOf(bytes, 1_000_003))
    expect(streamed.summary.dataChunks).toBe(0)
    const { snapshots } = await listSnapshots(repository)
    const { tree } = snapshots.find((one) => one.id === streamed.snapshotId)!
    const [file, stream] = [
      (await nodesOf(repository, snapshot.tree, source)).get('/file'),
      (await nodesOf(repository, tree)).get('/file'),
    ]
    expect(await chunkIdsOf(repository, stream)).toEqual(await chunkIdsOf(repository, file))
  })

  test('of nothing is an empty file', async () => {
    const { repository } = await createScene()
    await backupStream(repository, 'empty', () => piecesOf(Buffer.alloc(0), 1))
    const { snapshots } = await listSnapshots(repository)
    expect((await nodesOf(repository, snapshots[0]!.tree)).get('/empty')).toMatchObject({ sizeBytes: 0n })
  })

  test('that breaks off makes no snapshot, and says what broke', async () => {
    const { repository, store } = await createScene()
    const cause = new Error('the pipe broke')
    async function* broken(): AsyncGenerator<Buffer> {
      yield randomBytes(3_000_000)
      throw cause
    }
    await expect(backupStream(repository, 'dump', broken)).rejects.toMatchObject({
      code: 'FAILED',
      message: expect.stringContaining('the pipe broke'),
      cause,
    })
    expect([store.names('snapshots'), store.names('sessions'), store.names('tmp')]).toEqual([[], [], []])
  })

  test('ends when it is aborted, and when the storage fails with the error of the storage', async () => {
    const { repository, store } = await createScene()
    const controller = new AbortController()
    async function* endless(): AsyncGenerator<Buffer> {
      for (let number = 0; ; number++) {
        if (number === 5) controller.abort()
        yield randomBytes(1 << 20)
      }
    }
    const aborted = backupStream(repository, 'dump', endless, { signal: controller.signal })
    await expect(aborted).rejects.toMatchObject({ code: 'INTERRUPTED' })
    store.before = (operation) => {
      if (operation === 'append') throw new Error('the disk is full')
    }
    await expect(backupStream(repository, 'dump', endless)).rejects.toThrow('the disk is full')
    expect(store.names('snapshots')).toEqual([])
  })

  test.each(['', '.', '..', 'a/b', '/a', 'x'.repeat(256), 'ä'.repeat(128), 'a\0b'])(
    'the name %j is refused',
    async (name) => {
      const { repository } = await createScene()
      const run = backupStream(repository, name, () => piecesOf(Buffer.from('x'), 1))
      await expect(run).rejects.toMatchObject({ code: 'USAGE' })
    },
  )
})
