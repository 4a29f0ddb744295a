import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { BackupOptions } from '../../../src/backup/index.ts'
import { HoldfastError } from '../../../src/errors/index.ts'
import { needsRoot } from '../filesystem/scene.ts'
import { createJobScene } from './job-scene.ts'
import { createScene, filesOf, nodesOf, tempDirectory } from './scene.ts'

/** What a source does while it is backed up is brought about by the calls that the backup makes. */
/** Options by which something happens when the second file was looked at and is not open yet: the clock is read then. */
function beforeSecondIsOpened(change: () => void): BackupOptions {
  return {
    onItem: ({ path }) => {
      if (!String(path).endsWith('/a')) return
      const clock = vi.spyOn(Date, 'now').mockImplementationOnce(() => {
        clock.mockRestore()
        change()
        return Date.now()
      })
    },
  }
}

describe('while a backup runs', () => {
  test('a file that vanishes is passed over without an error', async () => {
    const { repository, source, run } = await createScene()
    for (const name of ['a', 'b', 'c']) writeFileSync(join(source, name), name)
    const { snapshot, errors, isIncomplete } = await run({
      // Names are listed, and b is not looked at yet.
      onItem: ({ path }) => {
        if (String(path).endsWith('/a')) rmSync(join(source, 'b'), { force: true })
      },
      excludes: { patterns: ['a'] },
    })
    expect([...(await filesOf(repository, snapshot.tree, source)).keys()]).toEqual(['/c'])
    expect([errors, isIncomplete]).toEqual([[], false])
  })

  test('a file that vanishes between the walk and the reading is passed over too', async () => {
    const { repository, source, run } = await createScene()
    for (const name of ['a', 'b']) writeFileSync(join(source, name), name)
    const { snapshot, errors } = await run(beforeSecondIsOpened(() => rmSync(join(source, 'b'))))
    expect([...(await filesOf(repository, snapshot.tree, source)).keys()]).toEqual(['/a'])
    expect(errors).toEqual([])
  })

  test('a file that becomes a folder costs that file', async () => {
    const { repository, source, run } = await createScene()
    for (const name of ['a', 'b']) writeFileSync(join(source, name), name)
    const change = (): void => {
      rmSync(join(source, 'b'))
      mkdirSync(join(source, 'b'))
    }
    const { snapshot, errors, isIncomplete } = await run(beforeSecondIsOpened(change))
    expect([...(await filesOf(repository, snapshot.tree, source)).keys()]).toEqual(['/a'])
    expect(errors).toEqual([expect.stringMatching(/^\/b: .*directory/)])
    expect([isIncomplete, snapshot.incomplete, snapshot.summary.errors]).toEqual([true, false, 1])
  })

  test('a file in whose place a symbolic link or a fifo is put costs that file, and leads nowhere', async () => {
    for (const make of [
      (path: string) => execFileSync('ln', ['-s', '/etc/hostname', path]),
      (path: string) => execFileSync('mkfifo', [path]),
    ]) {
      const { repository, source, run } = await createScene()
      for (const name of ['a', 'b']) writeFileSync(join(source, name), name)
      const change = (): void => {
        rmSync(join(source, 'b'))
        make(join(source, 'b'))
      }
      const { snapshot, errors } = await run(beforeSecondIsOpened(change))
      expect([...(await filesOf(repository, snapshot.tree, source)).keys()]).toEqual(['/a'])
      expect(errors).toEqual([expect.stringMatching(/^\/b: /)])
    }
  })

  test('a folder that vanishes costs at most itself', async () => {
    const { repository, source, run } = await createScene()
    mkdirSync(join(source, 'b/deep'), { recursive: true })
    writeFileSync(join(source, 'b/deep/file'), 'x')
    for (const name of ['a', 'c']) writeFileSync(join(source, name), name)
    const { snapshot } = await run({
      onItem: ({ path }) => {
        if (String(path).endsWith('/c')) rmSync(join(source, 'b'), { recursive: true, force: true })
      },
      excludes: { patterns: ['c'] },
    })
    expect((await nodesOf(repository, snapshot.tree, source)).has('/a')).toBe(true)
  })

  test('a folder swapped for another one while it is walked does not end the run', async () => {
    const { repository, source, run } = await createScene()
    mkdirSync(join(source, 'folder'))
    for (const name of ['a', 'b', 'c']) writeFileSync(join(source, 'folder', name), name)
    const { snapshot } = await run({
      onItem: ({ path }) => {
        if (!String(path).endsWith('/a')) return
        renameSync(join(source, 'folder'), join(source, 'moved'))
        writeFileSync(join(source, 'folder'), 'a file now')
      },
      excludes: { patterns: ['a'] },
    })
    expect((await nodesOf(repository, snapshot.tree, source)).has('/folder')).toBe(true)
  })
})

