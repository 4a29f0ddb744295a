import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createKeyFile, openRepository, type Secret, verify } from '../../src/index.ts'

type MakeRepository = (options: {
  readonly location: string
  readonly secret: Secret
  readonly chunks: number
  readonly seed: string
}) => Promise<{ readonly packs: number; readonly indexFiles: number }>

const generator = new URL('../../bench/synthetic-index.mjs', import.meta.url).href
const { makeSyntheticRepository } = (await import(generator)) as { makeSyntheticRepository: MakeRepository }

test('a synthetic repository holds the chunks that were asked for, and verify finds nothing wrong', async () => {
  const work = mkdtempSync(join(tmpdir(), 'holdfast-synthetic-'))
  onTestFinished(() => rmSync(work, { recursive: true, force: true }))
  const location = join(work, 'repository')
  const secret = createKeyFile(join(work, 'key'))
  const made = await makeSyntheticRepository({ location, secret, chunks: 50_050, seed: 'test' })
  expect(made).toMatchObject({ packs: 7, indexFiles: 2 })

  const repository = await openRepository({ location, secret, cacheDirectory: join(work, 'cache') })
  await repository.loadIndex()
  expect(repository.index.chunkNumbers).toBe(50_050)
  expect([...repository.index.packs()]).toHaveLength(7)
  expect((await verify(repository)).problems).toEqual([])
  await repository.close()
})
