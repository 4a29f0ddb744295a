import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashBytes } from '../../src/crypto/index.ts'
import {
  backup,
  chooseSnapshot,
  joinName,
  listKeys,
  listNodes,
  listSnapshots,
  nameFromBytes,
  openRepository,
  prune,
  type Repository,
  readKeyFile,
  restore,
  type Secret,
  verify,
} from '../../src/index.ts'
import { contentOf } from '../unit/backup/scene.ts'

/** What test/fixtures/make-golden.mjs saw in the source of a snapshot. */
interface ExpectedNode {
  readonly path: string
  /** The path's bytes where they are not UTF-8. */
  readonly pathHex?: string
  readonly type: string
  readonly mode: number
  readonly mtimeNs: string
  readonly links?: number
  readonly xattrs?: readonly (readonly [string, string])[]
  readonly targetHex?: string
  readonly sizeBytes?: number
  readonly blake3?: string
}

interface Manifest {
  readonly formatVersion: number
  readonly host: string
  readonly user: string
  readonly session: string
  readonly waitingFiles: number
  readonly snapshots: readonly {
    readonly id: string
    readonly timeMs: number
    readonly tags: readonly string[]
    readonly description: string
    readonly paths: readonly [string]
    readonly nodes: readonly ExpectedNode[]
  }[]
}

const versions = readdirSync(new URL('../fixtures/repos/', import.meta.url)).filter((name) =>
  /^v\d+$/.test(name),
)