describe('what cannot be read', () => {
  test('costs itself: errors are counted and told, the rest is kept', async (context) => {
    needsRoot(context)
    const { repository, source, run } = await createScene()
    chmodSync(source, 0o755)
    writeFileSync(join(source, 'open'), 'x')
    writeFileSync(join(source, 'secret'), 'x', { mode: 0o600 })
    mkdirSync(join(source, 'closed'), { mode: 0o700 })
    writeFileSync(join(source, 'closed/in'), 'x')
    process.setegid!(65_534)
    process.seteuid!(65_534)
    const outcome = await run().finally(() => {
      process.seteuid!(0)
      process.setegid!(0)
    })
    expect([...outcome.errors].sort()).toEqual([
      expect.stringMatching(/^\/closed: EACCES/),
      expect.stringMatching(/^\/secret: EACCES/),
    ])
    expect(outcome.snapshot.summary).toMatchObject({ errors: 2, totalFiles: 1 })
    expect([outcome.isIncomplete, outcome.snapshot.incomplete]).toEqual([true, false])
    const nodes = await nodesOf(repository, outcome.snapshot.tree, source)
    expect([...nodes.keys()]).toEqual(['/closed', '/open'])
  })

  test('a file of the system that cannot be read to its end costs that file', async () => {
    const { run, repository } = await createScene()
    const { snapshot, errors } = await run({}, ['/proc/self/mem', '/proc/self/status'])
    expect(errors).toEqual([expect.stringContaining('/mem: EIO')])
    expect([...(await filesOf(repository, snapshot.tree)).keys()].at(-1)).toMatch(/status$/)
  })
})

