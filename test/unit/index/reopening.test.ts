import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLmdbIndex } from '../../../src/index/index.ts'

let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-index-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function openAndClose(): Promise<void> {
  const index = await openLmdbIndex({ directory, checkKey: Buffer.alloc(32, 7), onNotice: () => {} })
  await index.close()
}

test('opening and closing leaves the data file and its sidecar as they are, so that nothing is walked', async () => {
  await openAndClose()
  const changed = statSync(join(directory, 'data.mdb'), { bigint: true }).ctimeNs
  const sidecar = readFileSync(join(directory, 'clean'), 'latin1')

  await openAndClose()

  expect(statSync(join(directory, 'data.mdb'), { bigint: true }).ctimeNs).toBe(changed)
  expect(readFileSync(join(directory, 'clean'), 'latin1')).toBe(sidecar)
})
