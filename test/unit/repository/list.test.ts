import { expect, test } from 'vitest'
import type { FileId } from '../../../src/encoding/index.ts'
import {
  directories,
  fileName,
  listFiles,
  listPacks,
  type NamedFile,
  type NamedKind,
} from '../../../src/repository/index.ts'
import { createStore } from './scene.ts'

const kinds = Object.keys(directories) as NamedKind[]
const first = 'a1'.repeat(32) as FileId
const second = 'b2'.repeat(32) as FileId

async function collect(files: AsyncIterable<NamedFile>): Promise<NamedFile[]> {
  const found: NamedFile[] = []
  for await (const file of files) found.push(file)
  return found.sort((left, right) => (left.id < right.id ? -1 : 1))
}

test.each(kinds)('listFiles() has the files of kind %s, and none of another', async (kind) => {
  const store = createStore()
  for (const other of kinds) store.files.set(fileName(other, second), Buffer.alloc(other === kind ? 5 : 9))
  store.files.set(fileName(kind, first), Buffer.alloc(3))
  expect(await collect(listFiles(store.backend(), kind))).toEqual([
    { kind, id: first, sizeBytes: 3 },
    { kind, id: second, sizeBytes: 5 },
  ])
})

test.each(kinds)('listFiles() passes over what is no file of kind %s', async (kind) => {
  const store = createStore()
  const directory = directories[kind]
  for (const name of [
    'README',
    first.toUpperCase(),
    first.slice(1),
    `${first}.copy`,
    `cc/${first}`,
    `a1/a1/${first}`,
  ]) {
    store.files.set(`${directory}/${name}`, Buffer.alloc(1))
  }
  expect(await collect(listFiles(store.backend(), kind))).toEqual([])
})

test('listFiles() stops when the signal is aborted', async () => {
  const store = createStore()
  store.files.set(fileName('index', first), Buffer.alloc(1))
  const files = collect(listFiles(store.backend(), 'index', AbortSignal.abort()))
  await expect(files).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

test('listPacks() has the packs of both kinds, and no other file', async () => {
  const store = createStore()
  const repository = await store.create()
  store.files.set(fileName('data', first), Buffer.alloc(7))
  store.files.set(fileName('tree', second), Buffer.alloc(8))
  store.files.set(`data/${first}`, Buffer.alloc(1))
  store.files.set(fileName('index', first), Buffer.alloc(1))
  expect(await collect(listPacks(repository))).toEqual([
    { kind: 'data', id: first, sizeBytes: 7 },
    { kind: 'tree', id: second, sizeBytes: 8 },
  ])
})
