import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  checkParameters,
  defaultParameters,
  parametersForAverage,
  segmentBytes,
} from '../../../src/chunker/index.ts'
import { doublingsAt } from '../../../src/chunker/parameters.ts'
import { type HoldfastError, hasCode } from '../../../src/errors/index.ts'

const KIB = 1024
const MIB = 1024 * KIB

function errorOf(run: () => void): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

test('the default parameters pass their own check and are those of their average', () => {
  expect(errorOf(() => checkParameters(defaultParameters))).toBeUndefined()
  expect(parametersForAverage(defaultParameters.averageBytes)).toEqual(defaultParameters)
})

test('parametersForAverage() gives parameters that pass the check, for every average it takes', () => {
  for (let averageBytes = 4 * KIB; averageBytes <= MIB; averageBytes *= 2) {
    const parameters = parametersForAverage(averageBytes)
    expect(parameters.averageBytes).toBe(averageBytes)
    expect(errorOf(() => checkParameters(parameters))).toBeUndefined()
  }
})

test.each([0, -4096, 2 * KIB, 2 * MIB, 65_535, 20_000.5, Number.NaN, Number.POSITIVE_INFINITY])(
  'parametersForAverage(%d) is refused with what may be given',
  (averageBytes) => {
    const error = errorOf(() => parametersForAverage(averageBytes))
    expect(hasCode(error, 'USAGE')).toBe(true)
    expect((error as HoldfastError).hint).toContain('power of two')
  },
)

const wrong: readonly [string, object][] = [
  ['an average that is no power of two', { averageBytes: 65_535 }],
  ['an average below 4 KiB', { averageBytes: 2 * KIB, minimumBytes: 512 }],
  ['an average over 1 MiB', { averageBytes: 2 * MIB }],
  ['no average', { averageBytes: undefined }],
  ['a minimum of zero', { minimumBytes: 0 }],
  ['a minimum shorter than the hash', { minimumBytes: 31 }],
  ['a minimum over half the average', { minimumBytes: defaultParameters.averageBytes / 2 + 1 }],
  ['a broken minimum', { minimumBytes: 1000.5 }],
  ['a maximum under twice the average', { maximumBytes: defaultParameters.averageBytes * 2 - 1 }],
  ['a maximum over 4 MiB', { maximumBytes: 4 * MIB + 1 }],
  [
    'a threshold within the first segment',
    { growth: { ...defaultParameters.growth, fromBytes: segmentBytes - 1 } },
  ],
  ['a threshold over 1 TiB', { growth: { ...defaultParameters.growth, fromBytes: 2 ** 40 + 1 } }],
  ['a ratio of 1', { growth: { ...defaultParameters.growth, ratio: 1 } }],
  ['a ratio of 65', { growth: { ...defaultParameters.growth, ratio: 65 } }],
  ['negative doublings', { growth: { ...defaultParameters.growth, doublings: -1 } }],
  ['nine doublings', { growth: { ...defaultParameters.growth, doublings: 9 } }],
  ['doublings past 4 MiB', { maximumBytes: 2 * MIB, growth: { ...defaultParameters.growth, doublings: 2 } }],
]

test.each(wrong)('checkParameters() refuses %s', (_, change) => {
  const error = errorOf(() => checkParameters({ ...defaultParameters, ...change }))
  expect(hasCode(error, 'UNSUPPORTED')).toBe(true)
})

test('checkParameters() takes an unknown algorithm for a newer format', () => {
  const error = errorOf(() => checkParameters({ ...defaultParameters, algorithm: 'gear-nc-2' }))
  expect(hasCode(error, 'NEWER_FORMAT')).toBe(true)
})

test('doublingsAt() steps at the threshold and each ratio of it, up to its cap', () => {
  const growth = { fromBytes: 64 * MIB, ratio: 4, doublings: 3 }
  const offsets = [0, 64 * MIB - 1, 64 * MIB, 256 * MIB - 1, 256 * MIB, 1024 * MIB - 1, 1024 * MIB, 2 ** 50]
  expect(offsets.map((offset) => doublingsAt(growth, offset))).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
})

test('doublingsAt() never falls further on in a file, and stays within its cap', () => {
  const growths = fc.record({
    fromBytes: fc.integer({ min: segmentBytes, max: 2 ** 40 }),
    ratio: fc.integer({ min: 2, max: 64 }),
    doublings: fc.integer({ min: 0, max: 8 }),
  })
  fc.assert(
    fc.property(growths, fc.maxSafeNat(), fc.maxSafeNat(), (growth, one, other) => {
      const lesser = doublingsAt(growth, Math.min(one, other))
      const greater = doublingsAt(growth, Math.max(one, other))
      expect(lesser).toBeLessThanOrEqual(greater)
      expect(greater).toBeLessThanOrEqual(growth.doublings)
    }),
  )
})
