import { showBytes, showSeconds } from './figures.mjs'

const MEGABYTE = 1_000_000

/** So many times a peer's speed. */
export function fasterThan(peer, floor, aim) {
  return { metric: 'wallSeconds', peer, floor, aim, isAtLeast: true, what: `times as fast as ${peer}` }
}

/** At most such a share of a peer's figure. @param metric `repositoryBytes` or `addedBytes` */
export function shareOf(peer, metric, { floor, aim }) {
  const things = { repositoryBytes: 'size', addedBytes: 'data added' }
  return { metric, peer, floor, aim, isAtLeast: false, what: `${things[metric]}, share of ${peer}'s` }
}

/** Holdfast's own figure, in the metric's unit. @param options `secret`: where only one of the ways to open counts */
export function atMost(metric, { floor, aim, what, secret }) {
  return { metric, floor, aim, isAtLeast: false, what, secret }
}

/** Holdfast's median as a multiple of another case's of the same question. */
export function timesCase(otherCase, { floor, aim, what }) {
  return { metric: 'wallSeconds', otherCase, floor, aim, isAtLeast: false, what }
}

const memory = atMost('anonymousBytes', { floor: 250 * MEGABYTE, what: 'peak memory' })

/** Those of a case, then those that every case has: memory, and borg outrun. */
export function targetsOf({ targets, ownMemory }) {
  return [
    ...targets,
    ownMemory ?? memory,
    { ...atMost('anonymousBytes', { aim: 1, what: "peak memory, share of restic's" }), peer: 'restic' },
    fasterThan('borg', 1, 2),
    fasterThan('borg-zstd', 1, 2),
  ]
}

/**
 * What was reached of a target.
 * @param result a case's result; `others` are all results of the question with the same secret
 * @returns `{ what, shown, value, floor, aim, isFloorMet, isAimMet }`, undefined in place of what cannot be said;
 *   undefined when it does not hold for the case's
 *   secret, or a program it needs was not measured
 */
export function judge(target, result, others) {
  if ((target.secret ?? result.secret) !== result.secret) return undefined
  const value = valueFor(target, result, others)
  if (value === undefined) return undefined
  const isMet = (bound) =>
    bound === undefined ? undefined : target.isAtLeast ? value >= bound : value <= bound
  return {
    what: target.what,
    value,
    shown: show(target, value),
    floor: target.floor,
    aim: target.aim,
    shownFloor: target.floor && show(target, target.floor),
    shownAim: target.aim && show(target, target.aim),
    isFloorMet: isMet(target.floor),
    isAimMet: isMet(target.aim),
  }
}

function valueFor({ metric, peer, otherCase }, result, others) {
  if (peer !== undefined) return result.ratios[peer]?.[metric]?.median
  const own = result.programs.holdfast?.figures[metric]?.median
  if (own === undefined) return undefined
  if (otherCase === undefined) return own
  const other = others.find((one) => one.name === otherCase)?.programs.holdfast?.figures[metric]?.median
  return other === undefined ? undefined : own / other
}

function show({ metric, peer, otherCase, isAtLeast }, value) {
  if (isAtLeast || otherCase !== undefined) return `${value.toFixed(value < 10 ? 2 : 1)} ×`
  if (peer !== undefined) return value.toFixed(2)
  if (metric.endsWith('Seconds')) return showSeconds(value)
  return metric.endsWith('Bytes') ? showBytes(value) : value.toFixed(2)
}
