import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { isLookedUp, noteLookedUp } from '../../../src/backup/looked-up.ts'
import { chunkId } from '../../../src/encoding/index.ts'
import { HoldfastError } from '../../../src/errors/index.ts'
import { createMemoryIndex } from '../../../src/index/index.ts'
import { createScene, type Scene } from './scene.ts'

const treeOf = (number: number) => chunkId(Uint8Array.from({ length: 32 }, () => number))

describe('trees that were looked up', () => {
  test('are known until a pack is lost', () => {
    const index = createMemoryIndex()
    expect(isLookedUp(index, treeOf(1))).toBe(false)
    noteLookedUp(index, treeOf(1), index.losses)
    noteLookedUp(index, treeOf(2), index.losses)
    expect([1, 2, 3].map((number) => isLookedUp(index, treeOf(number)))).toEqual([true, true, false])
    index.markLost(['00'.repeat(32) as Parameters<typeof index.markLost>[0][number]])
    expect([1, 2].map((number) => isLookedUp(index, treeOf(number)))).toEqual([false, false])
  })

  test('are not remembered when a pack was lost meanwhile', () => {
    const index = createMemoryIndex()
    const { losses } = index
    index.markLost(['00'.repeat(32) as Parameters<typeof index.markLost>[0][number]])
    noteLookedUp(index, treeOf(1), losses)
    expect(isLookedUp(index, treeOf(1))).toBe(false)
  })

  test('are the last 64', () => {
    const index = createMemoryIndex()
    for (let number = 0; number < 70; number++) noteLookedUp(index, treeOf(number), index.losses)
    const known = Array.from({ length: 70 }, (_, number) => number).filter((number) =>
      isLookedUp(index, treeOf(number)),
    )
    expect(known).toEqual(Array.from({ length: 64 }, (_, at) => at + 6))
  })

  test('are given up where the cache cannot be written', () => {
    const index = createMemoryIndex()
    vi.spyOn(index, 'putCached').mockImplementation(() => {
      throw new HoldfastError('IO', 'the disk is full')
    })
    noteLookedUp(index, treeOf(1), index.losses)
    expect(isLookedUp(index, treeOf(1))).toBe(false)
  })
})

describe('a backup with nothing changed', () => {
  let scene: Scene
  beforeEach(async () => {
    scene = await createScene()
    const folder = join(scene.source, 'folder')
    mkdirSync(folder)
    for (let file = 0; file < 200; file++) writeFileSync(join(folder, `${file}`), `file ${file}\n`)
    writeFileSync(join(folder, 'long'), Buffer.alloc(3_000_000, 'long'))
    // Old enough not to be racy.
    execFileSync('find', [scene.source, '-exec', 'touch', '-d', '2001-01-01', '{}', '+'])
  })

  /** Look-ups of chunks made by a run; the status change times of these files are new, and not what is meant here. */
  const lookUps = async (): Promise<number> => {
    const { index } = scene.repository
    const has = vi.spyOn(index, 'has')
    const { summary } = await scene.run({ ignoreCtime: true })
    expect(summary).toMatchObject({ filesChanged: 0, filesUnmodified: 201 })
    const calls = has.mock.calls.length
    has.mockRestore()
    return calls
  }

  test('looks up the chunks of its parent once, and again after a loss', async () => {
    await scene.run()
    await new Promise((resolve) => setTimeout(resolve, 2100))
    await scene.run()
    expect(await lookUps()).toBeLessThan(20)
    scene.repository.index.markLost(['00'.repeat(32) as never])
    expect(await lookUps()).toBeGreaterThan(200)
    expect(await lookUps()).toBeLessThan(20)
  })
})
