import { manySnapshots } from '../data/repositories.mjs'
import { atMost, fasterThan } from '../harness/targets.mjs'

export const question = {
  name: 'prune',
  order: 12,
  title: 'Forgetting half of the snapshots, and pruning',
  data: '20 snapshots of the system trees, the oldest of an older release; the newer half stays',
  shares: ['many snapshots'],
  cases: [
    {
      name: 'prune',
      title: 'forget 10 of 20 snapshots, and prune',
      targets: [
        fasterThan('restic', 2, 4),
        atMost('shareOfFresh', {
          floor: 1.05,
          what: 'size, share of a new repository with the same snapshots',
        }),
      ],
      async measure({ workshop, program, secret }) {
        const { sides, fresh } = await manySnapshots(workshop)
        return await workshop.withCopy(sides.get(program.name), async (side) => {
          const keep = workshop.amounts.snapshots / 2
          const figures = await side.measure('forgetAndPrune', { secret }, keep)
          const repositoryBytes = side.repositoryBytes()
          if (program.name !== 'holdfast') return { ...figures, repositoryBytes }
          return { ...figures, repositoryBytes, shareOfFresh: repositoryBytes / fresh.repositoryBytes() }
        })
      },
    },
  ],
}
