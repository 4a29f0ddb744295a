import { chmodSync, chownSync, lchownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import type { TestContext } from 'vitest'
import { beforeEach, describe, expect, test } from 'vitest'
import type { FileType, Metadata, SpecialType, Xattr } from '../../../src/filesystem/index.ts'
import { applyMetadata, createSpecialFile, readLink, readStatus } from '../../../src/filesystem/index.ts'
import { native } from '../../../src/filesystem/native.ts'
import { withNode } from '../../../src/filesystem/node.ts'
import { setTimes } from '../../../src/filesystem/times.ts'
import { writeXattrs } from '../../../src/filesystem/xattrs.ts'
import { copyNode, owners, readMetadata } from './copy-node.ts'
import { asNobody, needsNativeCalls, needsRoot, tempDirectory } from './scene.ts'

const NODES: readonly FileType[] = ['file', 'directory', 'symlink', 'fifo', 'character', 'block', 'socket']

/** Make a node of any type; devices have the numbers 240:77, a symbolic link points nowhere. */
function make(type: FileType, path: string): string {
  if (type === 'file') writeFileSync(path, 'content')
  else if (type === 'directory') mkdirSync(path)
  else if (type === 'symlink') symlinkSync('/no/such/path', path)
  else createSpecialFile(path, type as SpecialType, { major: 240, minor: 77 })
  return path
}

/** What of a node's metadata a restore brings back. */
function kept(path: string): object {
  const { status, metadata } = readMetadata(path)
  const { type, major, minor, sizeBytes } = status
  const { atimeNs, ...rest } = metadata
  return { type, major, minor, ...(type === 'directory' ? {} : { sizeBytes }), ...rest }
}

function setXattrs(path: string, ...xattrs: readonly Xattr[]): void {
  expect(withNode(path, (node) => writeXattrs(node, xattrs))).toEqual([])
}

function metadataOf(path: string, changes: Partial<Metadata>): Metadata {
  return { ...readMetadata(path).metadata, ...changes }
}

beforeEach((context: TestContext) => {
  needsRoot(context)
  needsNativeCalls(context)
})

describe('a node and its copy', () => {
  test.each(NODES)('a %s comes back with its owner, mode and time', (type) => {
    const directory = tempDirectory()
    const source = make(type, join(directory, 'source'))
    lchownSync(source, 12_345, 54_321)
    if (type !== 'symlink') chmodSync(source, 0o1751)
    withNode(source, (node) => setTimes(node, { mtimeNs: 1_234_567_890_123_456_789n }, native().calls))
    expect(copyNode(source, join(directory, 'target'))).toEqual([])
    expect(kept(join(directory, 'target'))).toEqual(kept(source))
    expect(readStatus(join(directory, 'target'))).toMatchObject({
      uid: 12_345,
      mtimeNs: 1_234_567_890_123_456_789n,
    })
  })

  test('every mode comes back on files and folders', () => {
    const directory = tempDirectory()
    const [file, folder] = [
      make('file', join(directory, 'file')),
      make('directory', join(directory, 'folder')),
    ]
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0o7777 }), fc.integer({ min: 1, max: 3 }), (mode, uid) => {
        for (const [path, type] of [
          [file, 'file'],
          [folder, 'directory'],
        ] as const) {
          expect(
            applyMetadata(path, type, metadataOf(path, { mode, uid, gid: uid }), {
              owners,
              numericIds: true,
            }),
          ).toEqual([])
          expect(readStatus(path)).toMatchObject({ mode, uid, gid: uid })
        }
      }),
    )
  })

  test('setuid, setgid and sticky come back with another owner', () => {
    const directory = tempDirectory()
    for (const type of ['file', 'directory'] as const) {
      const source = make(type, join(directory, type))
      chownSync(source, 12_345, 12_345)
      chmodSync(source, 0o7755)
      expect(copyNode(source, join(directory, `${type}.copy`))).toEqual([])
      expect(readStatus(join(directory, `${type}.copy`)).mode).toBe(0o7755)
    }
  })

  test('times come back to the nanosecond, before 1970 too', () => {
    const directory = tempDirectory()
    const paths = (['file', 'directory', 'symlink', 'fifo'] as const).map((type) => {
      return [type, make(type, join(directory, type))] as const
    })
    const time = fc.bigInt({ min: -2_147_483_647_000_000_000n, max: 4_294_967_296_000_000_000n })
    fc.assert(
      fc.property(time, time, (mtimeNs, atimeNs) => {
        for (const [type, path] of paths) {
          expect(applyMetadata(path, type, metadataOf(path, { mtimeNs, atimeNs }), { owners })).toEqual([])
          expect(readStatus(path)).toMatchObject({ mtimeNs, atimeNs })
        }
      }),
    )
  })

  test('without native calls times come back to the microsecond', () => {
    const directory = tempDirectory()
    const paths = (['file', 'directory', 'symlink'] as const).map((type) => make(type, join(directory, type)))
    const time = fc.bigInt({ min: -2_000_000_000_000_000_000n, max: 4_000_000_000_000_000_000n })
    fc.assert(
      fc.property(time, (mtimeNs) => {
        for (const path of paths) {
          const { atimeNs } = readStatus(path)
          withNode(path, (node) => setTimes(node, { mtimeNs }, undefined))
          expect(readStatus(path)).toMatchObject({
            mtimeNs: wholeMicroseconds(mtimeNs),
            atimeNs: wholeMicroseconds(atimeNs),
          })
        }
      }),
    )
    function wholeMicroseconds(timeNs: bigint): bigint {
      return timeNs - (((timeNs % 1000n) + 1000n) % 1000n)
    }
  })

  test('the atime stays as it is unless it is given', () => {
    const path = make('file', join(tempDirectory(), 'file'))
    const { atimeNs } = readStatus(path)
    expect(
      applyMetadata(path, 'file', metadataOf(path, { mtimeNs: 5n, atimeNs: undefined }), { owners }),
    ).toEqual([])
    expect(readStatus(path)).toMatchObject({ mtimeNs: 5n, atimeNs })
    applyMetadata(path, 'file', metadataOf(path, { mtimeNs: 5n, atimeNs: 7n }), { owners })
    expect(readStatus(path).atimeNs).toBe(7n)
  })

  test('a symbolic link comes back itself, and what it points to is left alone', () => {
    const directory = tempDirectory()
    const victim = make('file', join(directory, 'victim'))
    const source = join(directory, 'source')
    symlinkSync('victim', source)
    lchownSync(source, 12, 13)
    setXattrs(source, [Buffer.from('trusted.note'), Buffer.from('of the link')])
    withNode(source, (node) => setTimes(node, { mtimeNs: -1n }, native().calls))
    const before = readMetadata(victim)
    expect(copyNode(source, join(directory, 'target'))).toEqual([])
    expect(readLink(join(directory, 'target'))).toBe('victim')
    expect(kept(join(directory, 'target'))).toEqual(kept(source))
    expect(readStatus(join(directory, 'target'))).toMatchObject({ uid: 12, gid: 13, mtimeNs: -1n })
    expect(readMetadata(victim)).toEqual(before)
  })

  test('extended attributes of all namespaces come back on files, folders and fifos', () => {
    const directory = tempDirectory()
    const xattr = (name: string): Xattr => [Buffer.from(name), Buffer.from([0, 255, 10])]
    const rows: [FileType, Xattr[]][] = [
      ['file', [xattr('security.note'), xattr('trusted.note'), xattr('user.note')]],
      ['directory', [xattr('security.note'), xattr('trusted.note'), xattr('user.note')]],
      ['fifo', [xattr('security.note'), xattr('trusted.note')]],
    ]
    for (const [type, xattrs] of rows) {
      const source = make(type, join(directory, type))
      setXattrs(source, ...xattrs)
      expect(copyNode(source, `${source}.copy`)).toEqual([])
      expect(readMetadata(`${source}.copy`).xattrs).toEqual(xattrs)
    }
  })

  test('file capabilities outlive the new owner', () => {
    const source = make('file', join(tempDirectory(), 'source'))
    chownSync(source, 12, 13)
    // struct vfs_cap_data, revision 2, effective: CAP_NET_RAW permitted.
    const value = Buffer.from('0100000200200000000000000000000000000000', 'hex')
    setXattrs(source, [Buffer.from('security.capability'), value])
    expect(copyNode(source, `${source}.copy`)).toEqual([])
    expect(readMetadata(`${source}.copy`).xattrs).toEqual([[Buffer.from('security.capability'), value]])
  })

  test('another name of a file brings nothing of its own', () => {
    const source = make('file', join(tempDirectory(), 'one'))
    linkSync(source, join(dirname(source), 'two'))
    expect(kept(join(dirname(source), 'two'))).toEqual(kept(source))
    expect(readStatus(join(dirname(source), 'two')).inode).toBe(readStatus(source).inode)
  })
})

