import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, type TestContext, test } from 'vitest'
import { applyMetadata, createOwnerNames, readStatus } from '../../../src/filesystem/index.ts'
import { type RestoreProblem, type RestoreProgress, restore } from '../../../src/restore/index.ts'
import { restoreWithin } from '../../../src/restore/restore.ts'
import {
  makeRepository,
  noise,
  readTree,
  restoreTold,
  takeSnapshot,
  tempDirectory,
  writeTree,
} from './scene.ts'

function needsRoot({ skip }: TestContext): void {
  skip(process.geteuid?.() !== 0, 'needs root')
}

/** Run something as a user without rights. */
async function asNobody<Result>(use: () => Promise<Result>): Promise<Result> {
  process.setegid!(65_534)
  process.seteuid!(65_534)
  try {
    return await use()
  } finally {
    process.seteuid!(0)
    process.setegid!(0)
  }
}

const leftovers = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.holdfast-'))

describe('restore(): where things go', () => {
  test('whole paths are recreated below the target, with the metadata of the folders that lead there', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': 'one', 'a/b/two': noise(1, 100_000), 'empty/x/y': '' })
    chmodSync(join(source, 'a/b'), 0o751)
    utimesSync(join(source, 'a'), 1_000_000_000, 1_000_000_001)
    chmodSync(source, 0o2750)
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = join(tempDirectory(), 'not/there/yet')
    const { result, errors } = await restoreTold(repository, snapshot, { target })
    expect(errors).toEqual([])
    expect(readTree(join(target, source))).toEqual(readTree(source))
    expect(statSync(join(target, source)).mode).toBe(statSync(source).mode)
    expect(result).toMatchObject({ bytesRestored: 100_003, totalBytes: 100_003, filesSkipped: 0, errors: 0 })
    expect(result.filesRestored).toBe(result.totalFiles)
    expect(leftovers(target)).toEqual([])
  })

  test('the content of a folder goes into the target; one that is made for it gets its metadata', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': 'one', 'a/b/two': 'two', other: 'x' })
    chmodSync(join(source, 'a'), 0o711)
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const base = tempDirectory()
    const fresh = join(base, 'fresh')
    const there = join(base, 'there')
    mkdirSync(there, { mode: 0o700 })
    const before = statSync(there)
    for (const target of [fresh, there]) {
      await restoreTold(repository, snapshot, { target, path: `${source}/a/` })
      expect(readTree(target)).toEqual(readTree(join(source, 'a')))
    }
    expect(statSync(fresh).mode & 0o7777).toBe(0o711)
    expect(statSync(fresh).mtimeMs).toBe(statSync(join(source, 'a')).mtimeMs)
    expect(statSync(there).mode).toBe(before.mode)
  })

  test('a file becomes target/name, and so does a link', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': noise(2, 50_000), 'a/two': 'x' })
    symlinkSync('nowhere', join(source, 'a/link'))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    const { items } = await restoreTold(repository, snapshot, { target, path: `${source}/a/one` })
    expect(readdirSync(target)).toEqual(['one'])
    expect(readFileSync(join(target, 'one')).equals(noise(2, 50_000))).toBe(true)
    expect(items).toEqual([{ path: `${source}/a/one`, action: 'restored', sizeBytes: 50_000 }])
    await restoreTold(repository, snapshot, { target, path: `${source}/a/link` })
    expect(lstatSync(join(target, 'link')).isSymbolicLink()).toBe(true)
  })

  test('a path that is not in the snapshot, and a target that is no folder', async () => {
    const source = tempDirectory()
    writeTree(source, { a: 'a' })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    await expect(restore(repository, snapshot, { target, path: '/nope' })).rejects.toMatchObject({
      code: 'NO_SUCH_PATH',
    })
    await expect(restore(repository, snapshot, { target: join(source, 'a') })).rejects.toMatchObject({
      code: 'IO',
    })
    expect(readdirSync(target)).toEqual([])
  })

  test('include and exclude; folders are made only where they lead to something', async () => {
    const source = tempDirectory()
    writeTree(source, {
      'a/keep.txt': '1',
      'a/drop.log': '2',
      'b/drop.log': '3',
      'c/deep/keep.txt': '4',
      'c/deep/secret/keep.txt': '5',
    })
    chmodSync(join(source, 'c'), 0o705)
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    await restoreTold(repository, snapshot, { target, path: source, include: ['*.txt'], exclude: ['secret'] })
    const names = readdirSync(target, { recursive: true, encoding: 'utf8' }).sort()
    expect(names).toEqual(['a', 'a/keep.txt', 'c', 'c/deep', 'c/deep/keep.txt'])
    expect(statSync(join(target, 'c')).mode & 0o7777).toBe(0o705)
  })

  test('a dry run says the same and writes nothing', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': noise(3, 40_000), 'a/two': 'two', 'b/three': 'three' })
    linkSync(join(source, 'a/one'), join(source, 'b/link'))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    writeTree(target, { 'a/two': 'two', 'a/one': 'older' })
    const before = readTree(target)
    const options = { target, path: source }
    const dry = await restoreTold(repository, snapshot, { ...options, isDryRun: true })
    expect(readTree(target)).toEqual(before)
    const real = await restoreTold(repository, snapshot, options)
    expect(dry.actions).toEqual(real.actions)
    expect({ ...dry.result, startedMs: 0, endedMs: 0 }).toEqual({ ...real.result, startedMs: 0, endedMs: 0 })
    const absent = join(target, 'absent')
    await restoreTold(repository, snapshot, { target: absent, isDryRun: true })
    expect(existsSync(absent)).toBe(false)
  })
})

