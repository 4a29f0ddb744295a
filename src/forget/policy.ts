import { nameBytes, type RawName } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import { type Duration, formatDuration, isZeroDuration, subtractDuration } from './duration.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Clocks of honest machines differ by less; a snapshot further ahead of now counts for no rule. */
const FUTURE_TOLERANCE_MS = DAY_MS

/** The count of a keep rule without a limit. */
export const UNLIMITED = -1

export type Period = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'

/** What to keep; a snapshot stays when any rule keeps it. A rule left out, 0 or a zero duration is off. */
export interface KeepPolicy {
  /** Keep the newest N snapshots (`last`), or the newest of each of the newest N periods that have any. */
  readonly counts?: { readonly [rule in 'last' | Period]?: number }
  /** Keep what is newer than the newest snapshot less this duration: all of it, or the newest of each period. */
  readonly within?: { readonly [rule in 'all' | Period]?: Duration }
  /** Keep snapshots that have all tags of one of these lists; a list of none but empty tags: those without tags. */
  readonly tags?: readonly (readonly string[])[]
  /** Keep snapshots whose id starts with one of these. */
  readonly ids?: readonly string[]
}

/** What a policy looks at. */
export interface DatedSnapshot {
  readonly id: string
  /** ms since 1970. */
  readonly timeMs: number
  /** Minutes that the clocks where it was taken were ahead of UTC. */
  readonly offsetMinutes: number
  readonly tags: readonly string[]
  /** False for one that is unconfirmed: it is kept, and no rule counts it. */
  readonly countable: boolean
  /** Something that was asked for is not in it: the rules are applied to such ones by themselves. */
  readonly incomplete: boolean
}

export interface KeptSnapshot<S> {
  readonly snapshot: S
  /** Why, at least one; for people and JSON, for example `daily snapshot` or `within 7d`. */
  readonly reasons: string[]
}

/** Both newest first; together all snapshots that were given. */
export interface PolicyResult<S> {
  readonly keep: KeptSnapshot<S>[]
  readonly remove: S[]
}

/** A number per calendar period of a local time that is given as if it were UTC. Equal numbers: same period. */
const periodOf: { readonly [period in Period]: (localMs: number) => number } = {
  hourly: (localMs) => Math.floor(localMs / HOUR_MS),
  daily: (localMs) => Math.floor(localMs / DAY_MS),
  // ISO weeks start on Monday; 1 January 1970 was a Thursday.
  weekly: (localMs) => Math.floor((localMs / DAY_MS + 3) / 7),
  monthly: (localMs) => new Date(localMs).getUTCFullYear() * 12 + new Date(localMs).getUTCMonth(),
  yearly: (localMs) => new Date(localMs).getUTCFullYear(),
}
const periods = Object.keys(periodOf) as Period[]

interface Rule {
  readonly reason: string
  /** The newest snapshot of a period is the one to keep; undefined: each snapshot is a period of its own. */
  readonly period: Period | undefined
  /** Periods to keep, from 1. */
  readonly count: number
  /** Only snapshots later than this are looked at. */
  readonly afterMs: number
}

/** Read the N of a keep rule: a whole number, or `unlimited`. @throws USAGE for anything else. */
export function parseKeepCount(text: string): number {
  if (text === 'unlimited' || text === String(UNLIMITED)) return UNLIMITED
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new HoldfastError('USAGE', `cannot read ${JSON.stringify(text)} as a number of snapshots`, {
    hint: 'write a whole number such as 7, or unlimited',
  })
}

/** True when no rule is on; such a policy keeps everything. */
export function isEmptyPolicy({ counts = {}, within = {}, tags = [], ids = [] }: KeepPolicy): boolean {
  const counted = Object.values(counts).some((count) => count !== 0)
  const timed = Object.values(within).some((duration) => !isZeroDuration(duration))
  return !counted && !timed && tags.length === 0 && ids.length === 0
}

/**
 * Decide which snapshots of one group stay. Pure; the order of the input does not matter.
 *
 * - Periods are those of the calendar in each snapshot's own local time: weeks from Monday, hours from :00.
 *   Only periods with a snapshot count, and the newest snapshot of a period stands for it.
 * - Where a rule has periods left when the snapshots run out, the oldest snapshot stays as well
 *   (`oldest daily snapshot`), so that the history does not start late because a rule is still filling up.
 * - Durations are measured from the newest countable snapshot of the group, not from now: a machine that is
 *   off for a year loses nothing.
 * - Incomplete snapshots are judged by the same rules among themselves: a run that was stopped, or missed a path, never
 *   pushes out a whole one.
 * - A snapshot more than a day ahead of now stays, and no rule counts it: made-up times cannot push good
 *   snapshots out.
 *
 * @param nowMs ms since 1970.
 */