describe('POSIX ACLs', () => {
  const [USER_OBJ, USER, GROUP_OBJ, MASK, OTHER, NOBODY] = [1, 2, 4, 16, 32, 0xffffffff]

  /** As the kernel gives and takes it: version 2, then tag, permissions and id of each entry. */
  function acl(
    name: 'access' | 'default',
    entries: readonly (readonly [tag: number, rights: number, id: number])[],
  ): Xattr {
    const value = Buffer.alloc(4 + entries.length * 8)
    value.writeUInt32LE(2, 0)
    for (const [index, [tag, rights, id]] of entries.entries()) {
      value.writeUInt16LE(tag, 4 + index * 8)
      value.writeUInt16LE(rights, 6 + index * 8)
      value.writeUInt32LE(id, 8 + index * 8)
    }
    return [Buffer.from(`system.posix_acl_${name}`), value]
  }

  const entries = [
    [USER_OBJ, 6, NOBODY],
    [USER, 7, 1000],
    [GROUP_OBJ, 4, NOBODY],
    [MASK, 5, NOBODY],
    [OTHER, 0, NOBODY],
  ] as const

  test('access and default ACLs come back, and the mode with them', () => {
    const source = make('directory', join(tempDirectory(), 'source'))
    setXattrs(source, acl('access', entries), acl('default', entries))
    expect(copyNode(source, `${source}.copy`)).toEqual([])
    expect(kept(`${source}.copy`)).toEqual(kept(source))
    expect(readMetadata(`${source}.copy`).xattrs).toEqual([acl('access', entries), acl('default', entries)])
    expect(readStatus(`${source}.copy`).mode).toBe(0o650)
  })

  test('an ACL inherited from the folder of the copy does not stay', () => {
    const directory = tempDirectory()
    const sources = [make('file', join(directory, 'file')), make('directory', join(directory, 'folder'))]
    const shared = make('directory', join(directory, 'shared'))
    setXattrs(shared, acl('default', entries))
    const probe = make('file', join(shared, 'probe'))
    expect(readMetadata(probe).xattrs).not.toEqual([])
    for (const source of sources) {
      const target = join(shared, 'copy-of-') + readStatus(source).type
      expect(copyNode(source, target)).toEqual([])
      expect(kept(target)).toEqual(kept(source))
      expect(readMetadata(target).xattrs).toEqual([])
    }
  })
})