describe('restore(): nodes', () => {
  test('hard links, within a folder and across, also those whose first name was not asked for', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': noise(4, 30_000), 'z/far': 'far' })
    linkSync(join(source, 'a/one'), join(source, 'a/two'))
    linkSync(join(source, 'a/one'), join(source, 'z/three'))
    symlinkSync('target', join(source, 'a/soft'))
    linkSync(join(source, 'a/soft'), join(source, 'z/soft'))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    const { result } = await restoreTold(repository, snapshot, { target, path: source })
    expect(readTree(target)).toEqual(readTree(source))
    expect(result.totalBytes).toBe(30_003)
    const part = tempDirectory()
    await restoreTold(repository, snapshot, { target: part, path: source, exclude: ['one', '/**/a/soft'] })
    expect(statSync(join(part, 'a/two')).ino).toBe(statSync(join(part, 'z/three')).ino)
    expect(statSync(join(part, 'a/two')).nlink).toBe(2)
  })

  test('holes stay holes, and sparse makes more of them', async () => {
    const source = tempDirectory()
    const holed = join(source, 'holed')
    writeFileSync(holed, noise(5, 10_000))
    truncateSync(holed, 4_000_000)
    writeFileSync(join(source, 'zeros'), Buffer.concat([Buffer.alloc(2_000_000), noise(6, 5_000)]))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const plain = tempDirectory()
    const sparse = tempDirectory()
    await restoreTold(repository, snapshot, { target: plain, path: source })
    await restoreTold(repository, snapshot, { target: sparse, path: source, sparse: true })
    for (const target of [plain, sparse]) expect(readTree(target)).toEqual(readTree(source))
    expect(statSync(join(plain, 'holed')).blocks).toBeLessThan(100)
    expect(statSync(join(plain, 'zeros')).blocks).toBeGreaterThan(3900)
    expect(statSync(join(sparse, 'zeros')).blocks).toBeLessThan(100)
  })

  test('fifos, sockets and devices', async (context) => {
    needsRoot(context)
    const source = tempDirectory()
    execFileSync('mkfifo', ['-m', '640', join(source, 'fifo')])
    execFileSync('mknod', [join(source, 'null'), 'c', '1', '3'])
    execFileSync('mknod', [join(source, 'loop'), 'b', '7', '300'])
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    await restoreTold(repository, snapshot, { target, path: source })
    expect(readTree(target)).toEqual(readTree(source))
    const again = await restoreTold(repository, snapshot, { target, path: source })
    expect(new Set(again.items.map(({ action }) => action))).toEqual(new Set(['unchanged']))
  })

  test('folders that nobody may write into, as a user who is not root', async (context) => {
    needsRoot(context)
    const source = tempDirectory()
    writeTree(source, { 'a/closed/one': noise(7, 20_000), 'a/closed/two': '2' })
    chmodSync(join(source, 'a/closed'), 0o500)
    chmodSync(join(source, 'a'), 0o500)
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    chmodSync(target, 0o777)
    for (const round of ['new', 'again'] as const) {
      await asNobody(async () => {
        const { errors } = await restoreTold(repository, snapshot, { target, path: source })
        expect(errors).toEqual([])
      })
      expect(statSync(join(target, 'a/closed')).mode & 0o7777).toBe(0o500)
      expect(readFileSync(join(target, 'a/closed/one')).equals(noise(7, 20_000))).toBe(true)
      if (round === 'new') writeFileSync(join(target, 'a/closed/one'), 'changed')
    }
  })

  test('extended attributes, of files and of folders', async (context) => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': 'one', 'a/two': 'two' })
    const owners = createOwnerNames()
    const tag = (path: string, type: 'file' | 'directory', value: string): readonly unknown[] => {
      const xattrs = [[Buffer.from('user.holdfast'), Buffer.from(value)]] as const
      return applyMetadata(path, type, { ...readStatus(path), user: '', group: '', xattrs }, { owners })
    }
    const problems = [tag(join(source, 'a/one'), 'file', 'x\0y'), tag(join(source, 'a'), 'directory', 'z')]
    context.skip(problems.flat().length > 0, 'no extended attributes here')
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    await restoreTold(repository, snapshot, { target, path: source })
    const tree = readTree(target)
    expect(tree).toEqual(readTree(source))
    expect(tree.flatMap(({ xattrs }) => xattrs).length).toBe(2)
    const again = await restoreTold(repository, snapshot, { target, path: source })
    expect(again.warnings).toEqual([])
    expect(readTree(target)).toEqual(readTree(source))
  })

  test('folders nested deeper than descriptors are held, with names of one file at both ends', async () => {
    const source = tempDirectory()
    const deep = Array.from({ length: 600 }, () => 'd').join('/')
    writeTree(source, { first: 'first', [`${deep}/second`]: 'second', 'z/end': 'end' })
    linkSync(join(source, 'first'), join(source, deep, 'third'))
    linkSync(join(source, deep, 'second'), join(source, 'z/second'))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    const { errors, warnings } = await restoreTold(repository, snapshot, { target, path: source })
    expect([...errors, ...warnings]).toEqual([])
    expect(readTree(target)).toEqual(readTree(source))
  })

  test('more files under way at a time than are held open', async () => {
    const source = tempDirectory()
    const start = (number: number): Buffer => noise(100 + number, 10_000)
    const end = (number: number): Buffer => noise(300 + number, 10_000)
    const numbers = Array.from({ length: 100 }, (_, number) => number)
    writeTree(source, Object.fromEntries(numbers.map((number) => [`${number}`, start(number)])))
    const { repository } = await makeRepository()
    await takeSnapshot(repository, source)
    // The first chunks of all are in one block now, the last chunks come into another pack.
    const grown = numbers.map((number) => [`${number}`, Buffer.concat([start(number), end(number)])])
    writeTree(source, Object.fromEntries(grown))
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    let underWay = 0
    const onItem = (): void => {
      underWay = Math.max(underWay, leftovers(target).length)
    }
    await restore(repository, snapshot, { target, path: source, onItem })
    expect(underWay).toBeGreaterThan(64)
    expect(readTree(target)).toEqual(readTree(source))
  })

  test('a window can be as small as one node, one chunk, one byte', async () => {
    const source = tempDirectory()
    writeTree(source, {
      'a/one': noise(8, 200_000),
      'a/two': noise(8, 200_000),
      'b/c/three': noise(9, 70_000),
    })
    linkSync(join(source, 'a/one'), join(source, 'b/link'))
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const least = {
      windowNodes: 1,
      windowPieces: 1,
      windowBytes: 1,
      openFolders: 2,
      batchFolders: 1,
      linkEntries: 1,
    }
    const most = {
      windowNodes: 1e6,
      windowPieces: 1e6,
      windowBytes: 1e12,
      openFolders: 1e6,
      batchFolders: 1e6,
      linkEntries: 1e6,
    }
    for (const limits of [
      least,
      { ...most, windowPieces: 3 },
      { ...most, windowBytes: 100_000 },
      { ...most, windowNodes: 2 },
    ]) {
      const target = tempDirectory()
      await restoreWithin(repository, snapshot, { target, path: source }, limits)
      expect(readTree(target)).toEqual(readTree(source))
    }
  })
})

