import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type BlockPlace, fileName } from '../../../src/repository/index.ts'
import { createBlockOpener, createLocalBlocks } from '../../../src/repository/worker.ts'
import { createStore, flipBit, randomChunks, storeBlocks } from './scene.ts'

const BLOCK_BYTES = 40_000

/** A pack of eight blocks, its bytes, a folder to put it in, and what its blocks hold as read from there. */
async function scene() {
  const store = createStore()
  const repository = await store.create()
  const chunks = randomChunks(8, BLOCK_BYTES)
  const { pack, places } = await storeBlocks(
    repository,
    chunks.map((bytes) => [bytes]),
  )
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const name = fileName('data', pack)
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  const put = (bytes: Uint8Array): void => writeFileSync(path, bytes)
  put(store.files.get(name)!)
  const { files, dataIds: ids } = repository.subkeys
  const opener = createBlockOpener({ files: files.data, ids })
  const local = createLocalBlocks(folder)
  const read = (wanted: readonly BlockPlace[]): unknown[] => {
    const sealed = local.read(wanted)
    return sealed.blocks.map((block) => {
      try {
        const plain = opener.open(sealed, block, Buffer.alloc(BLOCK_BYTES))
        return chunks.findIndex((chunk) => chunk.equals(plain))
      } catch (error) {
        return (error as { code: string }).code
      }
    })
  }
  return { store, name, path, put, places, local, read }
}

describe('createLocalBlocks()', () => {
  test('reads neighbours together, and what lies far apart alone', async () => {
    const { places, local, read } = await scene()
    expect(read(places)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(local.read(places).stretches.length).toBe(1)
    const apart = [places[0]!, places[7]!]
    expect(read(apart)).toEqual([0, 7])
    expect(local.read(apart).stretches.length).toBe(2)
  })

  test('a block that is damaged or cut off costs no other', async () => {
    const { store, name, put, places, read } = await scene()
    flipBit(store.files, name, places[2]!.offsetBytes + 77)
    put(store.files.get(name)!.subarray(0, places[5]!.offsetBytes + 5))
    expect(read(places)).toEqual([0, 1, 'DAMAGED', 3, 4, 'DAMAGED', 'DAMAGED', 'DAMAGED'])
  })

  test('of a pack that is gone, no file, or without a header nothing can be read', async () => {
    const { path, put, places, read } = await scene()
    put(new Uint8Array(10))
    expect(new Set(read(places))).toEqual(new Set(['DAMAGED']))
    rmSync(path)
    expect(new Set(read(places))).toEqual(new Set(['DAMAGED']))
    mkdirSync(path)
    expect(new Set(read(places))).toEqual(new Set(['DAMAGED']))
  })
})
