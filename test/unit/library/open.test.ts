import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Secret } from '../../../src/crypto/index.ts'
import { createRepository, openRepository } from '../../../src/library/index.ts'

const secret: Secret = { kind: 'keyFile', bytes: Buffer.alloc(32, 7) }
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-library-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

describe('a repository by its location', () => {
  test('is made where there is nothing, and opened again', async () => {
    const location = join(folder, 'some/new/place')
    const made = await createRepository({ location, secret, cacheDirectory: null, compressionLevel: 5 })
    await made.close()
    expect(readdirSync(location).sort()).toEqual(expect.arrayContaining(['config', 'keys', 'settings']))
    const opened = await openRepository({ location, secret, cacheDirectory: null })
    expect(opened.config).toEqual(made.config)
    expect(opened.settings.compressionLevel).toBe(5)
    await opened.close()
  })

  test('keeps its index in the cache folder of the user, unless another one or none is named', async () => {
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
    const location = join(folder, 'repository')
    await (await createRepository({ location, secret })).close()
    expect(readdirSync(join(folder, 'cache/holdfast'))).toHaveLength(1)
    await (await openRepository({ location, secret, cacheDirectory: join(folder, 'elsewhere') })).close()
    expect(readdirSync(join(folder, 'elsewhere'))).toHaveLength(1)
    rmSync(join(folder, 'cache'), { recursive: true })
    await (await openRepository({ location, secret, cacheDirectory: null })).close()
    expect(existsSync(join(folder, 'cache'))).toBe(false)
  })

  test('is not made twice, and is not found where there is none', async () => {
    const location = join(folder, 'repository')
    await (await createRepository({ location, secret, cacheDirectory: null })).close()
    await expect(createRepository({ location, secret, cacheDirectory: null })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    for (const nothing of [join(folder, 'none'), folder]) {
      await expect(openRepository({ location: nothing, secret, cacheDirectory: null })).rejects.toMatchObject(
        { code: 'NO_REPOSITORY' },
      )
    }
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })

  test('asks for the secret only where there is something to open', async () => {
    const ask = vi.fn(async () => secret)
    mkdirSync(join(folder, 'empty'))
    for (const location of [join(folder, 'none'), join(folder, 'empty')])
      await expect(openRepository({ location, secret: ask, cacheDirectory: null })).rejects.toThrow()
    expect(ask).not.toHaveBeenCalled()
    const location = join(folder, 'repository')
    await (await createRepository({ location, secret: ask, cacheDirectory: null })).close()
    await (await openRepository({ location, secret: ask, cacheDirectory: null })).close()
    expect(ask).toHaveBeenCalledTimes(2)
  })

  test('takes the chunk size it was made with', async () => {
    const location = join(folder, 'repository')
    const options = { location, secret, cacheDirectory: null, chunkerAverageBytes: 65_536 }
    const made = await createRepository(options)
    expect(made.config.chunker.numbers.slice(0, 3)).toEqual([16_384, 65_536, 262_144])
    await made.close()
    const odd = { ...options, location: join(folder, 'odd'), chunkerAverageBytes: 1000 }
    await expect(createRepository(odd)).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('is not made in a folder with other things', async () => {
    writeFileSync(join(folder, 'README'), 'mine')
    const making = createRepository({ location: folder, secret, cacheDirectory: null })
    await expect(making).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(readdirSync(folder)).toEqual(['README'])
  })
})
