import { describe, expect, test } from 'vitest'
import { parametersOf } from '../../../src/backup/chunker-config.ts'
import { chunkerConfig } from '../../../src/backup/index.ts'
import { defaultParameters, parametersForAverage } from '../../../src/chunker/index.ts'

describe('the chunker in the config', () => {
  test('gives its parameters back', () => {
    expect(parametersOf(chunkerConfig())).toEqual(defaultParameters)
    for (let average = 4096; average <= 1 << 20; average *= 2)
      expect(parametersOf(chunkerConfig(average))).toEqual(parametersForAverage(average))
  })

  test('an average that is none is refused', () => {
    for (const average of [0, 1000, 2048, 1 << 21, Number.NaN])
      expect(() => chunkerConfig(average)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  test('an algorithm that is not known needs a newer program', () => {
    const config = { ...chunkerConfig(), algorithm: 'gear-nc-2' }
    expect(() => parametersOf(config)).toThrow(expect.objectContaining({ code: 'NEWER_FORMAT' }))
  })

  test('hostile numbers are refused, one too few too', () => {
    const { algorithm, numbers } = chunkerConfig()
    const hostile = [[], numbers.slice(1), numbers.map(() => 0), numbers.map(() => 2 ** 32 - 1)]
    for (const wrong of hostile)
      expect(() => parametersOf({ algorithm, numbers: wrong })).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED' }),
      )
  })
})