describe('owners', () => {
  const ids = new Map([
    ['ann', 1001],
    ['staff', 2002],
  ])
  const named = { userId: (name: string) => ids.get(name), groupId: (name: string) => ids.get(name) }
  const ann = { uid: 7, gid: 8, user: 'ann', group: 'staff' }

  test('the user and group of the same name come first, then the numbers', () => {
    const path = make('file', join(tempDirectory(), 'file'))
    expect(applyMetadata(path, 'file', metadataOf(path, ann), { owners: named })).toEqual([])
    expect(readStatus(path)).toMatchObject({ uid: 1001, gid: 2002 })
    expect(applyMetadata(path, 'file', metadataOf(path, { ...ann, user: 'bob' }), { owners: named })).toEqual(
      [],
    )
    expect(readStatus(path)).toMatchObject({ uid: 7, gid: 2002 })
  })

  test('numericIds takes the numbers alone', () => {
    const path = make('file', join(tempDirectory(), 'file'))
    applyMetadata(path, 'file', metadataOf(path, ann), { owners: named, numericIds: true })
    expect(readStatus(path)).toMatchObject({ uid: 7, gid: 8 })
  })

  test('without ownership the owner stays, and setuid and setgid do not pass to it', () => {
    const path = make('file', join(tempDirectory(), 'file'))
    const metadata = metadataOf(path, { ...ann, mode: 0o7755 })
    expect(applyMetadata(path, 'file', metadata, { owners: named, ownership: false })).toEqual([])
    expect(readStatus(path)).toMatchObject({ uid: 0, gid: 0, mode: 0o1755 })
  })

  test('who is not root is not told of owners that only root can set, and gets no setuid of them', () => {
    const path = make('file', join(tempDirectory(), 'file'))
    for (const each of [path, dirname(path)]) chownSync(each, 65_534, 65_534)
    const metadata = metadataOf(path, { ...ann, mode: 0o6711, mtimeNs: 1n })
    expect(asNobody(() => applyMetadata(path, 'file', metadata, { owners: named }))).toEqual([])
    expect(readStatus(path)).toMatchObject({ uid: 65_534, gid: 65_534, mode: 0o711, mtimeNs: 1n })
  })

  test('who is not root still sets a group of their own', () => {
    const path = make('file', join(tempDirectory(), 'file'))
    for (const each of [path, dirname(path)]) chownSync(each, 65_534, 65_534)
    const groups = process.getgroups!()
    process.setgroups!([2002])
    try {
      const metadata = metadataOf(path, { ...ann, mode: 0o6711 })
      expect(asNobody(() => applyMetadata(path, 'file', metadata, { owners: named }))).toEqual([])
    } finally {
      process.setgroups!(groups)
    }
    expect(readStatus(path)).toMatchObject({ uid: 65_534, gid: 2002, mode: 0o2711 })
  })
})

