import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  defaultCacheDirectory,
  defaultKeyFile,
  defaultRepositoryLocation,
} from '../../../src/library/index.ts'

const places = [
  ['XDG_CACHE_HOME', defaultCacheDirectory, 'holdfast', '.cache'],
  ['XDG_DATA_HOME', defaultRepositoryLocation, 'holdfast/repository', '.local/share'],
  ['XDG_CONFIG_HOME', defaultKeyFile, 'holdfast/default.key', '.config'],
] as const

afterEach(() => {
  vi.unstubAllEnvs()
})

describe.each(places)('%s', (variable, place, below, fallback) => {
  test('says where things are', () => {
    vi.stubEnv(variable, '/some/place')
    expect(place()).toBe(join('/some/place', below))
  })

  test.each([undefined, '', 'relative/place', './x'])('of %j is not taken', (value) => {
    vi.stubEnv(variable, value)
    expect(place()).toBe(join(homedir(), fallback, below))
  })
})