describe.each(versions)('the golden repository %s', (version) => {
  const place = new URL(`../fixtures/repos/${version}/`, import.meta.url).pathname
  const manifest = JSON.parse(readFileSync(join(place, 'manifest.json'), 'utf8')) as Manifest
  const password = readFileSync(join(place, 'password'), 'utf8').trimEnd()
  let folder = ''
  let location = ''

  /** A copy, since even looking at a repository may write beside it. */
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-golden-'))
    location = join(folder, 'repository')
    cpSync(join(place, 'repository'), location, { recursive: true })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const notices: string[] = []
  const open = async (secret: Secret, at = location): Promise<Repository> => {
    notices.length = 0
    const onNotice = (message: string): void => void notices.push(message)
    const repository = await openRepository({ location: at, secret, cacheDirectory: null, onNotice })
    await repository.loadIndex()
    return repository
  }
  const openWithKey = (at?: string): Promise<Repository> => open(readKeyFile(join(place, 'key')), at)

  /** Every node of every snapshot is what the manifest says, every chunk of it read. */
  async function expectContents(repository: Repository): Promise<void> {
    const { snapshots, damaged } = await listSnapshots(repository)
    expect(damaged).toEqual([])
    for (const expected of manifest.snapshots) {
      const snapshot = chooseSnapshot(snapshots, expected.id)
      const { id, timeMs, tags, description, paths } = expected
      expect(snapshot).toMatchObject({ id, timeMs, tags, description, paths, isConfirmed: true })
      expect(snapshot).toMatchObject({ host: manifest.host, user: manifest.user, incomplete: false })
      const wanted = new Map(expected.nodes.map((node) => [node.pathHex ?? node.path, node]))
      const top = Buffer.from(paths[0])
      for await (const { path, node } of listNodes(repository, snapshot, { path: paths[0] })) {
        const bytes = Buffer.from(path as string).subarray(top.length)
        const below = typeof path === 'string' ? bytes : path.subarray(top.length)
        if (below.length === 0) continue
        const name = nameFromBytes(below)
        const key = typeof name === 'string' ? name : name.toString('hex')
        const one = wanted.get(key)
        wanted.delete(key)
        expect(one, key).toBeDefined()
        expect(node).toMatchObject({ type: one!.type, mode: one!.mode, mtimeNs: BigInt(one!.mtimeNs) })
        const xattrs = node.xattrs.map((pair) => pair.map((part) => Buffer.from(part).toString('hex')))
        expect(xattrs).toEqual(one!.xattrs ?? [])
        if (node.type !== 'directory') expect(node.links).toBe(one!.links)
        if (node.type === 'symlink') expect(Buffer.from(node.target).toString('hex')).toBe(one!.targetHex)
        if (node.type !== 'file') continue
        expect(node.sizeBytes).toBe(BigInt(one!.sizeBytes!))
        expect(node.holes.length > 0).toBe(key === '/sparse')
        expect(hashBytes(await contentOf(repository, node)).toString('hex')).toBe(one!.blake3)
      }
      expect([...wanted.keys()]).toEqual([])
    }
  }

  test('opens with its password, and every file is what it was', async () => {
    const repository = await open({ kind: 'password', password })
    expect((await listSnapshots(repository)).snapshots.map(({ id }) => id)).toEqual(
      manifest.snapshots.map(({ id }) => id),
    )
    await expectContents(repository)
    expect(notices).toEqual([])
    await repository.close()
  })

  test('opens with its key file, and its keys say whose they are', async () => {
    const repository = await openWithKey()
    const keys = await listKeys(repository)
    expect(keys.map(({ method, isCurrent, isDamaged }) => ({ method, isCurrent, isDamaged })).sort()).toEqual(
      expect.arrayContaining([
        { method: 'keyFile', isCurrent: true, isDamaged: false },
        { method: 'password', isCurrent: false, isDamaged: false },
      ]),
    )
    for (const { info } of keys) expect(info).toMatchObject({ host: manifest.host, user: manifest.user })
    await repository.close()
  })

  test('does not open with another password', async () => {
    const wrong = open({ kind: 'password', password: 'another' })
    await expect(wrong).rejects.toMatchObject({ code: 'WRONG_KEY' })
  })

  test('is sound, and restores', async () => {
    const repository = await openWithKey()
    expect((await verify(repository, { readData: true })).problems).toEqual([])
    const { snapshots } = await listSnapshots(repository)
    const [path] = manifest.snapshots[1]!.paths
    const target = join(folder, 'restored')
    const errors: string[] = []
    const onError = (problem: { readonly message: string }): void => void errors.push(problem.message)
    await restore(repository, snapshots[1]!, { target, path, onError })
    expect(errors).toEqual([])
    for (const { path: name, pathHex, type, blake3 } of manifest.snapshots[1]!.nodes) {
      if (type !== 'file') continue
      const full = joinName(
        target,
        pathHex === undefined ? name.slice(1) : Buffer.from(pathHex, 'hex').subarray(1),
      )
      expect(hashBytes(readFileSync(full)).toString('hex')).toBe(blake3)
    }
    await repository.close()
  })

  test('can be added to, and what was left by its last prune is finished', async () => {
    const copy = join(folder, 'extended')
    cpSync(join(place, 'repository'), copy, { recursive: true })
    const repository = await openWithKey(copy)
    const source = join(folder, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'file'), 'added by this program')
    const before = [...repository.index.packs()].filter((pack) => pack.state === 'condemned')
    expect(before).toHaveLength(manifest.waitingFiles)
    const { snapshotId } = await backup(repository, [source], { threads: 0 })
    // The session that the prune waited for belongs to a client that is long dead.
    const result = await prune(repository, { sessionAgeMs: 0 })
    expect(result.deletedPacks).toBeGreaterThanOrEqual(manifest.waitingFiles)
    expect([result.waitingFiles, result.incompleteSnapshots]).toEqual([0, []])
    expect(notices).toEqual([expect.stringContaining(`backup of ${manifest.user}@${manifest.host}`)])
    await expectContents(repository)
    await repository.close()
    const again = await open({ kind: 'password', password }, copy)
    await expectContents(again)
    expect((await verify(again, { readData: true })).problems).toEqual([])
    expect((await listSnapshots(again)).snapshots.at(-1)!.id).toBe(snapshotId)
    await again.close()
  })
})
