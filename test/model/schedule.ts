import type { Program } from './actors.ts'
import type { Product } from './product.ts'
import { createRandom, type Random } from './random.ts'
import { type Call, drawStrategy, following, Scheduler, type ScriptStep } from './scheduler.ts'
import {
  type Access,
  cloneWorld,
  createWorld,
  drawPages,
  findLeftover,
  findViolation,
  openClient,
  type World,
} from './world.ts'

/** Commands that were given at once, up to the end of a script: who has not ended by then never goes on. */
export interface Past {
  readonly programs: readonly Program[]
  /** Without one, the first that can goes on, to the end of all. */
  readonly script?: readonly ScriptStep[]
}

/** A small repository and what happens to it at once. */
export interface Universe {
  readonly name: string
  /** What was done before, one after the other. */
  readonly history: readonly Past[]
  /** The actors of one schedule. */
  actors(random: Random): readonly Program[]
  /** How every schedule begins. */
  readonly script?: readonly ScriptStep[]
  /** Pages of the index files in the order in which they come up. Default: drawn, in some schedules. */
  readonly pages?: readonly number[]
}

export interface Outcome {
  /** What went wrong; undefined when nothing did. */
  readonly violation: string | undefined
  readonly names: readonly string[]
  readonly trace: readonly Call[]
}

/** The repository that every schedule of a universe begins with. */
export async function createStart(product: Product, universe: Universe): Promise<World> {
  const world = createWorld(product)
  for (const { programs, script } of universe.history) {
    const scheduler = new Scheduler()
    const failures: unknown[] = []
    startActors(world, scheduler, programs, 0, {}, (error) => failures.push(error))
    await scheduler.run(script === undefined ? () => 0 : following(script))
    if (failures.length > 0) throw failures[0]
  }
  return world
}

function startActors(
  world: World,
  scheduler: Scheduler,
  programs: readonly Program[],
  seed: number,
  access: Access,
  onFailure: (error: unknown, program: Program) => void,
): void {
  programs.forEach((program, number) => {
    const onCall: Access['onCall'] = (operation, name) => scheduler.call(number, operation, name)
    const repository = openClient(world, { ...access, onCall })
    const random = createRandom(seed + 7919 * (number + 1))
    program
      .run({ world, repository, random, isListedAtOnce: access.pageOf === undefined })
      .catch((error: unknown) => onFailure(error, program))
  })
}

/**
 * Run one schedule and check what is promised: at its end, at moments drawn on the way, and after prunes that
 * run alone.
 */
export async function runSchedule(universe: Universe, start: World, seed: number): Promise<Outcome> {
  const random = createRandom(seed)
  const world = cloneWorld(start)
  const programs = universe.actors(random)
  const crash = random.chance(0.4)
    ? { actor: random.below(programs.length), afterCalls: random.below(random.pick([20, 80])) }
    : undefined
  const scheduler = new Scheduler(crash)
  const strategy = drawStrategy(random, programs.length)
  const pageOf = universe.pages || random.chance(0.25) ? drawPages(random, universe.pages) : undefined
  const looks = new Set(random.chance(0.3) ? [random.below(40), random.below(120)] : [])
  const isTidied = random.chance(0.25)

  let violation: string | undefined
  const onNotice = (message: string): void => {
    if (message.includes('starting again')) world.ledger.restarts++
  }
  startActors(world, scheduler, programs, seed, { pageOf, onNotice }, (error, program) => {
    violation ??= `${program.name} fails: ${(error as Error).stack}`
  })
  await scheduler.run(following(universe.script ?? [], strategy), async (calls) => {
    if (looks.has(calls)) violation ??= await findViolation(world)
    return violation !== undefined
  })

  const { trace } = scheduler
  violation ??= await findViolation(world)
  const declarations = trace.filter((call) => call.operation === 'put' && call.name.endsWith('.over')).length
  if (world.ledger.restarts > declarations)
    violation ??= 'L2: a backup began again though nobody gave up on it'
  if (isTidied) violation ??= await findLeftover(cloneWorld(world))
  return { violation, names: programs.map((program) => program.name), trace }
}

/** The calls of a schedule, one a line, with short names for ids in the order in which they came up. */
export function showTrace({ violation, names, trace }: Outcome): string {
  const short = new Map<string, string>()
  const shorten = (text: string): string =>
    text.replace(/\b(?:[0-9a-f]{2}\/)?([0-9a-f]{64}|[0-9a-f]{32})/g, (_, id: string) => {
      const known = short.get(id) ?? `#${short.size + 1}`
      short.set(id, known)
      return known
    })
  const lines = trace.map((call, at) => {
    const actor = `${call.actor} ${names[call.actor]}`.slice(0, 24).padEnd(24)
    return `${String(at + 1).padStart(4)}  ${actor}  ${call.operation.padEnd(8)} ${shorten(call.name)}`
  })
  return [
    ...names.map((name, at) => `actor ${at}: ${name}`),
    ...lines,
    shorten(violation ?? 'nothing is violated'),
  ].join('\n')
}