describe('what fails', () => {
  test('another node in the place is not touched', () => {
    const directory = tempDirectory()
    const victim = make('file', join(directory, 'victim'))
    symlinkSync('victim', join(directory, 'swapped'))
    const before = readMetadata(victim)
    const metadata = metadataOf(victim, { mode: 0o777, uid: 1, mtimeNs: 1n })
    const problems = applyMetadata(join(directory, 'swapped'), 'file', metadata, { owners })
    expect(problems).toMatchObject([
      { what: 'type', message: 'something else has taken the place of the file (it is a symlink)' },
    ])
    expect(readMetadata(victim)).toEqual(before)
  })

  test('a node that is gone is a problem, not an exception', () => {
    const path = make('file', join(tempDirectory(), 'file'))
    const problems = applyMetadata(`${path}.none`, 'file', metadataOf(path, {}), { owners })
    expect(problems).toMatchObject([{ what: 'type', message: 'the file cannot be found again (ENOENT)' }])
  })

  test('one thing that fails is reported and the others are done', () => {
    const path = make('file', join(tempDirectory(), 'file'))
    const xattrs: Xattr[] = [[Buffer.from('no namespace'), Buffer.alloc(0)]]
    const metadata = metadataOf(path, { uid: 2 ** 40, gid: 1, mode: 0o640, mtimeNs: -5n, xattrs })
    const problems = applyMetadata(path, 'file', metadata, { owners, numericIds: true })
    expect(problems.map(({ what }) => what)).toEqual(['owner', 'xattr'])
    expect(readStatus(path)).toMatchObject({ uid: 0, mode: 0o640, mtimeNs: -5n })
  })
})
