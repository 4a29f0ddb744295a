import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ChunkId } from '../../../src/encoding/index.ts'
import type { ChunkPlace, Repository } from '../../../src/repository/index.ts'
import { BlockPlan } from '../../../src/restore/block-plan.ts'
import { contentRuns } from '../../../src/restore/chunk-finder.ts'
import { type PlanSink, readPlan } from '../../../src/restore/read-plan.ts'
import { findNode } from '../../../src/tree/index.ts'
import { makeRepository, noise, takeSnapshot, tempDirectory, writeTree } from './scene.ts'

interface Chunk {
  readonly id: ChunkId
  readonly place: ChunkPlace
  /** In the file. */
  readonly offset: number
}

interface Scene {
  readonly repository: Repository
  readonly content: Buffer
  readonly chunks: readonly Chunk[]
  readonly reads: string[]
}

const FILE_BYTES = 3_000_000

/** One stored file of several blocks, and where its chunks are. */
async function storeFile(): Promise<Scene> {
  const source = tempDirectory()
  const content = noise(1, FILE_BYTES)
  writeTree(source, { file: content })
  const reads: string[] = []
  const { repository } = await makeRepository((name) => reads.push(name))
  const snapshot = await takeSnapshot(repository, source)
  const node = await findNode(repository, snapshot.tree, join(source, 'file'))
  if (node?.type !== 'file') throw new Error('the file is not there')
  const chunks: Chunk[] = []
  let offset = 0
  for await (const ids of contentRuns(repository, node.content)) {
    for (const id of ids) {
      const place = repository.index.find(id)!
      chunks.push({ id, place, offset })
      offset += place.lengthBytes
    }
  }
  reads.length = 0
  return { repository, content, chunks, reads }
}

interface Collected extends PlanSink<Buffer> {
  readonly writes: { readonly owner: Buffer; readonly length: number }[]
  readonly failures: unknown[]
}

/** Owners are the buffers that are filled. */
function collect(): Collected {
  const writes: { owner: Buffer; length: number }[] = []
  const failures: unknown[] = []
  return {
    writes,
    failures,
    isWanted: () => true,
    write(owner, destination, bytes) {
      bytes.copy(owner, destination)
      writes.push({ owner, length: bytes.length })
    },
    fail: (_, error) => void failures.push(error),
    settle: () => undefined,
  }
}

