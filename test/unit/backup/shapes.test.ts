import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createNodeMaker } from '../../../src/backup/node-maker.ts'
import { decodeValue, encodeValue } from '../../../src/encoding/index.ts'
import { readStatus } from '../../../src/filesystem/index.ts'
import { nodeValue, parseNode } from '../../../src/tree/index.ts'
import { createScene, nodesOf, tempDirectory } from './scene.ts'

describe('a source of an unusual shape', () => {
  test('folders nested as deep as paths allow do not end the run', async () => {
    const { repository, source, run } = await createScene()
    const depth = Math.floor((4000 - source.length) / 2)
    let path = source
    for (let level = 0; level < depth; level++) {
      path += '/d'
      mkdirSync(path)
    }
    writeFileSync(join(path, 'f'), 'the deepest')
    const { snapshot, errors, summary } = await run()
    expect(errors).toEqual([])
    expect(summary.totalFiles).toBe(1)
    const nodes = await nodesOf(repository, snapshot.tree, source)
    expect(nodes.has(`${'/d'.repeat(depth)}/f`)).toBe(true)
  })

  test('a file that has changed is not waited for by all the unchanged ones after it', async () => {
    const { source, run } = await createScene()
    const count = 12_000
    for (let number = 0; number < count; number++) {
      writeFileSync(join(source, String(number).padStart(6, '0')), '')
    }
    // So old for the reader that none is read again.
    const later = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000)
    onTestFinished(() => later.mockRestore())
    await run()
    writeFileSync(join(source, '000000'), 'changed')
    const actions: string[] = []
    const { summary } = await run({
      onItem: ({ action, sizeBytes }) => actions.push(`${action} ${sizeBytes}`),
    })
    expect(summary).toMatchObject({ filesChanged: 1, filesUnmodified: count - 1 })
    expect(actions.indexOf('modified 7')).toBeLessThan(10_000)
  })

  test('times beyond those of a node become the nearest, inodes of 64 bits stay', () => {
    const path = join(tempDirectory(), 'fifo')
    writeFileSync(path, '')
    const warnings: string[] = []
    const maker = createNodeMaker({ withAtime: true, onWarning: (_, message) => warnings.push(message) })
    const status = { ...readStatus(path), type: 'fifo' as const, inode: 2n ** 64n - 1n }
    for (const [time, kept] of [
      [10n ** 20n, 2n ** 64n - 1n],
      [-(10n ** 20n), -(2n ** 63n)],
    ] as const) {
      const node = maker.other(path, 'fifo', { ...status, mtimeNs: time, ctimeNs: time, atimeNs: time })
      expect(node).toMatchObject({ mtimeNs: kept, ctimeNs: kept, atimeNs: kept, inode: 2n ** 64n - 1n })
      expect(parseNode(decodeValue(encodeValue(nodeValue(node))))).toEqual(node)
    }
    expect(warnings.length).toBe(2)
  })
})

test('a clock that is set back while a backup runs costs it nothing', async () => {
  const { source, run } = await createScene()
  writeFileSync(join(source, 'a'), 'a')
  const nowMs = Date.now()
  const clock = vi.spyOn(Date, 'now').mockReturnValue(nowMs)
  onTestFinished(() => clock.mockRestore())
  const { snapshotId, summary, startedMs, endedMs } = await run({
    onItem: () => void clock.mockReturnValue(nowMs - 3_600_000),
  })
  expect(snapshotId).toBeDefined()
  expect(summary.durationMs).toBeLessThan(3_600_000)
  expect(endedMs).toBeGreaterThanOrEqual(startedMs)
})
