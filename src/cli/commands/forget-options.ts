import { type Command, Option } from 'commander'
import { HoldfastError } from '../../errors/index.ts'
import { type Duration, type KeepPolicy, parseDuration, parseKeepCount } from '../../index.ts'
import { collect } from '../values.ts'

/** The keep rules as the parser gives them. */
export interface PolicyOptions {
  readonly keepLast?: number
  readonly keepHourly?: number
  readonly keepDaily?: number
  readonly keepWeekly?: number
  readonly keepMonthly?: number
  readonly keepYearly?: number
  readonly keepWithin?: Duration
  readonly keepWithinHourly?: Duration
  readonly keepWithinDaily?: Duration
  readonly keepWithinWeekly?: Duration
  readonly keepWithinMonthly?: Duration
  readonly keepWithinYearly?: Duration
  readonly keepTag?: readonly string[]
  readonly keepId?: readonly string[]
}

/** Name of each period's rule, restic's letter for it, and what it counts. */
const periods = [
  ['hourly', 'H', 'hours'],
  ['daily', 'd', 'days'],
  ['weekly', 'w', 'weeks'],
  ['monthly', 'm', 'months'],
  ['yearly', 'y', 'years'],
] as const

export function addPolicyOptions(command: Command): void {
  const options = [
    new Option('-l, --keep-last <n>', 'keep the last N snapshots; unlimited for all').argParser(
      parseKeepCount,
    ),
    ...periods.map(([period, letter, span]) =>
      new Option(
        `-${letter}, --keep-${period} <n>`,
        `keep the last snapshot of each of the last N ${span} that have one`,
      ).argParser(parseKeepCount),
    ),
    new Option(
      '--keep-within <duration>',
      'keep what is newer than the newest snapshot less a duration such as 1y5m7d2h',
    ).argParser(parseDuration),
    ...periods.map(([period]) =>
      new Option(`--keep-within-${period} <duration>`, `the same, but only ${period} snapshots`).argParser(
        parseDuration,
      ),
    ),
    new Option(
      '--keep-tag <tag,…>',
      'keep what has all these tags; repeated: all of one of the lists; "" for no tags',
    ).argParser(collect),
    new Option('--keep-id <id>', 'keep this snapshot; may be repeated').argParser(collect),
  ]
  for (const option of options) command.addOption(option.helpGroup('What to keep:'))
}

/** @throws HoldfastError USAGE for a `--keep-id` that is no beginning of an id */
export function readPolicy(options: PolicyOptions): KeepPolicy {
  const { keepTag = [], keepId = [] } = options
  for (const id of keepId) {
    if (/^[0-9a-f]{1,64}$/.test(id)) continue
    throw new HoldfastError('USAGE', `${JSON.stringify(id)} is not the beginning of an id`, {
      hint: 'give --keep-id hex digits as holdfast snapshots shows them',
    })
  }
  return {
    counts: given({
      last: options.keepLast,
      hourly: options.keepHourly,
      daily: options.keepDaily,
      weekly: options.keepWeekly,
      monthly: options.keepMonthly,
      yearly: options.keepYearly,
    }),
    within: given({
      all: options.keepWithin,
      hourly: options.keepWithinHourly,
      daily: options.keepWithinDaily,
      weekly: options.keepWithinWeekly,
      monthly: options.keepWithinMonthly,
      yearly: options.keepWithinYearly,
    }),
    tags: keepTag.map((list) => list.split(',')),
    ids: keepId,
  }
}

/** Only the fields that have a value. */
function given<Key extends string, Value>(
  fields: Readonly<Record<Key, Value | undefined>>,
): { readonly [key in Key]?: Value } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { readonly [key in Key]?: Value }
}