export function applyPolicy<S extends DatedSnapshot>(
  snapshots: readonly S[],
  policy: KeepPolicy,
  nowMs: number,
): PolicyResult<S> {
  const sorted = [...snapshots].sort((left, right) => right.timeMs - left.timeMs || compareIds(left, right))
  if (isEmptyPolicy(policy)) {
    return { keep: sorted.map((snapshot) => ({ snapshot, reasons: ['policy is empty'] })), remove: [] }
  }
  const reasons = new Map(sorted.map((snapshot) => [snapshot, individualReasons(snapshot, policy, nowMs)]))
  const counted = sorted.filter((snapshot) => snapshot.countable && !isFuture(snapshot, nowMs))
  for (const incomplete of [false, true]) {
    const alike = counted.filter((snapshot) => snapshot.incomplete === incomplete)
    for (const rule of rulesOf(policy, alike[0])) {
      for (const { snapshot, isOldest } of keptByRule(alike, rule)) {
        const reason = incomplete ? `${rule.reason} of the incomplete ones` : rule.reason
        reasons.get(snapshot)!.push(isOldest ? `oldest ${reason}` : reason)
      }
    }
  }
  const keep = sorted.map((snapshot) => ({ snapshot, reasons: reasons.get(snapshot)! }))
  return {
    keep: keep.filter((kept) => kept.reasons.length > 0),
    remove: sorted.filter((snapshot) => reasons.get(snapshot)!.length === 0),
  }
}

function compareIds(left: DatedSnapshot, right: DatedSnapshot): number {
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0
}

function isFuture(snapshot: DatedSnapshot, nowMs: number): boolean {
  return snapshot.timeMs > nowMs + FUTURE_TOLERANCE_MS
}

/** Reasons that need no look at other snapshots. */
function individualReasons(snapshot: DatedSnapshot, policy: KeepPolicy, nowMs: number): string[] {
  const reasons: string[] = []
  if (!snapshot.countable) reasons.push('unconfirmed, not counted')
  if (isFuture(snapshot, nowMs)) reasons.push('in the future, not counted')
  for (const id of policy.ids ?? []) {
    if (snapshot.id.startsWith(id)) reasons.push(`id ${id}`)
  }
  for (const list of policy.tags ?? []) {
    const wanted = list.filter((tag) => tag !== '')
    const matches =
      wanted.length === 0 ? snapshot.tags.length === 0 : wanted.every((tag) => snapshot.tags.includes(tag))
    if (matches) reasons.push(wanted.length === 0 ? 'no tags' : `tag ${wanted.join(',')}`)
  }
  return reasons
}

function rulesOf(policy: KeepPolicy, newest: DatedSnapshot | undefined): Rule[] {
  const rules: Rule[] = []
  for (const name of ['last', ...periods] as const) {
    const count = policy.counts?.[name] ?? 0
    if (!Number.isInteger(count) || count < UNLIMITED) throw new Error(`a keep rule cannot count to ${count}`)
    if (count === 0) continue
    rules.push({
      reason: `${name} snapshot`,
      period: name === 'last' ? undefined : name,
      count: count === UNLIMITED ? Number.POSITIVE_INFINITY : count,
      afterMs: Number.NEGATIVE_INFINITY,
    })
  }
  for (const name of ['all', ...periods] as const) {
    const duration = policy.within?.[name]
    if (newest === undefined || duration === undefined || isZeroDuration(duration)) continue
    rules.push({
      reason: `${name === 'all' ? '' : `${name} `}within ${formatDuration(duration)}`,
      period: name === 'all' ? undefined : name,
      count: Number.POSITIVE_INFINITY,
      afterMs: subtractDuration(newest.timeMs, newest.offsetMinutes, duration),
    })
  }
  return rules
}

/** @param sorted newest first. */
function* keptByRule<S extends DatedSnapshot>(
  sorted: readonly S[],
  rule: Rule,
): Generator<{ snapshot: S; isOldest: boolean }> {
  // A set, since local times of machines that travel are not in order: a period can come up again.
  const seen = new Set<number>()
  for (const [position, snapshot] of sorted.entries()) {
    if (seen.size === rule.count || snapshot.timeMs <= rule.afterMs) return
    const localMs = snapshot.timeMs + snapshot.offsetMinutes * MINUTE_MS
    const period = rule.period === undefined ? position : periodOf[rule.period](localMs)
    const isNew = !seen.has(period)
    if (isNew || position === sorted.length - 1) yield { snapshot, isOldest: !isNew }
    seen.add(period)
  }
}

export type GroupKey = 'host' | 'paths' | 'tags'

/** Snapshots that agree in what they were grouped by; the rest is undefined. */
export interface SnapshotGroup<S> {
  readonly host: string | undefined
  readonly paths: readonly RawName[] | undefined
  readonly tags: readonly string[] | undefined
  /** Never empty; in the order they were given. */
  readonly snapshots: S[]
}

/**
 * Split snapshots into groups; grouping by nothing makes one group of all. Paths and tags are compared as sets.
 * The order of the groups does not depend on the order of the snapshots.
 */
export function groupSnapshots<
  S extends { readonly host: string; readonly paths: readonly RawName[]; readonly tags: readonly string[] },
>(snapshots: readonly S[], by: readonly GroupKey[]): SnapshotGroup<S>[] {
  const groups = new Map<string, SnapshotGroup<S>>()
  for (const snapshot of snapshots) {
    const host = by.includes('host') ? snapshot.host : undefined
    const paths = by.includes('paths') ? snapshot.paths : undefined
    const tags = by.includes('tags') ? snapshot.tags : undefined
    const key = JSON.stringify([host === undefined ? [] : [host], paths ?? [], tags ?? []].map(setOfBytes))
    const group = groups.get(key) ?? { host, paths, tags, snapshots: [] }
    group.snapshots.push(snapshot)
    groups.set(key, group)
  }
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, group]) => group)
}

/** The names without repetition, in order, as text with one unit per byte. */
function setOfBytes(names: readonly RawName[]): string[] {
  return [...new Set(names.map((name) => nameBytes(name).toString('latin1')))].sort()
}
