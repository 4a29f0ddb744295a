import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyPolicy, type DatedSnapshot, type KeepPolicy, type Period } from '../../src/forget/policy.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const nowMs = Date.parse('2026-06-15T12:00:00Z')
const periods: readonly Period[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly']

/** A name for the period, from the written date; weeks by the ISO rule that a week is named by its Thursday. */
function periodName(snapshot: DatedSnapshot, period: Period): string {
  const date = new Date(snapshot.timeMs + snapshot.offsetMinutes * MINUTE_MS)
  const text = date.toISOString()
  if (period === 'weekly') {
    const thursday = new Date(date)
    thursday.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7))
    const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1)
    return `${thursday.getUTCFullYear()}-W${Math.floor((thursday.getTime() - newYear) / (7 * DAY_MS))}`
  }
  return text.slice(0, { yearly: 4, monthly: 7, daily: 10, hourly: 13 }[period])
}

const isNewer = (left: DatedSnapshot, right: DatedSnapshot): boolean =>
  left.timeMs > right.timeMs || (left.timeMs === right.timeMs && left.id < right.id)

const isCounted = (snapshot: DatedSnapshot): boolean =>
  snapshot.countable && snapshot.timeMs <= nowMs + DAY_MS

/** Whether one snapshot stays, said of it alone with all others in view: no order, no running count. */
function staysByModel(snapshot: DatedSnapshot, all: readonly DatedSnapshot[], policy: KeepPolicy): boolean {
  if (!isCounted(snapshot)) return true
  if (policy.ids?.some((id) => snapshot.id.startsWith(id))) return true
  if (policy.tags?.some((list) => new Set([...snapshot.tags, ...list]).size === snapshot.tags.length))
    return true
  const counted = all.filter((other) => isCounted(other) && other.incomplete === snapshot.incomplete)
  const newer = counted.filter((other) => isNewer(other, snapshot))
  const newest = counted.find((other) => !counted.some((third) => isNewer(third, other)))!
  const isOldest = newer.length === counted.length - 1

  const last = policy.counts?.last ?? 0
  if (last === -1 || newer.length < last) return true
  for (const period of periods) {
    const count = policy.counts?.[period] ?? 0
    const name = periodName(snapshot, period)
    const newerNames = new Set(newer.map((other) => periodName(other, period)))
    const hasRoom = count === -1 || newerNames.size < count
    if (hasRoom && (isOldest || !newerNames.has(name))) return true
  }
  for (const rule of ['all', ...periods] as const) {
    const duration = policy.within?.[rule]
    if (duration === undefined || Object.values(duration).every((part) => part === 0)) continue
    const sinceMs = newest.timeMs - (duration.days * 24 + duration.hours) * 60 * MINUTE_MS
    if (snapshot.timeMs <= sinceMs) continue
    if (rule === 'all' || isOldest) return true
    if (!newer.some((other) => periodName(other, rule) === periodName(snapshot, rule))) return true
  }
  return false
}

const tag = fc.constantFrom('a', 'b', 'c')
const snapshot = fc.record({
  id: fc.uuid(),
  // Close together or far apart, so that every kind of period has neighbours; a few lie in the future.
  timeMs: fc
    .tuple(fc.integer({ min: -3, max: 400 }), fc.constantFrom(MINUTE_MS, 60 * MINUTE_MS, DAY_MS, 7 * DAY_MS))
    .map(([count, unitMs]) => nowMs - count * unitMs),
  offsetMinutes: fc.constantFrom(0, 60, -300, 345, 840, -720),
  tags: fc.uniqueArray(tag, { maxLength: 3 }),
  countable: fc.oneof(
    { arbitrary: fc.constant(true), weight: 9 },
    { arbitrary: fc.constant(false), weight: 1 },
  ),
  incomplete: fc.oneof(
    { arbitrary: fc.constant(false), weight: 4 },
    { arbitrary: fc.constant(true), weight: 1 },
  ),
})
const group = fc.uniqueArray(snapshot, { maxLength: 40, selector: ({ id }) => id })

