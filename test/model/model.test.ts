import { test, expect } from 'vitest'
import { loadSources } from './product.ts'
import { createStart, runSchedule, showTrace } from './schedule.ts'
import { universes } from './universes.ts'
test('try', async () => {
  const product = await loadSources()
  const N = Number(process.env.N ?? 200)
  for (const u of universes) {
    if (process.env.U && u.name !== process.env.U) continue
    const start = await createStart(product, u)
    const t = performance.now()
    let steps = 0, bad = 0
    for (let s = Number(process.env.S ?? 0); s < N + Number(process.env.S ?? 0); s++) {
      const o = await runSchedule(u, start, s)
      steps += o.trace.length
      if (o.violation) { if (bad++ < Number(process.env.SHOW ?? 1)) console.log(u.name, s, '\n' + showTrace(o)) }
    }
    console.log(u.name, 'ms each', (performance.now() - t) / N, 'steps', steps / N, 'bad', bad)
  }
}, 600_000)
