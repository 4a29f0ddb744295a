import {
  backup,
  backupDirectory,
  copy,
  forget,
  giveUp,
  inTurn,
  type Program,
  prune,
  read,
  repair,
} from './actors.ts'
import type { Random } from './random.ts'
import type { Past, Universe } from './schedule.ts'
import type { ScriptStep } from './scheduler.ts'

/** One command after the other, each run to its end. */
export const first = (...programs: readonly Program[]): Past[] =>
  programs.map((program) => ({ programs: [program] }))

/** A script's step up to where the actor is about to make this call. */
export const until = (actor: number, call: string): ScriptStep => {
  const [operation, directory] = call.split(' ') as [NonNullable<ScriptStep['until']>['operation'], string]
  return { actor, until: { operation, directory } }
}
/** As `until`, and the call is made too. */
export const past = (actor: number, call: string): ScriptStep => ({ ...until(actor, call), isDone: true })
/** A script's step up to the actor's end. */
export const toEnd = (actor: number): ScriptStep => ({ actor })

const anyPrune = (random: Random): Program => prune(random.chance(0.5))
const sometimes = (random: Random, ...programs: readonly Program[]): Program[] =>
  programs.filter(() => random.chance(0.3))

/** Two backups and two prunes about one chunk that an old snapshot has and somebody forgets. */
const sharedChunk: Universe = {
  name: 'shared chunk',
  history: first(backup('a')),
  actors: (random) => [
    backup('a'),
    backup('a', 'b'),
    inTurn(forget(0), anyPrune(random)),
    anyPrune(random),
    ...sometimes(random, read, giveUp),
  ],
}

/** A backup that has to begin again, since prunes give up on it. */
const secondAttempt: Universe = {
  name: 'second attempt',
  history: first(backup('a')),
  actors: (random) => [
    backup('a'),
    inTurn(forget(0), prune(true)),
    prune(true),
    ...sometimes(random, backup('a'), read, giveUp),
  ],
}

/** Two chunks, in one pack or in two; packs that are used in part. */
const twoChunks: Universe = {
  name: 'two chunks',
  history: first(backup('a', 'b'), backup('b', 'c')),
  actors: (random) => [
    backup('a', 'b'),
    backup('b'),
    inTurn(forget('any'), anyPrune(random)),
    ...sometimes(random, inTurn(forget('any'), anyPrune(random)), backup('c'), read),
  ],
}

/** A snapshot of a session given up on that lacks its trees, beside a whole one that has the same chunk. */
export const incompleteSnapshot: Universe = {
  name: 'incomplete snapshot',
  history: [
    ...first(backup('a')),
    {
      programs: [backup('x/a'), prune(true)],
      script: [until(0, 'put snapshots'), toEnd(1), until(0, 'list sessions')],
    },
  ],
  actors: (random) => [
    backup('x/a'),
    inTurn(forget(0), anyPrune(random)),
    ...sometimes(random, anyPrune(random), read, forget('any')),
  ],
}

/** The same, but it lacks only a directory two levels down: what is above can be read, and leads there again later. */
export const incompleteBelow: Universe = {
  name: 'incomplete below',
  history: [
    ...first(backup('a'), backup('b', 'x/y/a')),
    {
      programs: [backup('x/y/a'), inTurn(forget(1), prune(true))],
      // Its own pack is stored after the prune has listed what there is: it stays, and what it leads to goes.
      script: [
        until(0, 'commit trees'),
        past(1, 'list trees'),
        until(0, 'put snapshots'),
        toEnd(1),
        until(0, 'list sessions'),
      ],
    },
  ],
  actors: (random) => [
    random.chance(0.3) ? repair : backup('x/y/a'),
    inTurn(forget(0), anyPrune(random)),
    ...sometimes(random, anyPrune(random), read, forget('any')),
  ],
}

