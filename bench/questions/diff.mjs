import { manySnapshots } from '../data/repositories.mjs'
import { atMost, fasterThan } from '../harness/targets.mjs'

async function compareSnapshots({ workshop, program, secret }, choose) {
  const side = (await manySnapshots(workshop)).sides.get(program.name)
  const [older, newer] = choose(await side.snapshotIds())
  return await side.measure('diff', { secret }, older, newer)
}

export const question = {
  name: 'diff',
  order: 11,
  title: 'Comparing two snapshots',
  data: 'snapshots of the system trees: neighbours with 0.2 % of the files changed, releases with 30 %',
  shares: ['many snapshots'],
  cases: [
    {
      name: 'neighbours',
      title: 'diff of neighbours',
      command: 'diff',
      targets: [atMost('wallSeconds', { floor: 0.3, aim: 0.2, what: 'time', secret: 'key-file' })],
      secrets: ['key-file', 'password'],
      measure: (round) => compareSnapshots(round, (ids) => ids.slice(-2)),
    },
    {
      name: 'releases',
      title: 'diff of two releases',
      command: 'diff',
      targets: [fasterThan('restic', 5, 10)],
      secrets: ['key-file', 'password'],
      measure: (round) => compareSnapshots(round, (ids) => ids.slice(0, 2)),
    },
  ],
}
