import { treesRepository } from '../data/repositories.mjs'
import { fasterThan } from '../harness/targets.mjs'

export const question = {
  name: 'trees-restore',
  order: 7,
  title: 'Full restore of the system trees',
  data: 'a snapshot of copies of /usr/share and /usr/lib, files of at most 16 MiB, into an empty folder',
  shares: ['system trees'],
  cases: [
    {
      name: 'restore',
      title: 'system trees, full restore',
      targets: [fasterThan('restic', 4, 5)],
      async measure({ workshop, program, secret }) {
        const side = await treesRepository(workshop, program)
        return await workshop.withTarget((target) => side.measure('restore', { secret }, target))
      },
    },
  ],
}
