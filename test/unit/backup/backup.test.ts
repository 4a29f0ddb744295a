import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openBackend } from '../../../src/backend/index.ts'
import { backup, chunkerConfig } from '../../../src/backup/index.ts'
import { applyMetadata, createOwnerNames, readStatus } from '../../../src/filesystem/index.ts'
import { createRepository } from '../../../src/repository/index.ts'
import { needsNativeCalls, needsRoot } from '../filesystem/scene.ts'
import { secret } from '../repository/scene.ts'
import { commitChanged, contentOf, createScene, filesOf, nodesOf, rawPath, tempDirectory } from './scene.ts'

const text = (files: ReadonlyMap<string, Buffer>): Record<string, string> =>
  Object.fromEntries([...files].map(([path, bytes]) => [path, bytes.toString()]))

describe('backup() keeps', () => {
  test('files and folders with their content, in one tree', async () => {
    const { repository, source, run } = await createScene()
    mkdirSync(join(source, 'a/deep/er'), { recursive: true })
    mkdirSync(join(source, 'empty'))
    writeFileSync(join(source, 'a/deep/er/file'), 'deep')
    writeFileSync(join(source, 'top'), 'top')
    writeFileSync(join(source, 'nothing'), '')
    const large = randomBytes(3_000_000)
    writeFileSync(join(source, 'large'), large)
    const { snapshot, errors, warnings, isIncomplete } = await run()
    const nodes = await nodesOf(repository, snapshot.tree, source)
    expect([...nodes.keys()]).toEqual([
      '/a',
      '/a/deep',
      '/a/deep/er',
      '/a/deep/er/file',
      '/empty',
      '/large',
      '/nothing',
      '/top',
    ])
    const files = await filesOf(repository, snapshot.tree, source)
    expect(files.get('/large')!.equals(large)).toBe(true)
    files.delete('/large')
    expect(text(files)).toEqual({ '/a/deep/er/file': 'deep', '/nothing': '', '/top': 'top' })
    expect([errors, warnings, isIncomplete]).toEqual([[], [], false])
    expect(snapshot.summary).toMatchObject({ filesNew: 4, totalFiles: 4, totalBytes: 3_000_007, errors: 0 })
  })

  test('what the system says of each node', async () => {
    const { repository, source, run } = await createScene()
    writeFileSync(join(source, 'file'), 'x', { mode: 0o640 })
    symlinkSync('to/nowhere', join(source, 'link'))
    execFileSync('mkfifo', [join(source, 'fifo')])
    const stats = statSync(join(source, 'file'), { bigint: true })
    const { snapshot } = await run({ withAtime: true })
    const nodes = await nodesOf(repository, snapshot.tree, source)
    expect(nodes.get('/file')).toMatchObject({
      type: 'file',
      mode: 0o640,
      uid: process.getuid!(),
      gid: process.getgid!(),
      mtimeNs: stats.mtimeNs,
      ctimeNs: stats.ctimeNs,
      atimeNs: stats.atimeNs,
      inode: stats.ino,
      links: 1,
      fileSystem: null,
      sizeBytes: 1n,
    })
    expect(Buffer.from((nodes.get('/link') as { target: Uint8Array }).target).toString()).toBe('to/nowhere')
    expect(nodes.get('/fifo')).toMatchObject({ type: 'fifo' })
  })

  test('names that are not UTF-8, byte for byte and in byte order', async () => {
    const { repository, source, run } = await createScene()
    const names = [Buffer.from([0xff, 0x41]), Buffer.from([0x61, 0xfe]), Buffer.from('ä'), Buffer.from('z')]
    for (const name of names) writeFileSync(rawPath(source, name), name)
    mkdirSync(rawPath(source, Buffer.from([0x80])))
    writeFileSync(Buffer.concat([rawPath(source, Buffer.from([0x80])), Buffer.from('/in')]), 'inside')
    const { snapshot, errors } = await run()
    const files = await filesOf(repository, snapshot.tree, source)
    expect([...files.keys()]).toEqual(['/a\\xfe', '/z', '/\\x80/in', '/ä', '/\\xffA'])
    expect(files.get('/\\xffA')).toEqual(names[0])
    expect(errors).toEqual([])
  })

  test('which names are links to one file', async () => {
    const { repository, source, run } = await createScene()
    writeFileSync(join(source, 'one'), 'shared')
    linkSync(join(source, 'one'), join(source, 'two'))
    const { snapshot } = await run()
    const nodes = await nodesOf(repository, snapshot.tree, source)
    const [one, two] = [nodes.get('/one')!, nodes.get('/two')!]
    expect(one).toMatchObject({ links: 2, fileSystem: expect.any(BigInt) })
    expect(two).toEqual({ ...one, name: 'two' })
  })

  test('the holes of sparse files, which read as zeros', async (context) => {
    needsNativeCalls(context)
    const { repository, source, run } = await createScene()
    const fd = openSync(join(source, 'sparse'), 'w')
    writeSync(fd, 'head', 0)
    ftruncateSync(fd, 4 << 20)
    writeSync(fd, 'tail', (4 << 20) - 4)
    closeSync(fd)
    const { snapshot } = await run()
    const node = (await nodesOf(repository, snapshot.tree, source)).get('/sparse')!
    const expected = Buffer.alloc(4 << 20)
    expected.write('head', 0)
    expected.write('tail', (4 << 20) - 4)
    expect((await contentOf(repository, node)).equals(expected)).toBe(true)
    if (node.type !== 'file') throw new Error('it is no file')
    expect(node.sizeBytes).toBe(BigInt(4 << 20))
    expect(node.holes.length).toBeGreaterThan(0)
    for (const [offset, length] of node.holes) {
      const hole = expected.subarray(Number(offset), Number(offset + length))
      expect(hole.equals(Buffer.alloc(Number(length)))).toBe(true)
    }
  })

  test('extended attributes', async (context) => {
    needsNativeCalls(context)
    const { repository, source, run } = await createScene()
    writeFileSync(join(source, 'file'), 'x')
    mkdirSync(join(source, 'folder'))
    const owners = createOwnerNames()
    const note = (name: string, type: 'file' | 'directory', value: string): readonly unknown[] => {
      const path = join(source, name)
      const xattrs = [[Buffer.from('user.note'), Buffer.from(value)]] as const
      return applyMetadata(path, type, { ...readStatus(path), user: '', group: '', xattrs }, { owners })
    }
    const problems = [...note('file', 'file', 'kept'), ...note('folder', 'directory', 'too')]
    context.skip(problems.length > 0, 'the file system of temporary files has no extended attributes')
    const { snapshot } = await run()
    const nodes = await nodesOf(repository, snapshot.tree, source)
    const shown = (path: string): string[] =>
      nodes.get(path)!.xattrs.map(([name, value]) => `${Buffer.from(name)}=${Buffer.from(value)}`)
    expect([shown('/file'), shown('/folder')]).toEqual([['user.note=kept'], ['user.note=too']])
  })

  test('who, where, when and why', async () => {
    const { source, run } = await createScene()
    mkdirSync(join(source, '.git'))
    const commit = '0123456789abcdef0123456789abcdef01234567'
    writeFileSync(join(source, '.git/HEAD'), `${commit}\n`)
    const { snapshot } = await run({
      tags: ['daily', 'home'],
      description: 'before the move',
      host: 'elsewhere',
      timeMs: 1_600_000_000_123,
      excludes: { patterns: ['*.o'], insensitivePatterns: ['*.TMP'] },
    })
    expect(snapshot).toMatchObject({
      tags: ['daily', 'home'],
      description: 'before the move',
      host: 'elsewhere',
      timeMs: 1_600_000_000_123,
      excludes: ['*.o', '*.TMP'],
      paths: [source],
      parent: null,
      git: { commit, branch: '' },
      incomplete: false,
    })
  })
})

