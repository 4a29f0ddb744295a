import type { MemoryOperation } from '../../src/backend/index.ts'
import type { Random } from './random.ts'

/** One call of an actor to its backend, waiting to be let through. */
export interface Call {
  /** The actor's number. */
  readonly actor: number
  readonly operation: MemoryOperation
  readonly name: string
}

interface WaitingCall extends Call {
  readonly release: () => void
}

/** Says which of the waiting calls (at least one) goes next; undefined ends the schedule. */
export type Strategy = (waiting: readonly Call[]) => number | undefined

/** An actor that is never heard of again after so many of its calls. */
export interface Crash {
  readonly actor: number
  readonly afterCalls: number
}

/** More calls than any schedule needs: whoever passes this goes round in circles. */
const MAXIMUM_CALLS = 20_000

/**
 * Lets one backend call of one actor through at a time. All code between two calls runs in microtasks, so after
 * a turn of the event loop every actor waits for its next call or has ended, and a schedule is a function of the
 * strategy alone.
 */
export class Scheduler {
  /** The calls let through, in order. */
  readonly trace: Call[] = []
  private waiting: WaitingCall[] = []
  private readonly calls: number[] = []
  private readonly crash: Crash | undefined

  constructor(crash?: Crash) {
    this.crash = crash
  }

  /** Announce a call; resolves when it is let through. */
  call(actor: number, operation: MemoryOperation, name: string): Promise<void> {
    return new Promise((release) => {
      this.waiting.push({ actor, operation, name, release })
    })
  }

  /**
   * Let calls through until no actor that lives has one.
   *
   * @param afterCall told the number of calls so far, after each took effect; true ends the run
   */
  async run(strategy: Strategy, afterCall?: (calls: number) => Promise<boolean>): Promise<void> {
    for (;;) {
      await new Promise(setImmediate)
      this.waiting = this.waiting.filter((call) => !this.isCrashed(call.actor))
      if (this.trace.length > 0 && (await afterCall?.(this.trace.length))) return
      if (this.waiting.length === 0) return
      const at = strategy(this.waiting)
      if (at === undefined) return
      const [call] = this.waiting.splice(at, 1)
      this.trace.push(call!)
      this.calls[call!.actor] = (this.calls[call!.actor] ?? 0) + 1
      if (this.trace.length > MAXIMUM_CALLS) throw new Error('a schedule does not come to its end')
      call!.release()
    }
  }

  private isCrashed(actor: number): boolean {
    return this.crash?.actor === actor && (this.calls[actor] ?? 0) >= this.crash.afterCalls
  }
}

/** Any waiting call, each with the same probability. */
function uniform(random: Random): Strategy {
  return (waiting) => random.below(waiting.length)
}

/** Stays with an actor for some calls, so that whole commands fall into the gaps of others. */
function sticky(random: Random, stay: number): Strategy {
  let last: number | undefined
  return (waiting) => {
    const own = waiting.findIndex((call) => call.actor === last)
    const at = own >= 0 && random.chance(stay) ? own : random.below(waiting.length)
    last = waiting[at]!.actor
    return at
  }
}

/**
 * Probabilistic concurrency testing: the actor with the highest priority runs, and at a few calls drawn
 * beforehand the one that runs falls below all others.
 */
function byPriority(random: Random, actors: number): Strategy {
  const priorities: number[] = []
  for (let actor = 0; actor < actors; actor++) priorities.splice(random.below(actor + 1), 0, actor)
  const length = random.pick([30, 60, 120, 240])
  const changes = new Set(Array.from({ length: 1 + random.below(4) }, () => random.below(length)))
  let calls = 0
  return (waiting) => {
    const running = (): number => priorities.find((actor) => waiting.some((call) => call.actor === actor))!
    if (changes.has(calls++)) {
      const fallen = running()
      priorities.splice(priorities.indexOf(fallen), 1)
      priorities.push(fallen)
    }
    const actor = running()
    return waiting.findIndex((call) => call.actor === actor)
  }
}

export function drawStrategy(random: Random, actors: number): Strategy {
  switch (random.below(4)) {
    case 0:
      return uniform(random)
    case 1:
      return sticky(random, random.pick([0.7, 0.9, 0.97]))
    default:
      return byPriority(random, actors)
  }
}

/** A step of a script: this actor goes on until it is about to do this in that directory, or ends. */
export interface ScriptStep {
  readonly actor: number
  readonly until?: { readonly operation: MemoryOperation; readonly directory: string }
  /** It makes that call too. */
  readonly isDone?: boolean
}

/** Follow a script, then a strategy. Without one the schedule ends with the script. */
export function following(script: readonly ScriptStep[], rest?: Strategy): Strategy {
  let at = 0
  return (waiting) => {
    for (; at < script.length; at++) {
      const { actor, until, isDone } = script[at]!
      const own = waiting.findIndex((call) => call.actor === actor)
      if (own < 0) continue
      const { operation, name } = waiting[own]!
      if (until?.operation !== operation || !name.startsWith(until.directory)) return own
      if (!isDone) continue
      at++
      return own
    }
    return rest?.(waiting)
  }
}
