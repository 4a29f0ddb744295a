import { Command } from 'commander'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addPolicyOptions, readPolicy } from '../../../../src/cli/commands/forget-options.ts'
import {
  formatDuration,
  isEmptyPolicy,
  type KeepPolicy,
  parseDuration,
  UNLIMITED,
} from '../../../../src/index.ts'

function parse(...words: string[]): KeepPolicy {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  addPolicyOptions(command)
  return readPolicy(command.parse(words, { from: 'user' }).opts())
}

describe('readPolicy()', () => {
  test('gives an empty policy for no options', () => {
    expect(isEmptyPolicy(parse())).toBe(true)
    expect(parse()).toEqual({ counts: {}, within: {}, tags: [], ids: [] })
  })

  test('reads every counting rule by its long and its short name', () => {
    const long = parse(
      ...['--keep-last', '1', '--keep-hourly', '2', '--keep-daily', '3', '--keep-weekly', '4'],
      ...['--keep-monthly', '5', '--keep-yearly', 'unlimited'],
    )
    const counts = { last: 1, hourly: 2, daily: 3, weekly: 4, monthly: 5, yearly: UNLIMITED }
    expect(long.counts).toEqual(counts)
    const short = parse('-l', '1', '-H', '2', '-d', '3', '-w', '4', '-m', '5', '-y', '-1')
    expect(short.counts).toEqual(counts)
  })

  test('reads every rule of time', () => {
    const rules = ['', '-hourly', '-daily', '-weekly', '-monthly', '-yearly']
    const policy = parse(...rules.flatMap((rule, at) => [`--keep-within${rule}`, `${at + 1}d`]))
    const days = Object.fromEntries(
      Object.entries(policy.within ?? {}).map(([rule, one]) => [rule, one.days]),
    )
    expect(days).toEqual({ all: 1, hourly: 2, daily: 3, weekly: 4, monthly: 5, yearly: 6 })
  })

  test('reads tags as lists and ids as they are', () => {
    expect(parse('--keep-tag', 'a,b', '--keep-tag', '').tags).toEqual([['a', 'b'], ['']])
    expect(parse('--keep-id', '0a', '--keep-id', 'ff').ids).toEqual(['0a', 'ff'])
  })

  test('refuses what it cannot read', () => {
    for (const words of [
      ['--keep-last', 'many'],
      ['--keep-daily', '1.5'],
      ['--keep-within', '3 weeks'],
      ['--keep-id', 'latest'],
    ]) {
      expect(() => parse(...words)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    }
  })

  test('keeps any count and duration as it was given', () => {
    const part = fc.nat({ max: 99_999 })
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), part, part, (count, years, hours) => {
        const duration = { years, months: 0, days: 0, hours }
        const text = formatDuration(duration)
        const policy = parse('--keep-last', String(count), '--keep-within-yearly', text)
        expect(policy.counts).toEqual({ last: count })
        expect(policy.within).toEqual({ yearly: parseDuration(text) })
        expect(policy.within?.yearly).toEqual(duration)
      }),
    )
  })
})