describe('the paths of a backup', () => {
  test('may be nested, given twice, relative, or a file alone', async () => {
    const { repository, source, run } = await createScene()
    mkdirSync(join(source, 'a/b'), { recursive: true })
    writeFileSync(join(source, 'a/b/file'), 'x')
    writeFileSync(join(source, 'a/other'), 'y')
    writeFileSync(join(source, 'left out'), 'z')
    const paths = ['a/b', join(source, 'a/b/file'), './a/../a', 'a/b']
    const { snapshot } = await run({ workingDirectory: source }, paths)
    expect(text(await filesOf(repository, snapshot.tree, source))).toEqual({
      '/a/b/file': 'x',
      '/a/other': 'y',
    })
    const alone = await run({ workingDirectory: source }, ['a/other'])
    expect([...(await nodesOf(repository, alone.snapshot.tree, source)).keys()]).toEqual(['/a', '/a/other'])
  })

  test('with one missing make an incomplete snapshot of the others', async () => {
    const { repository, source, run } = await createScene()
    writeFileSync(join(source, 'there'), 'x')
    const paths = [join(source, 'there'), join(source, 'gone/below')]
    const { snapshot, isIncomplete, errors } = await run({}, paths)
    expect([isIncomplete, snapshot.incomplete, snapshot.summary.errors]).toEqual([true, true, 1])
    expect(errors).toEqual([expect.stringMatching(/^\/gone: ENOENT/)])
    expect(text(await filesOf(repository, snapshot.tree, source))).toEqual({ '/there': 'x' })
  })

  test('with all missing fail, and none at all are a usage error; nothing is written', async () => {
    const { store, source, run } = await createScene()
    const before = [...store.files.keys()]
    await expect(run({}, [join(source, 'gone')])).rejects.toMatchObject({ code: 'FAILED' })
    await expect(run({}, [])).rejects.toMatchObject({ code: 'USAGE' })
    expect([...store.files.keys()]).toEqual(before)
  })

  test('that a snapshot cannot name are refused before anything is read or written', async () => {
    const { store, source, run } = await createScene()
    const before = [...store.files.keys()]
    await expect(run({ description: 'x'.repeat(70_000) })).rejects.toMatchObject({ code: 'USAGE' })
    const many = Array.from({ length: 65_537 }, (_, number) => join(source, String(number)))
    await expect(run({}, [source, ...many])).rejects.toMatchObject({ code: 'USAGE' })
    expect([...store.files.keys()]).toEqual(before)
  })

  test('through a symbolic link lead to the link itself', async () => {
    const { repository, source, run } = await createScene()
    symlinkSync('/etc', join(source, 'link'))
    const { snapshot } = await run({}, [join(source, 'link')])
    expect((await nodesOf(repository, snapshot.tree, source)).get('/link')).toMatchObject({ type: 'symlink' })
  })
})

