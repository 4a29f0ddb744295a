import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import { displayName, nameBytes, toHex } from '../../src/encoding/index.ts'
import { find, history } from '../../src/find/index.ts'
import { listSnapshots } from '../../src/snapshot/index.ts'
import { compareNodes, findNode, type Node, walkTree } from '../../src/tree/index.ts'
import { tempDirectory } from '../unit/backup/scene.ts'
import { createStore } from '../unit/repository/scene.ts'
import { anyFolder, putFolder } from './source-trees.ts'

const anyPattern = fc.constantFrom('a', '*', 'b', '?', '.*', 'a/b', 'a/**', '**/c', 'b/*', '*n*')

/** By plain rules on the whole path. */
function isMatch(pattern: string, path: string): boolean {
  const parts = pattern.split('/').map((part) => {
    if (part === '**') return '.*'
    return part.replace(/[.*?]/g, (one) => ({ '.': '\\.', '*': '[^/]*', '?': '[^/]' })[one]!)
  })
  const source = parts.join('/').replace('.*/', '(?:.*/)?')
  return new RegExp(`/${source}$`, 'su').test(path)
}

test('find gives what a walk of every snapshot gives, newest first', async () => {
  const source = tempDirectory()
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyFolder, { minLength: 1, maxLength: 4 }),
      fc.array(anyPattern, { minLength: 1, maxLength: 2 }),
      async (folders, patterns) => {
        const repository = await createStore().create()
        for (const folder of folders) {
          putFolder(source, folder)
          await backup(repository, [source], { threads: 0 })
        }
        const snapshots = (await listSnapshots(repository)).snapshots.toReversed()
        const expected: string[] = []
        for (const snapshot of snapshots) {
          for await (const { path } of walkTree(repository, snapshot.tree)) {
            const text = nameBytes(path).toString()
            if (patterns.some((pattern) => isMatch(pattern, text)))
              expected.push(`${snapshot.id} ${displayName(path)}`)
          }
        }
        const found: string[] = []
        for await (const { snapshot, entries } of find(repository, snapshots, patterns)) {
          for (const { path } of entries) found.push(`${snapshot.id} ${displayName(path)}`)
        }
        expect(found).toEqual(expected)
      },
    ),
    { numRuns: 30 },
  )
}, 60_000)

test('history has a version wherever the node at the path is another one than in the snapshot before', async () => {
  const source = tempDirectory()
  await fc.assert(
    fc.asyncProperty(fc.array(anyFolder, { minLength: 1, maxLength: 5 }), async (folders) => {
      const repository = await createStore().create()
      for (const folder of folders) {
        putFolder(source, folder)
        await backup(repository, [source], { threads: 0 })
      }
      const { snapshots } = await listSnapshots(repository)
      for (const path of [`${source}/a`, `${source}/a/b`, source]) {
        const expected: string[] = []
        let before: Node | undefined
        for (const snapshot of snapshots) {
          const node = await findNode(repository, snapshot.tree, path)
          const isSame =
            node === undefined || before === undefined
              ? node === before
              : compareNodes(before, node) === 'same'
          if (!isSame) expected.push(`${snapshot.id} ${node?.type}`)
          before = node
        }
        const versions = await history(repository, snapshots, path)
        expect(versions.map(({ snapshot, node }) => `${snapshot.id} ${node?.type}`)).toEqual(expected)
        for (const { node } of versions)
          if (node?.type === 'directory') expect(toHex(node.tree)).toHaveLength(64)
      }
    }),
    { numRuns: 20 },
  )
}, 60_000)