describe('restore(): a hostile or failing target', () => {
  test('a symbolic link at the place of a folder is replaced, never followed', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': 'one' })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const outside = tempDirectory()
    const target = tempDirectory()
    symlinkSync(outside, join(target, 'a'))
    const never = await restoreTold(repository, snapshot, { target, path: source, overwrite: 'never' })
    expect(never.errors.map(({ path }) => path)).toEqual([`${source}/a`])
    expect(lstatSync(join(target, 'a')).isSymbolicLink()).toBe(true)
    const { errors } = await restoreTold(repository, snapshot, { target, path: source })
    expect(errors).toEqual([])
    expect(readdirSync(outside)).toEqual([])
    expect(readTree(target)).toEqual(readTree(source))
  })

  test('a symbolic link at the place of a file is replaced, never written through', async () => {
    const source = tempDirectory()
    writeTree(source, { one: 'one' })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const outside = tempDirectory()
    writeFileSync(join(outside, 'victim'), 'old')
    const target = tempDirectory()
    symlinkSync(join(outside, 'victim'), join(target, 'one'))
    await restoreTold(repository, snapshot, { target, path: source })
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('old')
    expect(readTree(target)).toEqual(readTree(source))
  })

  test('a folder that is swapped for a link while files go into it does not lead outside', async (context) => {
    context.skip(process.platform !== 'linux', 'folders are held by descriptor on Linux only')
    const source = tempDirectory()
    writeTree(source, {
      'a/1': noise(10, 2_000_000),
      'a/2': noise(11, 2_000_000),
      'a/3/4': noise(12, 2_000_000),
    })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const outside = tempDirectory()
    const target = tempDirectory()
    let isSwapped = false
    await restore(repository, snapshot, {
      target,
      path: source,
      onItem() {
        if (isSwapped) return
        isSwapped = true
        renameSync(join(target, 'a'), join(target, 'moved'))
        symlinkSync(outside, join(target, 'a'))
      },
    })
    expect(readdirSync(outside)).toEqual([])
    expect(readFileSync(join(target, 'moved/2')).equals(noise(11, 2_000_000))).toBe(true)
  })

  test('a folder that is not empty is not removed for a file', async () => {
    const source = tempDirectory()
    writeTree(source, { full: 'file', empty: 'file', other: 'x' })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    writeTree(target, { 'full/of': 'things' })
    mkdirSync(join(target, 'empty'))
    const { errors, result } = await restoreTold(repository, snapshot, { target, path: source })
    expect(errors.map(({ path, isDamage }) => ({ path, isDamage }))).toEqual([
      { path: `${source}/full`, isDamage: false },
    ])
    expect(result).toMatchObject({ errors: 1, damaged: 0, filesRestored: 2, totalFiles: 3 })
    expect(readFileSync(join(target, 'full/of'), 'utf8')).toBe('things')
    expect(readFileSync(join(target, 'empty'), 'utf8')).toBe('file')
    expect(leftovers(target)).toEqual([])
  })

  test('what cannot be written costs that file or folder', async (context) => {
    needsRoot(context)
    const source = tempDirectory()
    writeTree(source, { 'a/one': 'one', 'a/deep/er': 'x', 'b/two': 'two' })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    mkdirSync(join(target, 'a'), { mode: 0o755 })
    chmodSync(target, 0o777)
    await asNobody(async () => {
      const { errors } = await restoreTold(repository, snapshot, { target, path: source })
      expect(errors.map(({ path }) => path).sort()).toEqual([`${source}/a/deep`, `${source}/a/one`])
      for (const { message } of errors) expect(message).toContain('EACCES')
    })
    expect(readFileSync(join(target, 'b/two'), 'utf8')).toBe('two')
  })

  test('a file that may not be read is replaced', async (context) => {
    needsRoot(context)
    const source = tempDirectory()
    writeTree(source, { one: 'one' })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    chmodSync(target, 0o777)
    await asNobody(async () => {
      writeFileSync(join(target, 'one'), 'two', { mode: 0o000 })
      const { errors } = await restoreTold(repository, snapshot, { target, path: source })
      expect(errors).toEqual([])
    })
    expect(readFileSync(join(target, 'one'), 'utf8')).toBe('one')
  })

  test('a full disk ends the run with one clear error and no file that looks whole', async (context) => {
    needsRoot(context)
    const source = tempDirectory()
    writeTree(source, { a: noise(13, 100_000), b: noise(14, 3_000_000), c: noise(15, 100_000) })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    try {
      execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', target], { stdio: 'ignore' })
    } catch {
      context.skip('cannot mount here')
    }
    onTestFinished(() => void execFileSync('/bin/umount', [target]))
    const errors: unknown[] = []
    const options = { target, path: source, onError: (problem: unknown) => errors.push(problem) }
    await expect(restore(repository, snapshot, options)).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining('ENOSPC'),
    })
    expect(errors).toEqual([])
    expect(readdirSync(target)).not.toContain('b')
    expect(leftovers(target)).toEqual([])
  })

  test('an interrupt leaves nothing that is not whole', async () => {
    const source = tempDirectory()
    writeTree(source, { a: 'a', b: noise(16, 6_000_000), c: noise(17, 6_000_000) })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    const controller = new AbortController()
    await expect(
      restore(repository, snapshot, {
        target,
        path: source,
        signal: controller.signal,
        onItem: () => controller.abort(),
      }),
    ).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(leftovers(target)).toEqual([])
    for (const name of readdirSync(target)) {
      expect(readFileSync(join(target, name)).equals(readFileSync(join(source, name)))).toBe(true)
    }
    expect(readdirSync(target).length).toBeLessThan(3)
  })
})

