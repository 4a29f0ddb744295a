import { treesRepository } from '../data/repositories.mjs'
import { fasterThan } from '../harness/targets.mjs'

export const question = {
  name: 'verify',
  order: 9,
  title: 'Reading and checking all that is stored',
  data: 'a repository with snapshots of the system trees; restic check --read-data, borg check --verify-data',
  shares: ['system trees'],
  cases: [
    {
      name: 'verify',
      title: 'verify --read-data',
      targets: [fasterThan('restic', 4, 5)],
      async measure({ workshop, program, secret }) {
        const side = await treesRepository(workshop, program)
        return await side.measure('verify', { secret })
      },
    },
  ],
}