describe('backup() leaves out', () => {
  test('what patterns say, and tells so', async () => {
    const { repository, source, run } = await createScene()
    mkdirSync(join(source, 'build'))
    writeFileSync(join(source, 'build/x'), 'x')
    writeFileSync(join(source, 'a.o'), 'x')
    writeFileSync(join(source, 'keep.o'), 'x')
    writeFileSync(join(source, 'b.TMP'), 'x')
    const excluded: string[] = []
    const { snapshot } = await run({
      excludes: { patterns: ['*.o', '!keep.o', 'build/'], insensitivePatterns: ['*.tmp'] },
      onItem: ({ path, action }) =>
        void (action === 'excluded' && excluded.push(String(path).slice(source.length))),
    })
    expect([...(await nodesOf(repository, snapshot.tree, source)).keys()]).toEqual(['/keep.o'])
    expect(excluded.sort()).toEqual(['/a.o', '/b.TMP', '/build'])
  })

  test('files that are larger than asked for', async () => {
    const { repository, source, run } = await createScene()
    writeFileSync(join(source, 'fits'), Buffer.alloc(1000))
    writeFileSync(join(source, 'large'), Buffer.alloc(1001))
    const { snapshot } = await run({ excludes: { largerThanBytes: 1000 } })
    expect([...(await nodesOf(repository, snapshot.tree, source)).keys()]).toEqual(['/fits'])
  })

  test('what lies in folders that are marked, but not the folders', async () => {
    const { repository, source, run } = await createScene()
    for (const folder of ['cache', 'marked', 'plain']) {
      mkdirSync(join(source, folder))
      writeFileSync(join(source, folder, 'file'), 'x')
    }
    writeFileSync(join(source, 'cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n')
    writeFileSync(join(source, 'marked/.nobackup'), '')
    writeFileSync(join(source, 'plain/CACHEDIR.TAG'), 'no signature')
    const excludes = { caches: true, ifPresent: [{ name: '.nobackup', header: '' }] }
    const { snapshot } = await run({ excludes })
    expect([...(await nodesOf(repository, snapshot.tree, source)).keys()]).toEqual([
      '/cache',
      '/marked',
      '/plain',
      '/plain/CACHEDIR.TAG',
      '/plain/file',
    ])
  })

  test('nothing for the marker of a folder whose path is as long as a path can be', async () => {
    const { repository, source, run } = await createScene()
    let folder = source
    while (folder.length < 4088) folder = join(folder, 'x'.repeat(Math.min(250, 4089 - folder.length)))
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(source, 'file'), 'x')
    const { snapshot, errors } = await run({ excludes: { caches: true } })
    expect(errors).toEqual([])
    expect((await nodesOf(repository, snapshot.tree, source)).has(folder.slice(source.length))).toBe(true)
  })

  test('other file systems, when asked to; their mount point stays', async (context) => {
    needsRoot(context)
    const { repository, source, run } = await createScene()
    mkdirSync(join(source, 'mounted'))
    const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', join(source, 'mounted')])
    context.skip(mounted.status !== 0, 'nothing can be mounted here')
    try {
      writeFileSync(join(source, 'mounted/file'), 'other')
      writeFileSync(join(source, 'file'), 'own')
      const one = await run({ oneFileSystem: true })
      expect([...(await nodesOf(repository, one.snapshot.tree, source)).keys()]).toEqual([
        '/file',
        '/mounted',
      ])
      const all = await run()
      expect((await filesOf(repository, all.snapshot.tree, source)).get('/mounted/file')!.toString()).toBe(
        'other',
      )
      // A path that was asked for is its own file system.
      const inside = await run({ oneFileSystem: true }, [source, join(source, 'mounted')])
      expect(inside.errors).toEqual([])
    } finally {
      spawnSync('umount', [join(source, 'mounted')])
    }
  })

  test('the repository itself, the local index and places named to it, by what they are and not by name', async () => {
    const source = tempDirectory()
    const cacheDirectory = join(source, 'cache')
    const backend = await openBackend(join(source, 'repository'), { create: true })
    const repository = await createRepository(backend, {
      secret,
      cacheDirectory,
      chunker: chunkerConfig(),
      nowMs: 0,
    })
    mkdirSync(join(source, 'own'))
    writeFileSync(join(source, 'own/file'), 'x')
    writeFileSync(join(source, 'file'), 'x')
    const options = { threads: 0, ownPlaces: [join(source, 'own'), join(source, 'not there')] }
    const result = await backup(repository, [source], options)
    const { listSnapshots } = await import('../../../src/snapshot/index.ts')
    const tree = (await listSnapshots(repository)).snapshots[0]!.tree
    expect([...(await nodesOf(repository, tree, source)).keys()]).toEqual(['/file'])
    expect(result.ownPlacesLeftOut).toEqual(['cache', 'own', 'repository'].map((name) => join(source, name)))
    expect(result.isIncomplete).toBe(false)
    // Also when one of them is what was asked for: it would feed on itself.
    const asked = await backup(repository, [join(source, 'repository'), join(source, 'file')], options)
    expect(asked.ownPlacesLeftOut).toEqual([join(source, 'repository')])
    expect(asked.isIncomplete).toBe(true)
    await repository.close()
  })
})