/** One file read while something else happens to it, step by step. */
describe('reading a file that changes', () => {
  test('that grows ends at the size it had, is read twice, warned of and marked', () => {
    const path = join(tempDirectory(), 'file')
    const bytes = randomBytes(1_000_000)
    writeFileSync(path, bytes)
    const { read, contents } = createJobScene()
    const result = read(path, () => appendFileSync(path, 'more'))
    expect(result).toMatchObject({ racy: true, warnings: ['it changed while it was read'] })
    const size = 'sizeBytes' in result ? Number(result.sizeBytes) : 0
    // Read once more after the change was seen, and again as long as it was then.
    expect(size).toBeGreaterThan(bytes.length)
    const kept = contents(result)
    expect(kept.length).toBe(size)
    expect(kept.subarray(0, bytes.length).equals(bytes)).toBe(true)
  })

  test('that changed once, and then stood still, is kept as it is then, without a warning', () => {
    const path = join(tempDirectory(), 'file')
    writeFileSync(path, 'before')
    const { read, contents } = createJobScene()
    let isChanged = false
    const result = read(path, () => {
      if (isChanged) return
      isChanged = true
      writeFileSync(path, 'after it')
    })
    expect(result).toMatchObject({ warnings: [], sizeBytes: 8n })
    expect(contents(result).toString()).toBe('after it')
  })

  test('that was changed, or replaced, before it was opened is kept as it is then', () => {
    const path = join(tempDirectory(), 'file')
    const { read, contents, status } = createJobScene()
    for (const change of [
      () => appendFileSync(path, ' more'),
      () => {
        writeFileSync(`${path}.new`, 'another')
        renameSync(`${path}.new`, path)
      },
    ]) {
      writeFileSync(path, 'content')
      const found = status(path)
      change()
      const result = read(path, undefined, found)
      expect(result).toMatchObject({ status: status(path), warnings: [] })
      expect(contents(result)).toEqual(readFileSync(path))
    }
  })

  test('whose mode or owner changed within a tick of the clock is kept with those it has now', () => {
    const path = join(tempDirectory(), 'file')
    writeFileSync(path, 'content')
    const { read, status } = createJobScene()
    const now = status(path)
    for (const other of [{ mode: 0o4711 }, { uid: now.uid + 1 }, { gid: now.gid + 1 }]) {
      expect(read(path, undefined, { ...now, ...other })).toMatchObject({ status: now, warnings: [] })
    }
  })

  test('that shrinks ends where it ends', () => {
    const path = join(tempDirectory(), 'file')
    writeFileSync(path, randomBytes(3_000_000))
    const { read, contents } = createJobScene()
    let size = 3_000_000
    const result = read(path, () => {
      size = Math.max(size - 1_000_000, 10)
      truncateSync(path, size)
    })
    expect(result).toMatchObject({ racy: true })
    if (!('sizeBytes' in result)) throw new Error(result.message)
    expect(contents(result).length).toBe(Number(result.sizeBytes))
  })

  test('that does not change is read once and not warned of', () => {
    const path = join(tempDirectory(), 'file')
    const bytes = randomBytes(300_000)
    writeFileSync(path, bytes)
    const { read, contents } = createJobScene()
    const result = read(path)
    expect(result).toMatchObject({ warnings: [], sizeBytes: 300_000n })
    expect(contents(result).equals(bytes)).toBe(true)
  })

  test('older than two seconds when it is opened is not racy, younger is', () => {
    const path = join(tempDirectory(), 'file')
    writeFileSync(path, 'x')
    const { ctimeNs } = createJobScene().status(path)
    const readAt = (ageMs: number) => {
      const now = Number(ctimeNs / 1_000_000n) + ageMs
      return createJobScene({ now: () => now }).read(path)
    }
    expect(readAt(0)).toMatchObject({ racy: true })
    expect(readAt(1999)).toMatchObject({ racy: true })
    expect(readAt(2002)).toMatchObject({ racy: false })
    expect(readAt(-5000)).toMatchObject({ racy: true })
  })

  test('a file that says it is empty and is not is read to its end', () => {
    const { read, contents } = createJobScene()
    const result = read('/proc/self/status')
    expect(contents(result).toString()).toContain('Pid:')
    expect(result).toMatchObject({ racy: true })
  })

  test('a folder, or nothing, is an error of that file', () => {
    const folder = tempDirectory()
    const { read } = createJobScene()
    expect(read(folder)).toMatchObject({ message: expect.stringContaining('directory') })
    expect(read(join(folder, 'none'))).toMatchObject({ code: 'ENOENT' })
    expect(readdirSync(folder)).toEqual([])
  })

  test('being aborted ends the run, and is no error of the file', () => {
    const path = join(tempDirectory(), 'file')
    writeFileSync(path, randomBytes(100_000))
    const { read } = createJobScene({ isAborted: () => true })
    expect(() => read(path)).toThrow(expect.objectContaining({ code: 'INTERRUPTED' }))
  })
})

test('what is no fault of the file ends the run: chunks may have been reserved and not stored', () => {
  const path = join(tempDirectory(), 'file')
  writeFileSync(path, 'content')
  for (const error of [
    new HoldfastError('DAMAGED', 'the local index is damaged'),
    Object.assign(new RangeError('out of range'), { code: 'ERR_OUT_OF_RANGE' }),
    // As node:zlib throws, whose zstd serves where zstd-napi does not load.
    Object.assign(new Error('Allocation error'), { errno: -64, code: 'ZSTD_error_memory_allocation' }),
  ]) {
    const isAborted = (): boolean => {
      throw error
    }
    expect(() => createJobScene({ isAborted }).read(path)).toThrow(error)
  }
  expect(createJobScene().read(join(path, 'below'))).toMatchObject({ code: 'ENOTDIR' })
})
