import { expect, test } from 'vitest'
import { loadSources } from './product.ts'
import { createStart, runSchedule, showTrace } from './schedule.ts'
import type { Shares } from './universes.ts'

/** Of all universes together. `npm run test:model` asks for a million. */
const SCHEDULES = Number(process.env.HOLDFAST_SCHEDULES ?? (process.env.HOLDFAST_LONG ? 60_000 : 10_000))
const HOUR_MS = 3_600_000
/** One schedule again, with its calls: `universe:seed`. */
const replay = /^(.*):(\d+)$/.exec(process.env.HOLDFAST_MODEL ?? '')

/** One test for each universe: no schedule violates anything. */
export function testUniverses(shares: Shares): void {
  for (const [universe, percent] of shares) {
    test.skipIf(replay !== null && replay[1] !== universe.name)(
      universe.name,
      async () => {
        const start = await createStart(await loadSources(), universe)
        const seeds = replay === null ? (SCHEDULES * percent) / 100 : 1
        for (let seed = Number(replay?.[2] ?? 0), left = seeds; left > 0; seed++, left--) {
          const outcome = await runSchedule(universe, start, seed)
          if (replay !== null) console.log(showTrace(outcome))
          if (outcome.violation === undefined) continue
          expect.fail(`${showTrace(outcome)}\nAgain: HOLDFAST_MODEL='${universe.name}:${seed}'`)
        }
      },
      2 * HOUR_MS,
    )
  }
}
