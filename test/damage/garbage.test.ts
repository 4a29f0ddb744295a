import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackend } from '../../src/backend/index.ts'
import { fileName, openRepository, overName, sessionName } from '../../src/repository/index.ts'
import { verify } from '../../src/verify/index.ts'
import { rejection } from './expected.ts'
import { buildShelf, noise, type Shelf, secret } from './shelf.ts'

const MIB = 1024 * 1024
const TIMEOUT_MS = 10_000
const MEMORY_BYTES = 300 * MIB

let shelf: Shelf
let peakBeforeKib: number

beforeAll(async () => {
  shelf = await buildShelf()
  await verifyOnDisk()
  peakBeforeKib = process.resourceUsage().maxRSS
})

afterAll(() => shelf.remove())

const header = (name: string): Buffer => readFileSync(join(shelf.directory, name)).subarray(0, 48)
const sizeBytes = (name: string): number => readFileSync(join(shelf.directory, name)).length

/** What a file may be overwritten with. */
const garbage: Readonly<Record<string, (path: string, name: string) => void>> = {
  'noise of the same size': (path, name) => writeFileSync(path, noise(99, sizeBytes(name))),
  'zeros of the same size': (path, name) => writeFileSync(path, Buffer.alloc(sizeBytes(name))),
  'ones of the same size': (path, name) => writeFileSync(path, Buffer.alloc(sizeBytes(name), 0xff)),
  'noise behind its own header': (path, name) =>
    writeFileSync(path, Buffer.concat([header(name), noise(98, sizeBytes(name) - 48)])),
  'its header alone': (path, name) => writeFileSync(path, header(name)),
  '64 MiB of zeros at its end': (path, name) => truncateSync(path, sizeBytes(name) + 64 * MIB),
  '3 GiB of zeros at its end': (path, name) => truncateSync(path, sizeBytes(name) + 3072 * MIB),
}

const files: Readonly<Record<string, () => string>> = {
  config: () => 'config',
  'a settings file': () => fileName('settings', shelf.settings[0]!),
  'the own key': () => fileName('key', shelf.keys[0]!),
  'another key': () => fileName('key', shelf.keys[1]!),
  'a data pack': () => fileName('data', shelf.runs[0]!.dataPack),
  'a tree pack': () => fileName('tree', shelf.runs[0]!.treePack),
  'an index file': () => fileName('index', shelf.runs[0]!.indexFile),
  'a snapshot': () => fileName('snapshot', shelf.runs[0]!.snapshot),
  'a session': () => sessionName(shelf.sessions[0]!),
  'a mark of a session given up on': () => overName(shelf.over[0]!),
  'a pending file': () => fileName('pending', shelf.pending[0]!),
}

/** Open and verify on disk. @returns names of files with problems */
async function verifyOnDisk(): Promise<string[]> {
  const backend = await openBackend(shelf.directory)
  const repository = await openRepository(backend, { secret, cacheDirectory: null })
  try {
    return (await verify(repository, { readData: true })).problems.map(({ file }) => file)
  } finally {
    await repository.close()
  }
}

describe.each(Object.keys(files))('garbage in %s', (file) => {
  test.each(Object.keys(garbage))(
    '%s: named, or a clear error, in bounded memory',
    async (what) => {
      const name = files[file]!()
      const path = join(shelf.directory, name)
      const before = readFileSync(path)
      try {
        garbage[what]!(path, name)
        let named: string[] = []
        const error = await rejection(
          verifyOnDisk().then((found) => {
            named = found
          }),
        )
        if (error === undefined) expect(named).toEqual([name])
        else {
          expect(['WRONG_KEY', 'DAMAGED', 'NEWER_FORMAT']).toContain(error.code)
          expect(['config', 'a settings file', 'the own key']).toContain(file)
          expect(error.hint).toBeTruthy()
        }
      } finally {
        writeFileSync(path, before)
      }
      expect((process.resourceUsage().maxRSS - peakBeforeKib) * 1024).toBeLessThan(MEMORY_BYTES)
    },
    TIMEOUT_MS,
  )
})

test(
  'garbage under the name of a pack that no index file lists',
  async () => {
    const id = 'ab'.repeat(32)
    for (const room of ['data', 'trees']) {
      const name = `${room}/ab/${id}`
      const path = join(shelf.directory, name)
      mkdirSync(dirname(path), { recursive: true })
      for (const length of [0, 40, 5000, 3072 * MIB]) {
        writeFileSync(path, '')
        truncateSync(path, length)
        expect(await verifyOnDisk()).toEqual([name])
      }
      rmSync(path)
    }
  },
  TIMEOUT_MS,
)