describe('a second backup', () => {
  /** Old enough not to be racy cannot be made: ctime is the system's. So nodes are asked about by what they say. */
  const old = join(import.meta.dirname, '../../../node_modules/ignore')

  test('of what has not changed reads nothing and keeps the tree', async () => {
    const { store, run } = await createScene()
    const first = await run({}, [old])
    const packs = [...store.names('data'), ...store.names('trees')]
    const second = await run({}, [old])
    expect(second.snapshot.tree).toEqual(first.snapshot.tree)
    expect([...store.names('data'), ...store.names('trees')]).toEqual(packs)
    expect(second.parent).toBe(first.snapshotId)
    expect(second.summary).toMatchObject({
      filesNew: 0,
      filesChanged: 0,
      filesUnmodified: first.summary.filesNew,
      directoriesNew: 0,
      directoriesChanged: 0,
      dataChunks: 0,
      treeChunks: 0,
      addedBytes: 0,
      totalBytes: first.summary.totalBytes,
    })
  })

  test('can be left undone when nothing has changed', async () => {
    const { store, run } = await createScene()
    await run({}, [old])
    const again = await run({ skipIfUnchanged: true }, [old])
    expect([again.snapshotId, store.names('snapshots').length, store.names('sessions')]).toEqual([
      undefined,
      1,
      [],
    ])
    const changed = await run({ skipIfUnchanged: true, excludes: { patterns: ['README.md'] } }, [old])
    expect(changed.snapshotId).toBeDefined()
  })

  test('can be left undone although folders on the way to the source have changed', async () => {
    const { source, run } = await createScene()
    chmodSync(source, 0o755)
    await run()
    mkdirSync(`${source}-sibling`)
    expect((await run({ skipIfUnchanged: true })).snapshotId).toBeUndefined()
    rmSync(`${source}-sibling`, { recursive: true })
    chmodSync(source, 0o700)
    expect((await run({ skipIfUnchanged: true })).snapshotId).toBeDefined()
  })

  test('reads racy files again and stores nothing new for them', async () => {
    const { repository, source, run } = await createScene()
    writeFileSync(join(source, 'young'), 'x')
    const first = await run()
    const node = (await nodesOf(repository, first.snapshot.tree, source)).get('/young')
    expect(node).toMatchObject({ racy: true })
    const second = await run()
    expect(second.summary).toMatchObject({ filesChanged: 0, filesUnmodified: 1, dataChunks: 0 })
  })

  test('makes no snapshot, when asked so, for files that are merely no longer racy', async () => {
    const { repository, source, run } = await createScene()
    writeFileSync(join(source, 'young'), 'x')
    const first = await run()
    const parent = await commitChanged(repository, first.snapshot, join(source, 'young'), { racy: true })
    expect((await run({ parent, skipIfUnchanged: true })).snapshotId).toBeUndefined()
    writeFileSync(join(source, 'young'), 'y')
    expect((await run({ parent, skipIfUnchanged: true })).snapshotId).toBeDefined()
  })

  test('sees a change of the same size at the same mtime, in the very next moment', async () => {
    const { repository, source, run } = await createScene()
    const file = join(source, 'file')
    writeFileSync(file, 'before')
    utimesSync(file, 1_000_000, 1_000_000)
    await run()
    writeFileSync(file, 'after!')
    utimesSync(file, 1_000_000, 1_000_000)
    const { snapshot } = await run()
    expect(text(await filesOf(repository, snapshot.tree, source))).toEqual({ '/file': 'after!' })
  })

  test('takes as parent the last confirmed one of the same host and paths, or the one that is named', async () => {
    const { source, run } = await createScene()
    writeFileSync(join(source, 'a'), 'x')
    writeFileSync(join(source, 'b'), 'x')
    const [a, b] = [join(source, 'a'), join(source, 'b')]
    const both = await run({}, [a, b])
    const alone = await run({}, [a])
    expect(alone.parent).toBeUndefined()
    expect((await run({}, [b, a])).parent).toBe(both.snapshotId)
    expect((await run({ host: 'other' }, [a, b])).parent).toBeUndefined()
    expect((await run({ parent: null }, [a])).parent).toBeUndefined()
    expect((await run({ parent: both.snapshotId! }, [a])).parent).toBe(both.snapshotId)
    const unknown = run({ parent: '0'.repeat(64) as NonNullable<typeof both.snapshotId> }, [a])
    await expect(unknown).rejects.toMatchObject({ code: 'NO_SNAPSHOT' })
  })

  test('follows files that become folders, folders that become files, and what is gone', async () => {
    const { repository, source, run } = await createScene()
    writeFileSync(join(source, 'file'), 'x')
    mkdirSync(join(source, 'folder'))
    writeFileSync(join(source, 'folder/in'), 'x')
    writeFileSync(join(source, 'gone'), 'x')
    await run()
    for (const name of ['file', 'folder', 'gone']) rmSync(join(source, name), { recursive: true })
    mkdirSync(join(source, 'file'))
    writeFileSync(join(source, 'file/in'), 'y')
    writeFileSync(join(source, 'folder'), 'y')
    const { snapshot } = await run()
    expect(text(await filesOf(repository, snapshot.tree, source))).toEqual({
      '/file/in': 'y',
      '/folder': 'y',
    })
  })

  test('of a large folder with one file changed stores a page or two, and reads that file alone', async () => {
    const { repository, source, run } = await createScene()
    for (let number = 0; number < 3000; number++) writeFileSync(join(source, `file ${number}`), 'same')
    const first = await run()
    writeFileSync(join(source, 'file 1500'), 'changed')
    const second = await run()
    expect(second.summary.dataChunks).toBe(1)
    expect(first.summary.treeChunks).toBeGreaterThan(5)
    const files = await filesOf(repository, second.snapshot.tree, source)
    expect([files.size, files.get('/file 1500')!.toString()]).toEqual([3000, 'changed'])
  })

  test.each([
    { field: 'ctimeNs', ignoring: { ignoreCtime: true } },
    { field: 'inode', ignoring: { ignoreInode: true } },
  ] as const)('with another $field reads again, unless that is ignored', async ({ field, ignoring }) => {
    const { repository, run } = await createScene()
    const file = join(old, 'README.md')
    const first = await run({}, [old])
    const now = (await nodesOf(repository, first.snapshot.tree, old)).get('/README.md')!
    if (now.type !== 'file') throw new Error('it is no file')
    const parent = await commitChanged(repository, first.snapshot, file, { [field]: now[field] - 1n })
    const plain = await run({ parent }, [old])
    expect(plain.summary).toMatchObject({ filesChanged: 1, dataChunks: 0 })
    const again = await run({ parent, ...ignoring }, [old])
    expect(again.summary).toMatchObject({ filesChanged: 0, filesUnmodified: first.summary.filesNew })
    expect((await nodesOf(repository, again.snapshot.tree, old)).get('/README.md')).toEqual(now)
  })

  test.each([
    { racy: true, content: { depth: 0, ids: new Uint8Array(0) } },
    { sizeBytes: 1n },
    { mtimeNs: 5n },
  ])('of a node with %o reads the file, whatever is ignored', async (change) => {
    const { repository, run } = await createScene()
    const first = await run({}, [old])
    const parent = await commitChanged(repository, first.snapshot, join(old, 'README.md'), change)
    const again = await run({ parent, ignoreCtime: true, ignoreInode: true }, [old])
    expect(again.summary).toMatchObject({ filesChanged: 1, dataChunks: 0 })
  })
})