const count = fc.constantFrom(-1, 0, 1, 2, 3, 5, 8)
// Days and hours alone: what months mean is the matter of subtractDuration's own tests.
const duration = fc.record({
  years: fc.constant(0),
  months: fc.constant(0),
  days: fc.integer({ min: 0, max: 60 }),
  hours: fc.integer({ min: 0, max: 30 }),
})
const some = <T, K extends string>(
  value: fc.Arbitrary<T>,
  ...names: K[]
): fc.Arbitrary<Partial<Record<K, T>>> =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), value), { maxLength: 3, selector: ([name]) => name })
    .map((entries) => Object.fromEntries(entries) as Partial<Record<K, T>>)
const policy: fc.Arbitrary<KeepPolicy> = fc.record({
  counts: some(count, 'last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'),
  within: some(duration, 'all', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'),
  tags: fc.array(fc.uniqueArray(tag, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
  ids: fc.array(fc.constantFrom('0', '12', 'f'), { maxLength: 1 }),
})
const nonEmptyPolicy = policy.filter(
  ({ counts, within, tags, ids }) =>
    [...Object.values(counts ?? {}), ...(tags ?? []), ...(ids ?? [])].some((value) => value !== 0) ||
    Object.values(within ?? {}).some(({ days, hours }) => days + hours > 0),
)

const keptIds = (snapshots: readonly DatedSnapshot[], rules: KeepPolicy): string[] =>
  applyPolicy(snapshots, rules, nowMs).keep.map((kept) => kept.snapshot.id)

describe('retention policy', () => {
  test('agrees with a plain model, and says why each one stays', () => {
    fc.assert(
      fc.property(group, nonEmptyPolicy, (snapshots, rules) => {
        const { keep, remove } = applyPolicy(snapshots, rules, nowMs)
        const expected = snapshots.filter((one) => staysByModel(one, snapshots, rules))
        expect(keep.map((kept) => kept.snapshot.id).sort()).toEqual(expected.map(({ id }) => id).sort())
        expect(keep.every((kept) => kept.reasons.length > 0)).toBe(true)
        expect(keep.length + remove.length).toBe(snapshots.length)
        for (const list of [keep.map((kept) => kept.snapshot), remove]) {
          expect(list.every((one, at) => at === 0 || isNewer(list[at - 1]!, one))).toBe(true)
        }
      }),
      { numRuns: 1500 },
    )
  })

  test('the order of the input does not matter', () => {
    const shuffled = group.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    )
    fc.assert(
      fc.property(shuffled, policy, ([snapshots, mixed], rules) => {
        expect(applyPolicy(mixed, rules, nowMs)).toEqual(applyPolicy(snapshots, rules, nowMs))
      }),
    )
  })

  test('run again on what it kept, it removes nothing more', () => {
    fc.assert(
      fc.property(group, policy, (snapshots, rules) => {
        const kept = applyPolicy(snapshots, rules, nowMs).keep.map((one) => one.snapshot)
        expect(applyPolicy(kept, rules, nowMs).remove).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('a further rule never removes more', () => {
    fc.assert(
      fc.property(group, nonEmptyPolicy, policy, (snapshots, rules, more) => {
        const both = {
          counts: { ...more.counts, ...rules.counts },
          within: { ...more.within, ...rules.within },
          tags: [...rules.tags!, ...more.tags!],
          ids: [...rules.ids!, ...more.ids!],
        }
        const kept = new Set(keptIds(snapshots, both))
        expect(keptIds(snapshots, rules).filter((id) => !kept.has(id))).toEqual([])
      }),
    )
  })

  test('adding snapshots from the far future, or unconfirmed ones, changes nothing for the others', () => {
    fc.assert(
      fc.property(group, group, policy, fc.boolean(), (snapshots, added, rules, future) => {
        const made = added.map((one) => ({
          ...one,
          id: `z${one.id}`,
          timeMs: future ? nowMs + DAY_MS + 1 + Math.abs(nowMs - one.timeMs) : one.timeMs,
          countable: future,
        }))
        const honest = keptIds([...snapshots, ...made], rules).filter((id) => !id.startsWith('z'))
        expect(honest).toEqual(keptIds(snapshots, rules))
      }),
    )
  })
})
