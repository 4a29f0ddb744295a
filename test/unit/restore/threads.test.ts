import {
  chmodSync,
  linkSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { restore } from '../../../src/restore/index.ts'
import { restoreWithin } from '../../../src/restore/restore.ts'
import {
  damageChunk,
  makeRepository,
  noise,
  readTree,
  restoreTold,
  takeSnapshot,
  tempDirectory,
  writeTree,
} from './scene.ts'

/** Small files of many folders, files of many blocks, content that several have in common, links, odd modes. */
function makeSource(): string {
  const source = tempDirectory()
  const small = Array.from({ length: 400 }, (_, at) => [`many/${at % 230}/${at}`, noise(at % 90, 37 * at)])
  writeTree(source, {
    ...Object.fromEntries(small),
    'large/one': noise(1000, 9_000_000),
    'large/same': noise(1000, 9_000_000),
    'large/end': noise(1000, 9_000_000).subarray(4_000_000),
    'odd/empty': '',
    'odd/read-only': 'r',
    'odd/setuid': 's',
    'odd/holes': 'h',
  })
  truncateSync(join(source, 'odd/holes'), 3_000_000)
  chmodSync(join(source, 'odd/read-only'), 0o444)
  chmodSync(join(source, 'odd/setuid'), 0o6755)
  writeFileSync(Buffer.concat([Buffer.from(join(source, 'odd/')), Buffer.of(0xff, 0x61)]), 'raw')
  linkSync(join(source, 'large/one'), join(source, 'odd/link'))
  symlinkSync('nowhere', join(source, 'odd/symlink'))
  return source
}

describe('restore() in threads', () => {
  test('any number of threads restores the same', async () => {
    const source = makeSource()
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const wanted = readTree(source)
    for (const threads of [0, 1, 2, 7]) {
      const target = tempDirectory()
      const first = await restoreTold(repository, snapshot, { target, path: source, threads })
      expect([first.errors, first.warnings]).toEqual([[], []])
      expect(readTree(target)).toEqual(wanted)
      expect(first.result.bytesRestored).toBe(first.result.totalBytes)
      expect(first.result.filesRestored).toBe(first.result.totalFiles)
      expect(new Set(first.items.map(({ path }) => path)).size).toBe(first.items.length)
    }
  })

  test('a file that begins in one window and ends in the next is whole', async () => {
    // Over a page of chunks each, so that a window can end within a file while its first blocks still wait.
    const source = tempDirectory()
    const sizes = Array.from({ length: 24 }, (_, at) => 2_500_000 + at * 150_000)
    writeTree(source, Object.fromEntries(sizes.map((size, at) => [`file-${at}`, noise(at, size)])))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const wanted = readTree(source)
    const limits = {
      windowNodes: 2048,
      windowPieces: 400,
      windowBytes: 1 << 30,
      openFolders: 256,
      batchFolders: 48,
      linkEntries: 100,
    }
    for (const threads of [0, 2]) {
      const target = tempDirectory()
      await restoreWithin(repository, snapshot, { target, path: source, threads }, limits)
      expect(readTree(target)).toEqual(wanted)
    }
  })

  test('what is there is replaced, also where it is a folder or a link', async () => {
    const source = makeSource()
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    writeTree(target, { 'many/1/1': 'other', 'large/same': noise(1000, 9_000_000) })
    writeTree(target, { 'odd/x': '' })
    symlinkSync('/nowhere', join(target, 'odd/read-only'))
    const { errors, actions } = await restoreTold(repository, snapshot, { target, path: source, threads: 2 })
    expect(errors).toEqual([])
    expect(actions[`${source}/many/1/1`]).toBe('updated')
    expect(actions[`${source}/large/same`]).toBe('unchanged')
    const facts = readTree(target).filter(({ path }) => !path.endsWith('/78'))
    expect(facts).toEqual(readTree(source))
  })

  test('damage costs the same files as without threads', async () => {
    const source = makeSource()
    const { repository, files } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    await damageChunk(files, repository, snapshot, `${source}/large/one`, 1500)
    await damageChunk(files, repository, snapshot, `${source}/many/100/100`, 0)
    const lost = async (threads: number): Promise<unknown> => {
      const target = tempDirectory()
      const { errors, result } = await restoreTold(repository, snapshot, { target, path: source, threads })
      const left = readTree(target).map(({ path, content }) => `${path} ${content}`)
      const { startedMs: _, endedMs: __, ...counts } = result
      return { errors: errors.map(({ path, message }) => `${path} ${message}`).sort(), counts, left }
    }
    const alone = await lost(0)
    expect(alone).toMatchObject({ counts: { errors: expect.any(Number) } })
    expect((alone as { errors: string[] }).errors.length).toBeGreaterThanOrEqual(3)
    expect(await lost(2)).toEqual(alone)
  })

  test('an interrupt leaves nothing that is not whole', async () => {
    const source = makeSource()
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    const controller = new AbortController()
    const { signal } = controller
    let count = 0
    const onItem = (): void => {
      if (++count === 20) controller.abort()
    }
    const running = restore(repository, snapshot, { target, path: source, threads: 2, signal, onItem })
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' })
    const names = readdirSync(target, { recursive: true, encoding: 'utf8' })
    expect(names.filter((name) => name.includes('.holdfast-'))).toEqual([])
    for (const name of names.filter((one) => one.startsWith('large/'))) {
      expect(readFileSync(join(target, name)).equals(readFileSync(join(source, name)))).toBe(true)
    }
  })
})