describe('a dry run', () => {
  test('says what would be stored, and writes nothing', async () => {
    const { store, source, run } = await createScene()
    writeFileSync(join(source, 'file'), randomBytes(5000))
    const before = [...store.files.keys()]
    const result = await run({ isDryRun: true })
    expect(result.snapshotId).toBeUndefined()
    expect(result.summary).toMatchObject({ filesNew: 1, totalBytes: 5000 })
    expect(result.summary.dataChunks).toBeGreaterThan(0)
    expect([...store.files.keys()]).toEqual(before)
    expect(
      store.calls.some(
        (call) => ['put', 'putNew', 'stage'].includes(call.operation) && call.name.startsWith('sessions'),
      ),
    ).toBe(false)
  })
})

describe('progress', () => {
  test('tells of every file and folder once, with what became of it', async () => {
    const { source, run } = await createScene()
    mkdirSync(join(source, 'folder'))
    for (const name of ['a', 'b', 'folder/c']) writeFileSync(join(source, name), 'x')
    const items: string[] = []
    const onItem = ({ path, action }: { path: unknown; action: string }): void => {
      if (String(path).startsWith(`${source}/`)) items.push(`${action} ${String(path).slice(source.length)}`)
    }
    await run({ onItem })
    expect(items.sort()).toEqual(['new /a', 'new /b', 'new /folder', 'new /folder/c'])
    items.length = 0
    truncateSync(join(source, 'a'), 5)
    renameSync(join(source, 'b'), join(source, 'bb'))
    await run({ onItem })
    expect(items).toContain('modified /a')
    expect(items).toContain('new /bb')
  })
})
