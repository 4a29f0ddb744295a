import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { prune } from '../../../src/prune/index.ts'
import { verify } from '../../../src/verify/index.ts'
import { createStore, flipBit, type MemoryStore } from '../repository/scene.ts'
import { commitFiles } from '../snapshot/scene.ts'

/** Blocks that are needed whole, in part and not at all. */
async function createForgotten(): Promise<MemoryStore> {
  const store = createStore()
  const repository = await store.create()
  const files: Record<string, string> = {}
  for (let number = 10; number < 60; number++) files[`${number}`] = randomBytes(90_000).toString('hex')
  const forgotten = await commitFiles(repository, files)
  const kept = Object.entries(files).filter(([name]) => Number(name) < 40 || Number(name) % 2 === 0)
  await commitFiles(repository, Object.fromEntries(kept))
  await repository.removeFile('snapshot', forgotten)
  return store
}

/** The same repository for each run. */
function copyOf({ files }: MemoryStore): MemoryStore {
  return createStore(new Map(files))
}

test('what is needed is copied, and only that, in any number of threads', async () => {
  const store = await createForgotten()
  for (const threads of [0, 1, 3]) {
    const copy = copyOf(store)
    const result = await prune(await copy.open(), { maxUnused: 0, threads })
    expect(result, `${threads} threads`).toMatchObject({ deletedPacks: 2, copiedChunks: 40 })

    const repository = await copy.open()
    expect(await verify(repository, { readData: true })).toMatchObject({
      problems: [],
      counts: { dataChunks: 40 },
    })
    const stored = [...repository.index.chunks()].filter(({ homes }) =>
      homes.some((home) =>
        [...repository.index.packs()].some((row) => row.number === home.pack && row.state === 'good'),
      ),
    )
    // The chunks of the files, and the page of the folder.
    expect(stored).toHaveLength(41)
  }
})

test('a block that cannot be read ends a prune with nothing deleted, in any number of threads', async () => {
  const store = await createForgotten()
  const [pack] = store.names('data')
  flipBit(store.files, pack!, 100_000)
  for (const threads of [0, 2]) {
    const copy = copyOf(store)
    await expect(prune(await copy.open(), { maxUnused: 0, threads })).rejects.toMatchObject({
      code: 'DAMAGED',
      file: pack,
    })
    for (const name of store.names('data')) expect(copy.files.has(name)).toBe(true)
    expect(copy.names('tmp')).toEqual([])
  }
})

test('an abort ends a prune that copies in threads', async () => {
  const copy = await createForgotten()
  const before = copy.names('data')
  const abort = new AbortController()
  copy.before = (operation) => {
    if (operation === 'append') abort.abort()
  }
  const attempt = prune(await copy.open(), { maxUnused: 0, threads: 2, signal: abort.signal })
  await expect(attempt).rejects.toMatchObject({ code: 'INTERRUPTED' })
  for (const name of before) expect(copy.files.has(name)).toBe(true)
  expect(copy.names('tmp')).toEqual([])
})