describe('readPlan()', () => {
  test('every owner gets every byte, in few writes, and each block is read once', async () => {
    const { repository, content, chunks, reads } = await storeFile()
    const owners = [Buffer.alloc(FILE_BYTES), Buffer.alloc(FILE_BYTES)]
    const plan = new BlockPlan<Buffer>()
    for (const owner of owners) for (const { id, place, offset } of chunks) plan.add(id, place, owner, offset)
    expect(plan.bytes).toBe(2 * FILE_BYTES)
    const sink = collect()
    await readPlan(repository, plan, sink)
    for (const owner of owners) expect(owner.equals(content)).toBe(true)
    const blocks = new Set(chunks.map(({ place }) => `${place.block.pack}/${place.block.number}`))
    expect(blocks.size).toBeGreaterThan(1)
    expect(sink.writes.length).toBe(2 * blocks.size)
    // Neighbours come in one read, beside the header with the key of the pack.
    expect(reads.length).toBeLessThanOrEqual(2)
  })

  test('one chunk may go to many places', async () => {
    const { repository, content, chunks } = await storeFile()
    const { id, place, offset } = chunks[5]!
    const { lengthBytes } = place
    const owner = Buffer.alloc(10 * lengthBytes)
    const plan = new BlockPlan<Buffer>()
    for (let at = 0; at < 10; at++) plan.add(id, place, owner, at * lengthBytes)
    await readPlan(repository, plan, collect())
    const bytes = content.subarray(offset, offset + lengthBytes)
    expect(owner.equals(Buffer.concat(Array.from({ length: 10 }, () => bytes)))).toBe(true)
  })

  test('neighbours in a block that are none in their owner come one by one', async () => {
    const { repository, content, chunks } = await storeFile()
    const [first, second] = [chunks[0]!, chunks[1]!]
    const gap = 10
    const owner = Buffer.alloc(second.offset + gap + second.place.lengthBytes)
    const plan = new BlockPlan<Buffer>()
    plan.add(first.id, first.place, owner, 0)
    plan.add(second.id, second.place, owner, second.offset + gap)
    await readPlan(repository, plan, collect())
    const wanted = [content.subarray(0, second.offset), Buffer.alloc(gap)]
    wanted.push(content.subarray(second.offset, second.offset + second.place.lengthBytes))
    expect(owner.equals(Buffer.concat(wanted))).toBe(true)
  })

  test('bytes that are not what the id says are never handed out: the chunk is looked for again', async () => {
    const { repository, content, chunks } = await storeFile()
    const owner = Buffer.alloc(FILE_BYTES)
    const plan = new BlockPlan<Buffer>()
    chunks.forEach(({ id, place, offset }, number) => {
      const isWrong = number === 2 || number === chunks.length - 1
      plan.add(id, isWrong ? { ...place, offsetBytes: place.offsetBytes + 1 } : place, owner, offset)
    })
    const sink = collect()
    await readPlan(repository, plan, sink)
    expect(owner.equals(content)).toBe(true)
    expect(sink.failures).toEqual([])
  })

  test('a chunk of another length than was planned is no chunk for that place', async () => {
    const { repository, chunks } = await storeFile()
    const plan = new BlockPlan<Buffer>()
    const { id, place } = chunks[0]!
    plan.add(id, { ...place, lengthBytes: place.lengthBytes - 1 }, Buffer.alloc(FILE_BYTES), 0)
    const sink = collect()
    await readPlan(repository, plan, sink)
    expect(sink.writes).toEqual([])
    expect(sink.failures).toEqual([expect.objectContaining({ code: 'DAMAGED' })])
  })

  test('a chunk that is nowhere fails each owner, and nothing else', async () => {
    const { repository, content, chunks } = await storeFile()
    const owner = Buffer.alloc(FILE_BYTES)
    const plan = new BlockPlan<Buffer>()
    for (const { id, place, offset } of chunks) plan.add(id, place, owner, offset)
    const unknown = Buffer.alloc(32, 1) as Uint8Array as ChunkId
    for (let at = 0; at < 3; at++) plan.add(unknown, chunks[0]!.place, Buffer.alloc(FILE_BYTES), 0)
    const sink = collect()
    await readPlan(repository, plan, sink)
    expect(sink.failures.length).toBe(3)
    expect(owner.equals(content)).toBe(true)
  })

  test('owners that are given up get nothing and cost no search', async () => {
    const { repository, chunks, reads } = await storeFile()
    const plan = new BlockPlan<Buffer>()
    const unknown = Buffer.alloc(32, 1) as Uint8Array as ChunkId
    plan.add(unknown, chunks[0]!.place, Buffer.alloc(0), 0)
    plan.add(chunks[1]!.id, chunks[1]!.place, Buffer.alloc(0), 0)
    const sink = { ...collect(), isWanted: () => false }
    await readPlan(repository, plan, sink)
    expect([...sink.writes, ...sink.failures]).toEqual([])
    expect(reads.length).toBeLessThanOrEqual(2)
  })

  test('what the sink throws ends it, and nothing comes after', async () => {
    const { repository, chunks } = await storeFile()
    const plan = new BlockPlan<Buffer>()
    for (const { id, place, offset } of chunks) plan.add(id, place, Buffer.alloc(0), offset)
    let writes = 0
    const sink: PlanSink<Buffer> = {
      ...collect(),
      write() {
        writes++
        throw new Error('no room')
      },
    }
    await expect(readPlan(repository, plan, sink)).rejects.toThrow('no room')
    expect(writes).toBe(1)
  })

  test('can be interrupted', async () => {
    const { repository, chunks } = await storeFile()
    const plan = new BlockPlan<Buffer>()
    for (const { id, place, offset } of chunks) plan.add(id, place, Buffer.alloc(0), offset)
    const controller = new AbortController()
    controller.abort()
    await expect(readPlan(repository, plan, collect(), controller.signal)).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
  })
})