/** Chunks that are blocks of their own, which prunes copy without compressing them again. */
const largeChunks: Universe = {
  name: 'large chunks',
  history: first(backup('A', 'B'), backup('A', 'c')),
  actors: (random) => [
    inTurn(forget(0), anyPrune(random)),
    ...sometimes(random, backup('A'), backup('B'), anyPrune(random), read),
  ],
}

/** So many index files that prunes merge them, beside whoever reads them. */
const indexMerge: Universe = {
  name: 'index merge',
  history: first(...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => backup(name)), forget(0), prune(false)),
  actors: (random) => [
    anyPrune(random),
    backup('a', 'b'),
    ...sometimes(
      random,
      inTurn(forget('any'), anyPrune(random)),
      anyPrune(random),
      backup('g'),
      read,
      giveUp,
    ),
  ],
}

/**
 * A backup that was given up on lists the index files, page by page, while they are merged: nobody waits for it
 * any more before the merged ones are deleted.
 */
export const overtakenListing: Universe = {
  name: 'overtaken listing',
  pages: [0, 0, 1, 1, 1, 1, 1, 1, 0],
  history: first(backup('a')),
  actors: () => [
    backup('a', 'z'),
    inTurn(forget(0), prune(true), ...['b', 'c', 'd', 'e', 'f'].map((name) => backup(name))),
    prune(true),
  ],
  script: [
    past(1, 'list trees'),
    until(0, 'put snapshots'),
    toEnd(1),
    past(0, 'list index'),
    toEnd(2),
    toEnd(0),
  ],
}

/** Whatever comes together, after a backup and a prune that died half-way. */
const anything: Universe = {
  name: 'anything',
  history: [
    ...first(backup('a', 'b'), backup('b', 'x/c')),
    { programs: [backup('d', 'x/c')], script: [until(0, 'put index')] },
    { programs: [inTurn(forget(0), prune(false))], script: [until(0, 'put pending')] },
  ],
  actors: (random) =>
    Array.from({ length: 2 + random.below(4) }, () => {
      const contents = ['a', 'b', 'd', 'x/c', 'x/e'].filter(() => random.chance(0.5))
      const draw = (): Program =>
        random.pick([
          backup(...contents),
          backup('a'),
          forget('any'),
          forget('all'),
          prune(false),
          prune(true),
          giveUp,
          read,
          repair,
          copy,
        ])
      return inTurn(draw(), ...(random.chance(0.4) ? [draw()] : []))
    }),
}

/** Copies, which reuse what an earlier copy or a backup has stored. */
const copies: Universe = {
  name: 'copies',
  history: first(backup('a'), copy, forget(0)),
  actors: (random) => [
    copy,
    inTurn(forget('any'), anyPrune(random)),
    ...sometimes(random, inTurn(forget('all'), anyPrune(random)), copy, backup('b'), read, giveUp),
  ],
}

/** The real backup, which reuses the nodes of its parent. */
const realBackup = (directory: string): Universe => ({
  name: 'real backup',
  history: [
    ...first(backupDirectory(directory), backupDirectory(directory, 'b'), forget(0)),
    { programs: [prune(false)], script: [until(0, 'put pending')] },
  ],
  actors: (random) => [
    backupDirectory(directory, ...(random.chance(0.5) ? ['b'] : [])),
    inTurn(anyPrune(random), forget(0), anyPrune(random)),
    ...sometimes(random, backupDirectory(directory), giveUp),
  ],
})

/** A universe with its share of the schedules, in per cent. */
export type Shares = readonly (readonly [universe: Universe, percent: number])[]

/** Those with a chunk or two. */
export const smallUniverses: Shares = [
  [sharedChunk, 25],
  [secondAttempt, 20],
  [twoChunks, 15],
]

/** @param directory with two files, a and b, for the real backup */
export function richUniverses(directory: string): Shares {
  return [
    [anything, 16],
    [copies, 2],
    [incompleteSnapshot, 6],
    [incompleteBelow, 4],
    [indexMerge, 6],
    [largeChunks, 3],
    [realBackup(directory), 2],
    [overtakenListing, 1],
  ]
}
