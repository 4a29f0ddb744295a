import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Measurement, measurePrimitives, measureRoundTrip } from '../../../src/bench/index.ts'
import { makeFiles } from '../../../src/bench/made-data.ts'
import { loadZstd } from '../../../src/repository/worker.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function collect(measurements: AsyncIterable<Measurement>): Promise<Measurement[]> {
  const all: Measurement[] = []
  for await (const one of measurements) all.push(one)
  for (const { value } of all) expect(value).toBeGreaterThan(0)
  return all
}

test('each step is measured, and nothing is left behind', async () => {
  const all = await collect(measurePrimitives({ directory, sizeBytes: 1 }))
  const names = new Set(all.map(({ name }) => name))
  expect([...names]).toEqual([
    ...['cut', 'hash', 'compress', 'decompress', 'decrypt', 'encrypt', 'scan', 'read', 'write', 'password'],
  ])
  expect(readdirSync(directory)).toEqual([])
})

test('a whole round is measured, and nothing is left behind', async () => {
  const all = await collect(measureRoundTrip({ directory, sizeBytes: 300_000 }))
  expect(all.map(({ name }) => name)).toEqual(['backup', 'backup, unchanged', 'verify, all data', 'restore'])
  expect(readdirSync(directory)).toEqual([])
})

test('an aborted round ends, and nothing is left behind', async () => {
  const controller = new AbortController()
  const onProgress = ({ name }: { readonly name: string }): void => {
    if (name === 'backup') controller.abort()
  }
  const rounds = measureRoundTrip({ directory, sizeBytes: 300_000, onProgress, signal: controller.signal })
  await expect(collect(rounds)).rejects.toMatchObject({ code: 'INTERRUPTED' })
  expect(readdirSync(directory)).toEqual([])
})

test('made files are the same each time, of about the size asked for, and compress to a third or so', () => {
  const made = [0, 1].map((number) => {
    const folder = mkdtempSync(join(directory, `made-${number}-`))
    const { bytes } = makeFiles(folder, 500_000)
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.includes('file-'),
    )
    const content = Buffer.concat(paths.sort().map((path) => readFileSync(join(folder, path))))
    expect(content.length).toBe(bytes)
    return content
  })
  expect(made[0]!.equals(made[1]!)).toBe(true)
  expect(made[0]!.length).toBeGreaterThan(500_000)
  expect(made[0]!.length).toBeLessThan(1_600_000)
  const share = loadZstd().compress(made[0]!.subarray(0, 200_000), 3)!.length / 200_000
  expect(share).toBeGreaterThan(0.2)
  expect(share).toBeLessThan(0.7)
})