describe('restore(): what is told', () => {
  test('progress grows to what the result says', async () => {
    const source = tempDirectory()
    writeTree(source, { a: noise(18, 3_000_000), b: noise(19, 3_000_000) })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const seen: RestoreProgress[] = []
    const result = await restore(repository, snapshot, {
      target: tempDirectory(),
      onProgress: (progress) => seen.push(progress),
    })
    expect(seen.length).toBeGreaterThan(0)
    expect(seen[0]!.expectedBytes).toBe(6_000_000)
    for (const { bytesRestored } of seen) expect(bytesRestored).toBeLessThanOrEqual(result.bytesRestored)
    expect(result.bytesRestored).toBe(6_000_000)
  })

  test('verify finds what was not written as it should be, and does not let it have its name', async () => {
    const source = tempDirectory()
    writeTree(source, { bad: noise(21, 5_000_000), good: 'good' })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    let isSpoiled = false
    const errors: RestoreProblem[] = []
    await restore(repository, snapshot, {
      target,
      path: source,
      verify: true,
      onError: (problem) => errors.push(problem),
      onProgress() {
        const [name] = leftovers(target)
        if (isSpoiled || name === undefined) return
        isSpoiled = true
        const fd = openSync(join(target, name), 'r+')
        writeSync(fd, Buffer.of(noise(21, 1)[0]! ^ 1), 0, 1, 0)
        closeSync(fd)
      },
    })
    expect(isSpoiled).toBe(true)
    expect(errors.map(({ path, isDamage }) => ({ path, isDamage }))).toEqual([
      { path: `${source}/bad`, isDamage: false },
    ])
    expect(readdirSync(target)).toEqual(['good'])
  })

  test('verify reads back what was written', async () => {
    const source = tempDirectory()
    writeTree(source, { 'a/one': noise(20, 300_000), 'a/two': '', 'a/three': 'three' })
    const { repository } = await makeRepository()
    const snapshot = await takeSnapshot(repository, source)
    const target = tempDirectory()
    const { errors } = await restoreTold(repository, snapshot, { target, path: source, verify: true })
    expect(errors).toEqual([])
    expect(readTree(target)).toEqual(readTree(source))
  })
})
